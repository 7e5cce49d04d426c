// Writes whole and decimal numbers as JSON text.
import { at, limit, moveTo, putByte } from "./cursor";

/** Writes value * 10^-digits with all its digits, 0 to 18 behind the point: 2550 with two is 25.50. */
export function putDecimal(value: i64, digits: i32): void {
  // The smallest number has no positive twin, so the digits are taken unsigned.
  let rest = <u64>value;
  if (value < 0) {
    putByte(0x2d);
    rest = 0 - rest;
  }
  let count = 1;
  for (let higher = rest / 10; higher; higher /= 10) count++;
  // At least one digit stands before the point: 5 with two digits is 0.05.
  count = max(count, digits + 1);
  let to = at + count + <i32>(digits > 0);
  moveTo(to);
  if (to > limit) return;
  for (; count; count--) {
    const higher = rest / 10;
    store<u8>(--to, <u32>(rest - higher * 10) + 0x30);
    rest = higher;
    if (!--digits) store<u8>(--to, 0x2e);
  }
}
