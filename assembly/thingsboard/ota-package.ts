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
import { from, length, next, open, skip, Token } from "../json/scan";
import { putUnescapedTo } from "../json/unescape";
import { carve, OTA_SPANS } from "../memory";
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
/** Behind the spans of what arrived, 8 bytes each. */
const PRESENT: i32 = 48;

export let scratch: usize = 0;
/** Image name, with line feeds at its places. */
export let block: usize = 0;
/** Bytes of the name in it. */
export let blockLength: i32 = 0;

export function carvePackage(hasSoftware: bool): void {
  scratch = carve(2 * BLOCK_SIZE + (<usize>hasSoftware << 8));
  block = scratch + BLOCK_SIZE;
}

export function text(attribute: i32): usize {
  return load<u32>(OTA_SPANS + (attribute << 3));
}

export function lengthOf(attribute: i32): i32 {
  return load<i32>(OTA_SPANS + (attribute << 3), 4);
}

/** The span of the same of the present package. */
// @ts-ignore: decorator
@inline
export function presentSpan(attribute: i32): usize {
  return OTA_SPANS + PRESENT + (attribute << 3);
}

// @ts-ignore: decorator
@inline
export function presentText(attribute: i32): usize {
  return load<u32>(OTA_SPANS + (attribute << 3), PRESENT);
}

// @ts-ignore: decorator
@inline
export function presentLength(attribute: i32): i32 {
  return load<i32>(OTA_SPANS + (attribute << 3), PRESENT + 4);
}

/** The OtaAlgorithm of the package; the first number behind those when it is unknown. */
// @ts-ignore: decorator
@inline
export function algorithm(): i32 {
  return placeOf(OTA_ALGORITHMS, 7, text(Attribute.Algorithm), lengthOf(Attribute.Algorithm));
}

/** Finds the attributes in the answer to a request that asked for those of one kind alone: Ok, or the Status of its fault. */
// @ts-ignore: decorator
@inline
export function readAttributes(document: usize, documentLength: i32): i32 {
  memory.fill(OTA_SPANS, 0, PRESENT);
  open(document, documentLength);
  let token: i32;
  do {
    token = next();
    if (token == Token.Key) {
      // Behind fw or sw; members of other objects have no such names, and nothing is shorter than nothing.
      const attribute = placeOf(OTA_ATTRIBUTES, Attribute.Count, from + 2, length - 2);
      if (attribute < Attribute.Count) {
        token = skip();
        if (<u32>(token - Token.Text) <= <u32>(Token.Number - Token.Text)) {
          const span = OTA_SPANS + (attribute << 3);
          store<u32>(span, from);
          store<u32>(span, length, 4);
        }
      }
    }
  } while (token > 0);
  return token;
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
    if (ownLength != putUnescapedTo(text(name), lengthOf(name), other, BLOCK_SIZE >> 1)) return false;
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
  for (let span = OTA_SPANS; span <= OTA_SPANS + (Attribute.Checksum << 3); span += 8) {
    if (span == OTA_SPANS + (Attribute.Size << 3)) continue;
    const begin = load<u32>(span);
    const length = load<i32>(span, 4);
    store<u32>(span, at + BLOCK_SIZE);
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
  memory.copy(OTA_SPANS + PRESENT, OTA_SPANS, (Attribute.Checksum + 1) << 3);
  return !overflowed() && lengthOf(Attribute.Title) + lengthOf(Attribute.Version) <= NAMES_MAX;
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
