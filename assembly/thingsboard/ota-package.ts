// Holds the package that the server assigned: its attributes where they arrived, and the texts of the present one in a block.
//
//   scratch  what is being written or digested
//   block    title, version and checksum of the present package, each with a line feed behind it: what names its image
//   kept     a block of which title and version are those of the software that was installed since the start (only where software is configured)
//
// All texts are JSON texts without their quotes, so no line feed can stand in one.
import { Status } from "../abi";
import { at, open as openCursor, overflowed, putByte, putSpan } from "../base/cursor";
import { crc32 } from "../base/crc32";
import { copyPlain, placeOf } from "../base/text";
import { Setting, textSpan } from "../client/settings";
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
  Checksum = 2,
  Size = 3,
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
  do {
    const letters = load<u32>(document++);
    kinds |= <i32>(letters == 0x5f776622 /* "fw_ */) | (<i32>(letters == 0x5f777322 /* "sw_ */) << 1);
  } while (--documentLength > 0);
  return kinds;
}

/** Continues a digest with what a JSON text stands for, which may be written in different ways. A text that does not fit counts as an empty one. */
function digest(before: u32, text: usize): u32 {
  return before * 3 + crc32(scratch, putUnescapedTo(load<u32>(text), load<i32>(text, 4), scratch, BLOCK_SIZE));
}

/** A number for the package that is assigned to a kind, 2 or more; 0 when none is, or the one that runs. */
// @ts-ignore: decorator
@inline
export function fingerprint(kind: i32): u32 {
  let running: u32 = 0;
  let assigned: u32 = 0;
  let name = 0;
  do {
    if (!lengthAt(name)) return 0;
    running = digest(running, textSpan(Setting.FirmwareTitle + (kind << 1) + name));
    assigned = digest(assigned, span(name));
  } while (++name <= Attribute.Version);
  return assigned == running ? 0 : digest(assigned, span(Attribute.Checksum)) | 2;
}

/** Makes the assigned package the present one; false when its texts are too long. */
// @ts-ignore: decorator
@inline
export function adopt(): bool {
  openCursor(block, block + BLOCK_SIZE);
  memory.copy(OTA_PRESENT, MEMBERS, (Attribute.Checksum + 1) << 3);
  let each = presentSpan(Attribute.Title);
  do {
    const to = at;
    putSpan(each);
    store<usize>(each, to);
    putByte(0x0a);
  } while ((each += 8) <= presentSpan(Attribute.Checksum));
  blockLength = <i32>(at - block);
  return !overflowed() & (<i32>(presentText(Attribute.Checksum) - block) <= NAMES_MAX + 2);
}

/** The present package is what runs from now on, until the next start. */
// @ts-ignore: decorator
@inline
export function keepNames(): void {
  memory.copy(textSpan(Setting.SoftwareTitle), presentSpan(Attribute.Title), 16); // and the version
  // Their block stays theirs, and the next package gets the other one of the two behind the scratch.
  block = 2 * scratch + 3 * BLOCK_SIZE - block;
}

/** Writes a text of the server into the block as what `report` takes: as much as fits and can stand in a JSON string as it is. */
// @ts-ignore: decorator
@inline
export function putPlain(from: usize, length: i32): void {
  const most = min(length, BLOCK_SIZE >> 2);
  const plainLength = min(<i32>(copyPlain(from, from + most, block + 2) - from), most);
  store<u16>(block, (plainLength + 1) | (-Status.RemoteError << 8));
}
