// Turns the text of a JSON number into a 64-bit mantissa with a decimal exponent.
import { JsonType } from "../abi";

export let mantissa: i64 = 0;
/** The number is mantissa * 10^exponent. */
export let exponent: i32 = 0;

/** Beyond this one more digit could overflow. */
const LAST_SAFE: u64 = 922337203685477579;
/** An exponent beyond this fits no number that a device can mean. */
const EXPONENT_MAX: i32 = 9999;

/** Reads a number that `scan` has passed: Integer, Decimal, or Number when its digits do not fit 64 bits. */
export function readNumber(text: usize, length: i32): i32 {
  const end = text + length;
  const negative = load<u8>(text) == 0x2d;
  if (negative) text++;
  let digits: u64 = 0;
  let written = 0;
  let point = false;
  exponent = 0;
  for (; text < end; text++) {
    const byte: u32 = load<u8>(text);
    if (byte == 0x2e) {
      point = true;
    } else if (byte - 0x30 < 10) {
      if (digits > LAST_SAFE) return JsonType.Number;
      digits = digits * 10 + (byte - 0x30);
      if (digits > <u64>i64.MAX_VALUE + <u64>negative) return JsonType.Number;
      if (point) exponent--;
    } else {
      // The exponent: a sign and digits are all that the grammar leaves.
      text++;
      let sign = 1;
      if (load<u8>(text) == 0x2d) sign = -1;
      if (load<u8>(text) < 0x30) text++;
      for (; text < end; text++) {
        written = written * 10 + (<i32>load<u8>(text) - 0x30);
        if (written > EXPONENT_MAX) return JsonType.Number;
      }
      exponent += sign * written;
    }
  }
  // 1.50 and 2e3 are exact decimals; only a form without fraction and exponent, or one that folds away, is an integer.
  while (exponent > 0 && digits <= LAST_SAFE) {
    if (digits * 10 > <u64>i64.MAX_VALUE) break;
    digits *= 10;
    exponent--;
  }
  while (exponent < 0 && digits % 10 == 0) {
    digits /= 10;
    exponent++;
    if (!digits) exponent = 0;
  }
  mantissa = negative ? 0 - <i64>digits : <i64>digits;
  return exponent ? <i32>JsonType.Decimal : <i32>JsonType.Integer;
}
