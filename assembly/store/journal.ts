// Keeps one record durably, in two or more erase units of the store by turns: ABI.md, section 11.
//
// A unit is written whole: a power cut leaves it without its checksum, and the unit before it is still there.
import { Status, StoreArea, StoreInfo } from "../abi";
import { crc32 } from "../base/crc32";
import { store_erase, store_info, store_program, store_read, store_sync } from "../host";

/** What `step` answers before it is done: the port is busy, or there is more to do. */
export const BUSY: i32 = 1;
export const MORE: i32 = 2;

/** The header of a unit, and of the record behind it. */
const enum Unit {
  Checksum = 0, // u32 CRC-32 of all that follows
  Magic = 4, // u32
  Version = 8, // u16
  Length = 10, // u16 bytes of the records
  Sequence = 12, // u32 the highest is the newest
  Records = 16, // u8 type, then a zero
  RecordLength = 18, // u16 bytes of the payload
  Payload = 20,
}

/** Where the payload of the record lies in the buffer. */
export const PAYLOAD: usize = 20;

/** "MOTE" and the version behind it. */
const FORMAT: u64 = 0x1_4554_4f4d;
const ERASED: u32 = 0xffff_ffff;
const CREDENTIALS: u32 = 1;

const enum Stage {
  Read = 0, // one unit after the other
  ReadAgain = 1, // until the newest is in the buffer
  Erase = 2,
  Program = 3,
  Sync = 4,
}

/** Bytes of a unit that are read or written: as many as the buffer takes. */
let capacity: i32 = 0;
let unit: i32 = 0;
/** Where the last one begins. */
let last: i32 = 0;
let grain: i32 = 0;
/** A Stage or, below zero, why there is no journal: then every step answers this. */
let stage: i32 = Stage.Read;
/** The unit at hand, and how much of it is done. */
let offset: i32 = 0;
let done: i32 = 0;
/** What the search ends with when no unit is whole: NotFound, or Malformed when one holds something else. */
let outcome: i32 = 0;
/** The number of the newest unit: every one that was written is above zero. */
let sequence: u32 = 0;

/** Bytes of the payload that was read to the buffer. */
// @ts-ignore: decorator
@inline
export function payloadLength(buffer: usize): i32 {
  return load<u16>(buffer, Unit.RecordLength);
}

/** Begins to look for the newest record, for a buffer of so many bytes. */
// @ts-ignore: decorator
@inline
export function beginRead(bytes: i32): void {
  const size = store_info(StoreArea.Journal, StoreInfo.Size);
  unit = store_info(StoreArea.Journal, StoreInfo.EraseSize);
  grain = store_info(StoreArea.Journal, StoreInfo.ProgramSize);
  last = size - unit;
  stage = !size ? <i32>Status.NotFound : grain < 1 || unit < <i32>Unit.Payload || last < unit ? <i32>Status.StoreFailed : <i32>Stage.Read;
  capacity = min(bytes, unit);
  offset = done = 0;
  outcome = Status.NotFound;
  sequence = 0;
}

/** Begins to write the payload of so many bytes that stands at `PAYLOAD` in the buffer, none = no record. Only after what `beginRead` began is done, or found nothing. */
// @ts-ignore: decorator
@inline
export function beginWrite(buffer: usize, length: i32): void {
  if (stage < 0) return;
  const end = length ? Unit.Payload + length : <i32>Unit.Records;
  capacity -= capacity % grain;
  if (end > capacity) {
    stage = Status.TooLarge;
    return;
  }
  store<u64>(buffer, FORMAT, Unit.Magic);
  store<u16>(buffer, end - Unit.Records, Unit.Length);
  store<u32>(buffer, ++sequence, Unit.Sequence);
  store<u32>(buffer, recordHead(length), Unit.Records); // without a record written over below
  store<u32>(buffer, checksum(buffer, end - Unit.Records), Unit.Checksum);
  memory.fill(buffer + end, <u8>ERASED, capacity - end);
  // Behind the unit that was read or written last, or the first where nothing was found.
  offset += unit;
  if (offset > last) offset = 0;
  done = 0;
  stage = Stage.Erase;
}

/** What a record begins with, which is the only one of its unit. */
// @ts-ignore: decorator
@inline
function recordHead(length: i32): u32 {
  return CREDENTIALS | (length << 16);
}

/** The checksum of a unit whose records have so many bytes. */
// @ts-ignore: decorator
@inline
function checksum(buffer: usize, length: i32): u32 {
  return crc32(buffer + Unit.Magic, length + (Unit.Records - Unit.Magic));
}

/** A unit was read: MORE when another one has to be, else what the search ends with. */
// @ts-ignore: decorator
@inline
function examine(buffer: usize): i32 {
  const length: i32 = load<u16>(buffer, Unit.Length);
  const number = load<u32>(buffer, Unit.Sequence);
  const isWhole =
    (load<u64>(buffer, Unit.Magic) << 16 == FORMAT << 16) & (length <= capacity - Unit.Records) &&
    checksum(buffer, length) == load<u32>(buffer);
  if (isWhole) {
    if (number == sequence) return load<u32>(buffer, Unit.Records) == recordHead(length - (Unit.Payload - Unit.Records)) ? <i32>Status.Ok : <i32>Status.NotFound;
    if (number > sequence) sequence = number;
  } else if (load<u32>(buffer, Unit.Magic) != ERASED) {
    outcome = Status.Malformed;
  }
  offset += unit;
  if (offset <= last) return MORE;
  if (!sequence) return outcome;
  // Read until the newest comes again, which must not take another round.
  if (stage == Stage.ReadAgain) return Status.Malformed;
  stage = Stage.ReadAgain;
  offset = 0;
  return MORE;
}

/** One operation of the port, to the buffer or from it: BUSY, MORE, Ok when it is done, or the Status of what is wrong; NotFound when there is no record or no area. */
export function step(buffer: usize): i32 {
  const now = stage;
  if (now < 0) return now;
  const before = done;
  const at = offset + before;
  const from = buffer + before;
  const left = capacity - before;
  let moved: i32;
  if (now == Stage.Erase) moved = store_erase(StoreArea.Journal, at);
  else if (now == Stage.Program) moved = store_program(StoreArea.Journal, at, from, left);
  else if (now == Stage.Sync) moved = store_sync(StoreArea.Journal);
  else moved = store_read(StoreArea.Journal, at, from, left);
  if (!moved) return BUSY;
  if (moved < 0) {
    // What could not be read must not be written over.
    if (now < Stage.Erase) stage = moved;
    return moved;
  }
  if (now == Stage.Sync) return Status.Ok;
  done = before + moved;
  // A unit that was erased is more than what will be written.
  if (moved < left) return MORE;
  done = 0;
  if (now < Stage.Erase) return examine(buffer);
  stage = now + 1; // Erase, Program, Sync
  return MORE;
}
