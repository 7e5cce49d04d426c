// Writes whole and decimal numbers as JSON text.
import { DIGITS_END } from "../memory";
import { putBytes } from "./cursor";

/** Writes value * 10^-digits with all its digits, 0 to 18 behind the point: 2550 with two is 25.50. */
export function putDecimal(value: i64, digits: i32): void {
  // From the last digit to the first. The smallest number has no positive twin, so the digits are taken unsigned.
  let rest = <u64>(value < 0 ? 0 - value : value);
  let to = DIGITS_END;
  // At least one digit stands before the point: 5 with two digits is 0.05.
  do {
    store<u8>(--to, <u32>(rest % 10) + 0x30);
    rest /= 10;
    if (!--digits) store<u8>(--to, 0x2e);
  } while (rest || digits >= 0);
  if (value < 0) store<u8>(--to, 0x2d);
  putBytes(to, <i32>(DIGITS_END - to));
}
