// Text as one number: its address, and above the lower 16 bits its length in bytes. No text of an app is longer than 65,535 bytes.

export type Text = usize;

/** A literal as static UTF-8 bytes, replaced by `mote build`; AssemblyScript's own strings are UTF-16 objects. */
export declare function text(literal: string): Text;

/** The text of `length` bytes at an address. */
// @ts-ignore: decorator
@inline
export function textAt(address: usize, length: i32): Text {
  return address | (<usize>length << 16);
}

// @ts-ignore: decorator
@inline
export function addressOf(text: Text): usize {
  return text & 0xffff;
}

// @ts-ignore: decorator
@inline
export function lengthOf(text: Text): i32 {
  return <i32>(text >>> 16);
}

/** True when both texts have the same bytes. */
export function equals(a: Text, b: Text): bool {
  let left = lengthOf(a);
  if (left != lengthOf(b)) return false;
  const difference = addressOf(b) - addressOf(a);
  for (let at = addressOf(a); left; left--) {
    if (load<u8>(at) != load<u8>(at + difference)) return false;
    at++;
  }
  return true;
}

/**
 * The decimal number that a text begins with, its exponent included, times 10^digits; what stands behind its last digit is left out.
 * `otherwise` when it begins with none, or when 64 bits do not hold it.
 */
export function scaled(text: Text, digits: i32, otherwise: i64 = 0): i64 {
  let at = addressOf(text);
  const end = at + lengthOf(text);
  const isNegative = at < end && load<u8>(at) == 0x2d;
  if (isNegative) at++;
  // How many of its digits count, once the exponent has moved the point.
  let count = digits;
  let behind = at;
  let isWhole = true;
  for (; behind < end; behind++) {
    const letter = <u32>load<u8>(behind);
    if (letter == 0x2e) isWhole = false;
    else if (letter - 0x30 > 9) break;
    else if (isWhole) count++;
  }
  if (behind == at) return otherwise;
  if (behind < end && (load<u8>(behind) | 0x20) == 0x65) count += exponent(behind + 1, end);
  // Below zero, where there is one number more.
  let value: i64 = 0;
  for (; count > 0 && (at < behind || value); at++) {
    const letter: i32 = at < behind ? load<u8>(at) : 0x30;
    if (letter == 0x2e) continue;
    const digit = letter - 0x30;
    if (value < (i64.MIN_VALUE + digit) / 10) return otherwise;
    value = value * 10 - digit;
    count--;
  }
  if (!isNegative && value == i64.MIN_VALUE) return otherwise;
  return isNegative ? value : -value;
}

/** The number behind the letter e; no text of an app has so many digits that a larger one counts. */
function exponent(at: usize, end: usize): i32 {
  const isNegative = at < end && load<u8>(at) == 0x2d;
  if (isNegative || (at < end && load<u8>(at) == 0x2b)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) break;
    value = min(value * 10 + <i32>digit, 100000);
  }
  return isNegative ? -value : value;
}
