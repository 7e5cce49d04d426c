// Checks that bytes are UTF-8, as RFC 3629 has it.

/**
 * True when the text is well-formed: no overlong form, no surrogate, nothing above U+10FFFF. It may look at three bytes
 * behind the text, which always are in memory: behind a JSON string is its quote, behind any other text a buffer.
 */
export function isUtf8(text: usize, length: i32): bool {
  const end = text + length;
  while (text < end) {
    let code: u32 = load<u8>(text);
    text++;
    if (code < 0x80) continue;
    // C0 and C1 would be overlong, F5 and above beyond the last code point.
    if (code - 0xc2 > 0x32) return false;
    // As many ones stand in front as bytes belong together. They stay, so that code points of one form differ from all others.
    let more = clz(~(code << 24)) - 1;
    do {
      const next: i32 = load<i8>(text); // 80 to BF is below -40
      if (next >= -0x40) return false;
      code = (code << 6) | (next & 0x3f);
      text++;
    } while (--more);
    // Overlong forms of three and four bytes, surrogates, and what is beyond U+10FFFF.
    const high = code >> 11;
    if (high == 0x1c0 || high == 0x1db || high >> 5 == 0x3c0 || high >> 5 > 0x3d0) return false;
  }
  return text == end;
}
