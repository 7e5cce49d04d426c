// Checks that bytes are UTF-8, as RFC 3629 has it.

/** True when the text is well-formed: no overlong form, no surrogate, nothing above U+10FFFF. */
export function isUtf8(text: usize, length: i32): bool {
  const end = text + length;
  while (text < end) {
    const first: u32 = load<u8>(text++);
    if (first < 0x80) continue;
    // Bytes that follow the first, and the least code point that needs so many.
    let follow = 1;
    let least: u32 = 0x80;
    let code = first & 0x1f;
    if (first >= 0xe0) {
      follow = 2;
      least = 0x800;
      code = first & 0x0f;
      if (first >= 0xf0) {
        follow = 3;
        least = 0x10000;
        code = first & 0x0f; // F8 and above end up beyond U+10FFFF or overlong
      }
    }
    if (first < 0xc2 || first > 0xf4) return false;
    while (follow--) {
      if (text >= end) return false;
      const next: u32 = load<u8>(text++);
      if ((next & 0xc0) != 0x80) return false;
      code = (code << 6) | (next & 0x3f);
    }
    if (code < least || code > 0x10ffff || (code & 0xfffff800) == 0xd800) return false;
  }
  return true;
}
