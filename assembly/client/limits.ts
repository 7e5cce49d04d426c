// Paces what leaves the outbox by the limits of the server: token buckets that fill continuously, as the server's do.
//
// A table with a column of 16 bytes for each limit. Its first row is what was spent in this session, u32 each; in the rows below stand up to
// ENTRIES_MAX buckets, behind which is at least one that is empty:
//
//   0  u32 tokens that it holds, 0 = no further bucket
//   4  u32 seconds in which it fills
//   8  i64 time at which it is full again, in microseconds of the host's clock
import { nowUs } from "../base/time";
import { LIMITS, LIMITS_SIZE } from "../memory";

/** What is limited; a message of telemetry or attributes spends of the last two, everything else of the first. */
export const enum Limit {
  Messages = 0,
  TelemetryMessages = 1,
  DataPoints = 2,
  Count = 3,
  ChildMessages = 3, // what a gateway sends for its children has the same three once more
}

const ENTRIES_MAX: usize = 4;
const COLUMN_SIZE: usize = 16;
const COLUMNS: usize = FEATURE_GATEWAY ? 2 * <usize>Limit.Count : <usize>Limit.Count;
const ROW_SIZE: usize = COLUMNS * COLUMN_SIZE;
/** Larger numbers of a limit are taken for this one: with it the products of 64 bits below never overflow. */
const NUMBER_MAX: u32 = 0xffffff;
/** What a session may have spent when a limit becomes known. */
const SPENT_MAX: u32 = 0xffff;
/** The server counts the event of a CONNECT, and that of the end of the session before it. */
const CONNECT_COST: i32 = 2;
/** What costs nothing. */
export const FREE: i32 = 0xffe;
/** The longest wait that is looked at again only when it is over. */
const WAIT_MS_MAX: i64 = 0x3fffffff;

if ((ENTRIES_MAX + 1) * ROW_SIZE + (COLUMNS - 1) * COLUMN_SIZE + 8 != LIMITS_SIZE) ERROR("LIMITS has another size than its table");

/** The remaining length that the server takes; the largest that MQTT has while it is unknown. */
export let maxRemainingLength: i32 = 0xfffffff;

/** Nobody limits anything, as the server said: then nothing is counted. */
export let isUnlimited: bool = false;

/** All limits of an answer are set: is there any? */
// @ts-ignore: decorator
@inline
export function settleLimits(): void {
  let any = load<u32>(LIMITS, ROW_SIZE) | load<u32>(LIMITS, ROW_SIZE + COLUMN_SIZE) | load<u32>(LIMITS, ROW_SIZE + 2 * COLUMN_SIZE);
  if (FEATURE_GATEWAY) any |= load<u32>(LIMITS, ROW_SIZE + 3 * COLUMN_SIZE) | load<u32>(LIMITS, ROW_SIZE + 4 * COLUMN_SIZE) | load<u32>(LIMITS, ROW_SIZE + 5 * COLUMN_SIZE);
  isUnlimited = !any;
}

// @ts-ignore: decorator
@inline
export function setMaxRemainingLength(length: i32): void {
  maxRemainingLength = length;
}

/**
 * Spends `amount` tokens of a limit, and unless they are zero `second` ones of the limit behind it and `third` ones of that behind those: the milliseconds
 * for which that is too early. Numbers below zero give back what was spent.
 */
function walk(limit: i32, amount: i32, second: i32, third: i32): i32 {
  let wait: i64 = 0;
  while (true) {
    let entry = LIMITS + <usize>limit * COLUMN_SIZE;
    store<u32>(entry, load<u32>(entry) + amount);
    while (load<u32>((entry += ROW_SIZE))) {
      const tokens = <i64>load<u32>(entry);
      const periodUs = <i64>load<u32>(entry, 4) * 1000000;
      const full = max<i64>(load<i64>(entry, 8), nowUs);
      const cost = (<i64>amount * periodUs) / tokens;
      store<i64>(entry, full + cost, 8);
      // What is more than the bucket holds may go when it is full.
      wait = max<i64>(wait, full - nowUs - periodUs + min<i64>(cost, periodUs));
    }
    if (!second) return <i32>min<i64>((wait + 999) / 1000, WAIT_MS_MAX);
    limit = FEATURE_GATEWAY ? limit + 1 : <i32>Limit.DataPoints;
    amount = second;
    second = third;
    third = 0;
  }
}

/** Spends tokens of a limit, whether it has them or not. */
// @ts-ignore: decorator
@inline
export function spend(limit: i32, amount: i32): void {
  walk(limit, amount, 0, 0);
}

/** Spends the same as `walk` where it is not too early: 0, or the milliseconds for which it is. */
export function spendInTime(limit: i32, amount: i32, second: i32, third: i32): i32 {
  const waitMs = walk(limit, amount, second, third);
  if (waitMs) walk(limit, -amount, -second, -third);
  return waitMs;
}

/** A session begins: what it spends counts against limits that become known in it. */
// @ts-ignore: decorator
@inline
export function beginSession(): void {
  memory.fill(LIMITS, 0, ROW_SIZE);
  spend(Limit.Messages, CONNECT_COST);
}

/** Spends what a packet with so many data points costs: 0, or the milliseconds for which it has to wait. */
// @ts-ignore: decorator
@inline
export function admit(points: i32): i32 {
  if (points == FREE) return 0;
  const limit: i32 = points ? Limit.TelemetryMessages : Limit.Messages;
  return spendInTime(limit, 1, points, 0);
}

/**
 * Sets a limit from its text, such as "20:1,600:60": tokens and seconds of each bucket. False when it is not of that form: then only
 * the buckets in front of the fault are set.
 */
export function setLimit(limit: i32, text: usize, length: i32): bool {
  let entry = LIMITS + <usize>limit * COLUMN_SIZE;
  const spent = <i64>min<u32>(load<u32>(entry), SPENT_MAX);
  const end = text + length;
  // Before the colon of an item there are no tokens.
  let tokens: i32 = -1;
  let number: u32 = 0;
  do {
    const byte: u32 = text < end ? load<u8>(text) : 0x2c;
    if (byte - 0x30 < 10) {
      number = min<u32>(number * 10 + byte - 0x30, NUMBER_MAX);
      continue;
    }
    if (byte == 0x3a && tokens < 0) {
      tokens = number;
    } else {
      // Behind an item is a comma, a semicolon or the end; an item may be missing, and a zero is no limit.
      if ((byte != 0x2c && byte != 0x3b) || (tokens < 0 && number)) return false;
      if (tokens > 0 && number) {
        if (entry >= LIMITS + ENTRIES_MAX * ROW_SIZE) return false; // in the last row
        entry += ROW_SIZE;
        // A margin, because the clocks and the ways of counting differ; but what allows one message goes on allowing it.
        tokens = (tokens << 2) / 5;
        tokens += <i32>!tokens;
        const bucket = ((<u64>number) << 32) | tokens;
        if (load<u64>(entry) != bucket) {
          store<u64>(entry, bucket);
          store<i64>(entry, nowUs + (spent * number * 1000000) / tokens, 8);
        }
      }
      tokens = -1;
    }
    number = 0;
  } while (text++ < end);
  store<u32>(entry, 0, ROW_SIZE);
  return true;
}
