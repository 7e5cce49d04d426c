// Holds the package that the server assigned: its attributes where they arrived, and the texts of the present one in a block.
//
//   scratch  what is being written or compared
//   block    title, version and checksum of the present package, each with a line feed behind it: what names its image
//   kept     title and version of the software that was installed since the start (only where software is configured)
//
// All texts are JSON texts without their quotes, so no line feed can stand in one.
import { Status } from "../abi";
import { at, open as openCursor, overflowed, putByte, putBytes } from "../base/cursor";
import { crc32 } from "../base/crc32";
import { equals, placeOf } from "../base/text";
import { setText, setting, Setting, textLength } from "../client/settings";
import { lengthAt, readMembers, span, TEXTS_AND_NUMBERS, valueAt } from "../json/members";
import { putUnescapedTo } from "../json/unescape";
import { carve, MEMBERS, OTA_PRESENT } from "../memory";
import { OTA_ALGORITHMS, OTA_ATTRIBUTES } from "./topics";

/** Bytes of each part: two longest texts unescaped, or the longest message. */
export const BLOCK_SIZE: i32 = 256;
/** Bytes that title and version may have together, so that the message that reports them fits the scratch. */
export const NAMES_MAX: i32 = 190;

/** The attributes of a package; those up to the checksum have a second span, of the present package. */
export const enum Attribute {
  Title = 0,
  Version = 1,
  Size = 2,
  Checksum = 3,
  Algorithm = 4,
  Url = 5,
  Count = 6,
}
export let scratch: usize = 0;
/** Image name, with line feeds at its places. */
export let block: usize = 0;
/** Bytes of the name in it. */
export let blockLength: i32 = 0;

export function carvePackage(hasSoftware: bool): void {
  scratch = carve(2 * BLOCK_SIZE + (<usize>hasSoftware << 8));
  block = scratch + BLOCK_SIZE;
}

/** The span of a text of the present package. */
// @ts-ignore: decorator
@inline
export function presentSpan(attribute: i32): usize {
  return OTA_PRESENT + (attribute << 3);
}

// @ts-ignore: decorator
@inline
export function presentText(attribute: i32): usize {
  return load<u32>(presentSpan(attribute));
}

// @ts-ignore: decorator
@inline
export function presentLength(attribute: i32): i32 {
  return load<i32>(presentSpan(attribute), 4);
}

/** The OtaAlgorithm of the package, below zero when it is unknown. */
// @ts-ignore: decorator
@inline
export function algorithm(): i32 {
  return placeOf(OTA_ALGORITHMS, 7, valueAt(Attribute.Algorithm), lengthAt(Attribute.Algorithm));
}

/** Finds the attributes in the answer to a request that asked for those of one kind alone: Ok, or the Status of its fault. */
// @ts-ignore: decorator
@inline
export function readAttributes(document: usize, documentLength: i32): i32 {
  // Behind fw or sw; members of other objects have no such names.
  return readMembers(document, documentLength, OTA_ATTRIBUTES, Attribute.Count, TEXTS_AND_NUMBERS, 2);
}

/** Which kinds an update may be about, one bit for each OtaKind: those that a text in it begins with. What only looks like one costs a request. */
// @ts-ignore: decorator
@inline
export function kindsOf(document: usize, documentLength: i32): i32 {
  let kinds = 0;
  for (; documentLength > 0; documentLength--) {
    const letters = load<u32>(document++);
    kinds |= <i32>(letters == 0x5f776622 /* "fw_ */) | (<i32>(letters == 0x5f777322 /* "sw_ */) << 1);
  }
  return kinds;
}

/** True when the assigned package is what runs; texts that are written in different ways may be the same. */
// @ts-ignore: decorator
@inline
export function isRunning(kind: i32): bool {
  for (let name = 0; name <= Attribute.Version; name++) {
    const key = Setting.FirmwareTitle + (kind << 1) + name;
    const other = scratch + (BLOCK_SIZE >> 1);
    const ownLength = putUnescapedTo(setting(key), textLength(key), scratch, BLOCK_SIZE >> 1);
    if (ownLength != putUnescapedTo(valueAt(name), lengthAt(name), other, BLOCK_SIZE >> 1)) return false;
    if (ownLength < 0 || !equals(scratch, other, ownLength)) return false;
  }
  return true;
}

/** Writes the name of the assigned package at the scratch, as it will stand in the block; a number for it, 2 or more. */
// @ts-ignore: decorator
@inline
export function fingerprint(): u32 {
  let hash: u32 = 0;
  openCursor(scratch, block);
  for (let each = span(Attribute.Title); each <= span(Attribute.Checksum); each += 8) {
    if (each == span(Attribute.Size)) continue;
    const begin = load<u32>(each);
    const length = load<i32>(each, 4);
    store<u32>(each, at + BLOCK_SIZE);
    putBytes(begin, length);
    putByte(0x0a);
    hash = hash * 3 + crc32(begin, length);
  }
  return hash | 2;
}

/** Makes the package whose name is at the scratch the present one; false when its texts are too long. */
// @ts-ignore: decorator
@inline
export function adopt(): bool {
  blockLength = <i32>(at - scratch);
  memory.copy(block, scratch, BLOCK_SIZE);
  memory.copy(OTA_PRESENT, MEMBERS, (Attribute.Checksum + 1) << 3);
  return !overflowed() && lengthAt(Attribute.Title) + lengthAt(Attribute.Version) <= NAMES_MAX;
}

/** The present package is what runs from now on, until the next start. */
// @ts-ignore: decorator
@inline
export function keepNames(): void {
  memory.copy(block + BLOCK_SIZE, block, BLOCK_SIZE);
  setText(Setting.SoftwareTitle, presentText(Attribute.Title) + BLOCK_SIZE, presentLength(Attribute.Title));
  setText(Setting.SoftwareVersion, presentText(Attribute.Version) + BLOCK_SIZE, presentLength(Attribute.Version));
}

/** Writes a text of the server into the block as what `report` takes, as much as fits; what cannot stand in a JSON string as it is becomes a question mark. */
// @ts-ignore: decorator
@inline
export function putPlain(from: usize, length: i32): void {
  length = min(length, BLOCK_SIZE >> 2);
  store<u16>(block, (length + 1) | (-Status.RemoteError << 8));
  for (let index = 0; index < length; index++) {
    const byte: u32 = load<u8>(from + index);
    store<u8>(block + index, byte - 0x20 > 0x5e || byte == 0x22 || byte == 0x5c ? 0x3f : byte, 2);
  }
}
