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

/** The decimal number that a text begins with, times 10^digits; what stands behind its last digit is left out, and 0 answers no number. */
export function scaled(text: Text, digits: i32): i64 {
  let at = addressOf(text);
  const end = at + lengthOf(text);
  const isNegative = at < end && load<u8>(at) == 0x2d;
  if (isNegative) at++;
  let value: i64 = 0;
  let left = -1; // digits behind the point that are still taken; below zero in front of it
  for (; at < end && left; at++) {
    const letter = <u32>load<u8>(at);
    if (letter == 0x2e && left < 0 && digits) {
      left = digits;
      continue;
    }
    if (letter - 0x30 > 9) break;
    value = value * 10 + (letter - 0x30);
    if (left > 0) left--;
  }
  for (left = left < 0 ? digits : left; left; left--) value *= 10;
  return isNegative ? -value : value;
}
