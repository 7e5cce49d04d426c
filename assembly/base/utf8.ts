// Checks that bytes are UTF-8, as RFC 3629 has it.

/** The first byte that is none of an overlong form, with its sign. */
const C2: i32 = 0xc2 - 0x100;
/** What is left of code points without their last eleven bits: of E0 80 80 to E0 9F BF, and without five more of F0 80 80 80 to F0 8F BF BF. */
const OVERLONG: i32 = (0xe0 - 0x100) << 1;
/** Of ED A0 80 to ED BF BF. */
const SURROGATES: i32 = ((0xed - 0x100) << 1) | 1;
/** Of F4 90 80 80 without five more, and of all that have three bytes. */
const BEYOND: i32 = ((0xf4 - 0x100) << 2) | 1;
const THREE_BYTES: i32 = -2;

/**
 * True when the text is well-formed: no overlong form, no surrogate, nothing above U+10FFFF. It may look at three bytes
 * behind the text, which always are in memory: behind a JSON string is its quote, behind any other text a buffer.
 */
export function isUtf8(text: usize, length: i32): bool {
  const end = text + length;
  while (text < end) {
    // The sign stays in front, so that code points of one form differ from all others.
    let code: i32 = load<i8>(text);
    text++;
    if (code >= 0) continue;
    // C0 and C1 would be overlong, F5 and above beyond the last code point.
    if (<u32>(code - C2) > 0x32) return false;
    // As many ones stand in front as bytes belong together.
    let more = clz(~(code << 24)) - 1;
    do {
      const next: i32 = load<i8>(text); // 80 to BF is below -40
      if (next >= -0x40) return false;
      code = (code << 6) | (next & 0x3f);
      text++;
    } while (--more);
    // Overlong forms of three and four bytes, surrogates, and what is beyond U+10FFFF.
    const high = code >> 11;
    if ((high == OVERLONG) | (high == SURROGATES) | (high >> 5 == OVERLONG) | (<u32>((high >> 5) - BEYOND) < <u32>(THREE_BYTES - BEYOND))) return false;
  }
  return text == end;
}
