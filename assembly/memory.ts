// Every region of memory that the module writes: the fixed ones in address order, then what `carve` hands out.
//
// Scalars are globals in the file that owns them: reading one is 2 bytes of code against 5 from a record in memory, which
// is a fifth of the smallest profile, and a fifth of its RAM under wasm3. What is used most stands first, because low addresses are shorter, too.
import { ErrorField, EventField, JsonField, LANE_CAPACITY, RecordsField, Stat } from "./abi";

/** The event record. */
export const EVENT: usize = memory.data(60, 4);
/** The error record. */
export const ERROR_RECORD: usize = memory.data(12, 4);
/** Deadlines, u32 each: see base/time.ts. */
export const TIMERS: usize = memory.data(40, 4);
/** The counters. */
export const STATS: usize = memory.data(104, 4);
/** The value record of `json_find`. */
export const JSON_VALUE: usize = memory.data(8, 4);
/** Acknowledgements and PINGREQ on their way out. */
export const LANE: usize = memory.data(64, 4);
/** Spans of the texts of the configuration, and of its object `provision`: see client/settings.ts. */
export const TEXTS: usize = memory.data(120, 4);
/** What the server allows and what of it was spent: see client/limits.ts. A gateway has as much again for its children. */
export const LIMITS_SIZE: i32 = FEATURE_GATEWAY ? 568 : 280;
export const LIMITS: usize = memory.data(LIMITS_SIZE, 8);
/** The last server-side RPCs: see thingsboard/repeats.ts. */
export const RECENT_RPCS: usize = memory.data(64, 4);
/** Behind the room where a number is written from its last digit to its first: sign, point and 20 digits. */
export const DIGITS_END: usize = memory.data(24, 1) + 24;
/** Spans of the members that were read last: see json/members.ts. */
export const MEMBERS: usize = memory.data(64, 4);
export const MEMBERS_SIZE: i32 = 64;
/** Spans of the texts of the present package: see thingsboard/ota-package.ts. */
export const OTA_PRESENT: usize = memory.data(32, 4);
/** For each OtaKind: the attribute request without an answer, and the package that was dealt with: see thingsboard/ota.ts. */
export const OTA_KINDS: usize = memory.data(16, 4);
/** A bit for each child of a gateway that the server knows: see client/known.ts. */
export const KNOWN_CHILDREN_SIZE: i32 = 512;
// @ts-ignore: decorator
@lazy
export const KNOWN_CHILDREN: usize = memory.data(KNOWN_CHILDREN_SIZE, 8);
/** The table that `records()` points to: `RecordsField`, of which configure fills in the staging area. */
export const RECORDS: usize = memory.data<usize>([EVENT, ERROR_RECORD, STATS, JSON_VALUE, 0, 0]);

if (<i32>JsonField.End != 8) ERROR("JSON_VALUE has another size than its record");
if (<i32>EventField.End != 60) ERROR("EVENT has another size than its record");
if (<i32>ErrorField.End != 12) ERROR("ERROR_RECORD has another size than its record");
if (<i32>Stat.End != 104) ERROR("STATS has another size than its record");
if (<i32>RecordsField.End != 24) ERROR("RECORDS has another size than its record");
if (LANE_CAPACITY != 64) ERROR("LANE has another size than its capacity");

/** First free byte of the block that buffers are carved from. */
export let carved: usize = 0;

/** Begins carving a block. Only a profile passes `__heap_base`; unit tests pass memory of their own. */
// @ts-ignore: decorator
@inline
export function carveFrom(from: usize): void {
  carved = (from + 7) & ~7; // constants where it is called
}

/** Takes `size` bytes and what is missing to a multiple of eight; the caller compares `carved` with the end of the block. */
export function carve(size: usize): usize {
  const taken = carved;
  carved = (taken + size + 7) & ~7;
  return taken;
}

/** Adds to a counter. */
// @ts-ignore: decorator
@inline
export function countBy(stat: i32, amount: u32): void {
  const counter = STATS + stat;
  store<u32>(counter, load<u32>(counter) + amount);
}

/** Counts one. */
export function count(stat: i32): void {
  const counter = STATS + stat;
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Writes two numbers that stand side by side, as the address and the length of a span do in all records. */
export function storePair(place: usize, first: usize, second: i32): void {
  store<usize>(place, first);
  store<i32>(place, second, 4);
}

/** Fills the error record and returns the status, so that a fault is named where it is found. */
export function fail(status: i32, value: i32, text: usize, length: i32): i32 {
  storePair(ERROR_RECORD + ErrorField.Text, text, length);
  store<i32>(ERROR_RECORD, value, ErrorField.Value);
  return status;
}
