// Checks that bytes are UTF-8, as RFC 3629 has it.

/** True when the text is well-formed: no overlong form, no surrogate, nothing above U+10FFFF. */
export function isUtf8(text: usize, length: i32): bool {
  const end = text + length;
  while (text < end) {
    let code: u32 = load<u8>(text++);
    if (code < 0x80) continue;
    // The ones in front of the first zero bit tell how many bytes belong together.
    let bytes = clz(~(code << 24));
    if (bytes < 2 || bytes > 4) return false;
    code &= 0x7f >> bytes;
    // The least code point of each form: 80, 800, 10000.
    const least: u32 = bytes == 2 ? 0x80 : 1 << (5 * bytes - 4);
    while (--bytes) {
      const next: u32 = text < end ? load<u8>(text++) : 0;
      if (next >> 6 != 2) return false;
      code = (code << 6) | (next & 0x3f);
    }
    if (code < least || code > 0x10ffff || code >> 11 == 0x1b) return false;
  }
  return true;
}
