// Compares text without decoding it.

/** A literal as static bytes: one length byte, then UTF-8. Replaced at compile time by literals.mjs. */
export declare function utf8(text: string): usize;

/** True when the `length` bytes at `a` and at `b` are the same. */
export function equals(a: usize, b: usize, length: i32): bool {
  return memory.compare(a, b, length) == 0;
}

/** True when the text is the literal. */
export function isLiteral(text: usize, length: i32, literal: usize): bool {
  return length == <i32>load<u8>(literal) && equals(text, literal + 1, length);
}

/** True when the text begins with the literal. */
export function startsWith(text: usize, length: i32, literal: usize): bool {
  return length >= <i32>load<u8>(literal) && equals(text, literal + 1, load<u8>(literal));
}
