// Writes whole and decimal numbers as JSON text.
import { at, limit, moveTo, putByte } from "./cursor";

/** Nine digits are the most that 32-bit division can work on. */
const CHUNK: u64 = 1000000000;

/** Writes `value` with at least `width` digits. */
function putDigits(value: u32, width: i32): void {
  let digits = 1;
  for (let rest = value; rest > 9; rest /= 10) digits++;
  if (digits < width) digits = width;
  let to = at + digits;
  moveTo(to);
  if (to > limit) return;
  for (; digits > 0; digits--) {
    store<u8>(--to, 0x30 + (value % 10));
    value /= 10;
  }
}

/** Writes a whole number; the smallest has no positive twin, so the digits are taken unsigned. */
export function putInteger(value: i64): void {
  let rest = <u64>value;
  if (value < 0) {
    putByte(0x2d);
    rest = 0 - rest;
  }
  let width = 0;
  if (rest >= CHUNK) {
    const high = rest / CHUNK;
    rest %= CHUNK;
    if (high >= CHUNK) {
      putDigits(<u32>(high / CHUNK), 0);
      width = 9;
    }
    putDigits(<u32>(high % CHUNK), width);
    width = 9;
  }
  putDigits(<u32>rest, width);
}

/** Writes mantissa * 10^-digits, digits 0 to 18, all of them: 2550 with two digits is 25.50. */
export function putDecimal(mantissa: i64, digits: i32): void {
  const from = at;
  putInteger(mantissa);
  if (!digits) return;
  // 5 with two digits is 0.05: zeros go in front until one digit stands before the point.
  const first = from + <usize>(mantissa < 0);
  const missing = digits + 1 - <i32>(at - first);
  if (missing > 0) {
    if (at + missing <= limit) {
      memory.copy(first + missing, first, at - first);
      memory.fill(first, 0x30, missing);
    }
    moveTo(at + missing);
  }
  const point = at - digits;
  if (at < limit) {
    memory.copy(point + 1, point, digits);
    store<u8>(point, 0x2e);
  }
  moveTo(at + 1);
}
