// Compares and reads text without decoding it.

/** A literal as static bytes: one length byte, then UTF-8. Replaced at compile time by literals.mjs. */
export declare function utf8(text: string): usize;

/** A literal without the length byte. */
export declare function bytes(text: string): usize;

/** The words of a text, as three bytes each: see `placeOf`. */
export declare function hashes(words: string): usize;

/** Must be that of literals.mjs. */
const HASH_FACTOR: u32 = 0x1000193;

const ONES: u64 = 0x0101010101010101;

/** The highest bit of the first of eight bytes that cannot stand in a JSON string as it is, and of some behind it; 20 to 7F without the quote and the backslash can. */
// @ts-ignore: decorator
@inline
export function marksOf(eight: u64): u64 {
  // A byte below the subtrahend borrows into its own highest bit; a byte above 7F has it from the start. What is borrowed from the bytes behind does
  // not matter: the lowest bit is right. With bit 1 turned the quote is below 21, as are those below 20, and no other.
  return (eight | ((eight ^ (ONES * 0x02)) - ONES * 0x21) | ((eight ^ (ONES * 0x5c)) - ONES)) & (ONES * 0x80);
}

/**
 * The first byte from `at` on that cannot stand in a JSON string as it is, or some place from `last` on. What is in front of it was copied; up to seven
 * bytes behind it, or behind `last`, are looked at and copied, too.
 */
export function copyPlain(at: usize, last: usize, to: usize): usize {
  while (at < last) {
    const eight = load<u64>(at);
    store<u64>(to, eight);
    const marks = marksOf(eight);
    if (marks) return at + (<usize>ctz(marks) >> 3);
    at += 8;
    to += 8;
  }
  return at;
}

/** True when the `length` bytes at `a` and at `b` are the same. It may look at the seven bytes in front of them, which always are in memory. */
export function equals(a: usize, b: usize, length: i32): bool {
  if (!FEATURE_FAST) {
    while (length && load<u8>(a) == load<u8>(b)) {
      a++;
      b++;
      length--;
    }
    return !length;
  }
  // From the end, where topics differ.
  while (length > 8) {
    length -= 8;
    if (load<u64>(a + length) != load<u64>(b + length)) return false;
  }
  // What stands in front of the first bytes is shifted out.
  const half = 32 - 4 * length;
  return !((load<u64>(a + length - 8) ^ load<u64>(b + length - 8)) >> half >> half);
}

/** True when the text is the literal. */
export function isLiteral(text: usize, length: i32, literal: usize): bool {
  return length == <i32>load<u8>(literal) && equals(text, literal + 1, length);
}

/** The place of a text among words of which `hashes` keeps three bytes each, or -1; one in 2^21 others would be taken for a word of eight. */
export function placeOf(words: usize, count: i32, text: usize, length: i32): i32 {
  let hash: u32 = 0;
  for (; length > 0; length--) hash = (hash ^ load<u8>(text++)) * HASH_FACTOR;
  while (--count >= 0 && (load<u32>(words + count * 3) ^ hash) << 8);
  return count;
}

/** The number that a text of nothing but digits stands for; below zero when it is none from 0 to 2147483647. */
export function readDigits(text: usize, length: i32): i32 {
  let value = length ? 0 : -1;
  for (; length; length--) {
    const digit = <u32>load<u8>(text) - 0x30;
    // Below 2^28 one more digit cannot pass 2^32, so that what passes 2^31 shows by its sign.
    if (digit > 9 || <u32>value >> 28) return -1;
    value = value * 10 + digit;
    text++;
  }
  return value;
}
