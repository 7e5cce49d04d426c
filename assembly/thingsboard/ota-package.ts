// Holds the package that the server assigned: its attributes where they arrived, and the texts of the present one in a block.
//
//   block    title, version and checksum of the present package, each with a line feed behind it: what names its image
//   kept     title and version of the software that was installed since the start (only where software is configured)
//   scratch  what is being written or compared
//
// All texts are JSON texts without their quotes, so no line feed can stand in one.
import { at, open as openCursor, overflowed, putByte, putBytes } from "../base/cursor";
import { equals, placeOf } from "../base/text";
import { setSetting, setting, Setting, textLength } from "../client/settings";
import { from, length, next, open, skip, Token } from "../json/scan";
import { putUnescapedTo } from "../json/unescape";
import { carve, OTA_SPANS, TEXT_LENGTHS } from "../memory";
import { OTA_ALGORITHMS, OTA_ATTRIBUTES } from "./topics";

/** Bytes of each part of the block: two longest texts unescaped, or the longest message. */
export const BLOCK_SIZE: i32 = 256;
/** Bytes that title and version may have together, so that the message that reports them fits the scratch. */
export const NAMES_MAX: i32 = 190;

/** The attributes of a package; the first three have a second span, of the present package. */
export const enum Attribute {
  Title = 0,
  Version = 1,
  Checksum = 2,
  Size = 3,
  Algorithm = 4,
  Url = 5,
  Count = 6,
}
/** Behind the spans of what arrived, 8 bytes each. */
const PRESENT: i32 = 48;

/** Image name, with line feeds at its places. */
export let block: usize = 0;
/** Bytes of the name in it. */
export let blockLength: i32 = 0;
export let scratch: usize = 0;
let kept: usize = 0;

export function carvePackage(hasSoftware: bool): void {
  block = carve(BLOCK_SIZE);
  scratch = carve(BLOCK_SIZE);
  if (hasSoftware) kept = carve(BLOCK_SIZE);
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
export function readAttributes(document: usize, documentLength: i32): i32 {
  memory.fill(OTA_SPANS, 0, PRESENT);
  open(document, documentLength);
  let token: i32;
  do {
    token = next();
    if (token == Token.Key && length > 3) {
      // Behind fw_ or sw_; members of other objects have no such names.
      const attribute = placeOf(OTA_ATTRIBUTES, Attribute.Count, from + 3, length - 3);
      if (attribute < Attribute.Count) {
        token = skip();
        if (token == Token.Text || token == Token.Number) {
          const span = OTA_SPANS + (attribute << 3);
          store<u32>(span, from);
          store<u32>(span, length, 4);
        }
      }
    }
  } while (token > 0);
  return token;
}

/** Which kinds an update is about, one bit for each OtaKind: those whose attributes it has or deletes. */
export function kindsOf(document: usize, documentLength: i32): i32 {
  let kinds = 0;
  open(document, documentLength);
  let token = next();
  for (; token > 0; token = next()) {
    // Names are keys, or the elements of `deleted`; a value that looks like one only costs a request.
    if ((token == Token.Key || token == Token.Text) && length > 3 && load<u16>(from, 1) == 0x5f77 /* w_ */) {
      const letter: u32 = load<u8>(from);
      if (letter == 0x66) kinds |= 1;
      if (letter == 0x73) kinds |= 2;
    }
  }
  return kinds;
}

/** True when the assigned package is what runs; texts that are written in different ways may be the same. */
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

/** A number for title, version and checksum of the assigned package; 2 or more. */
export function fingerprint(): u32 {
  let hash: u32 = 0;
  for (let attribute = 0; attribute <= Attribute.Checksum; attribute++) {
    const end = text(attribute) + lengthOf(attribute);
    for (let byte = text(attribute); byte < end; byte++) hash = (hash ^ load<u8>(byte)) * 0x1000193;
    hash = (hash ^ 0x0a) * 0x1000193;
  }
  return hash | 2;
}

/** Makes the assigned package the present one; false when its texts are too long. */
export function adopt(): bool {
  openCursor(block, block + BLOCK_SIZE);
  for (let attribute = 0; attribute <= Attribute.Checksum; attribute++) {
    const span = OTA_SPANS + (attribute << 3);
    store<u32>(span, at, PRESENT);
    store<u32>(span, lengthOf(attribute), PRESENT + 4);
    putBytes(text(attribute), lengthOf(attribute));
    putByte(0x0a);
  }
  blockLength = <i32>(at - block);
  return !overflowed() && lengthOf(Attribute.Title) + lengthOf(Attribute.Version) <= NAMES_MAX;
}

/** The present package is what runs from now on, until the next start. */
// @ts-ignore: decorator
@inline
export function keepNames(): void {
  memory.copy(kept, block, BLOCK_SIZE);
  for (let name = 0; name <= Attribute.Version; name++) {
    const key = Setting.SoftwareTitle + name;
    setSetting(key, <i32>(kept + (presentText(name) - block)));
    store<i32>(TEXT_LENGTHS + (key << 2), presentLength(name));
  }
}

/** Writes a text of the server into the block, as much as fits; what cannot stand in a JSON string as it is becomes a question mark. */
export function putPlain(from: usize, length: i32): void {
  blockLength = min(length, BLOCK_SIZE >> 2);
  for (let index = 0; index < blockLength; index++) {
    const byte: u32 = load<u8>(from + index);
    store<u8>(block + index, byte - 0x20 > 0x5e || byte == 0x22 || byte == 0x5c ? 0x3f : byte);
  }
}
