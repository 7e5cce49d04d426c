// Every region of memory that the module writes: the fixed ones in address order, then what `carve` hands out.
//
// Scalars are globals in the file that owns them: reading one is 2 bytes of code against 5 from a record in memory, which
// is a quarter of the smallest profile, and a quarter of its RAM under wasm3.
import { ErrorField, EventField, JsonField, LANE_CAPACITY, Stat } from "./abi";

/** Deadlines, u32 each: see base/time.ts. */
export const TIMERS: usize = memory.data(32, 8);
/** The value record of `json_find`. */
export const JSON_VALUE: usize = memory.data(24, 8);
/** The event record. */
export const EVENT: usize = memory.data(60, 4);
/** The error record. */
export const ERROR_RECORD: usize = memory.data(12, 4);
/** The counters. */
export const STATS: usize = memory.data(92, 4);
/** Acknowledgements, PINGREQ and DISCONNECT on their way out. */
export const LANE: usize = memory.data(64, 4);
/** The configuration: two u32 for each key, see client/settings.ts. */
export const SETTINGS: usize = memory.data(256, 4);

if (<i32>JsonField.End != 24) ERROR("JSON_VALUE has another size than its record");
if (<i32>EventField.End != 60) ERROR("EVENT has another size than its record");
if (<i32>ErrorField.End != 12) ERROR("ERROR_RECORD has another size than its record");
if (<i32>Stat.End != 92) ERROR("STATS has another size than its record");
if (LANE_CAPACITY != 64) ERROR("LANE has another size than its capacity");

/** First free byte of the block that buffers are carved from. */
let next: usize = 0;

/** Begins carving a block. Only a profile passes `__heap_base`; unit tests pass memory of their own. */
export function carveFrom(from: usize): void {
  next = (from + 7) & ~7;
}

/** Takes `size` bytes, a multiple of eight of them; the caller checks `carved()` against the end of the block. */
export function carve(size: usize): usize {
  const taken = next;
  next += (size + 7) & ~7;
  return taken;
}

/** The end of what has been carved. */
export function carved(): usize {
  return next;
}

/** Adds to a counter. */
// @ts-ignore: decorator
@inline
export function count(stat: i32, amount: u32 = 1): void {
  store<u32>(STATS + stat, load<u32>(STATS + stat) + amount);
}

/** Fills the error record and returns the status, so that a fault is named where it is found. */
export function fail(status: i32, value: i32, text: usize = 0, length: i32 = 0): i32 {
  store<u32>(ERROR_RECORD, text, ErrorField.Text);
  store<u32>(ERROR_RECORD, length, ErrorField.TextLength);
  store<i32>(ERROR_RECORD, value, ErrorField.Value);
  return status;
}
