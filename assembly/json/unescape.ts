// Writes the text that a JSON string stands for, without its escapes.
import { Status } from "../abi";
import { at, open, overflowed, putByte, putBytes } from "../base/cursor";

/** Four hexadecimal digits as a number. */
function hex4(text: usize): u32 {
  let value: u32 = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte: u32 = load<u8>(text + digit);
    value = (value << 4) | (byte < 0x3a ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return value;
}

function putCodePoint(code: u32): void {
  if (code < 0x80) return putByte(code);
  if (code < 0x800) {
    putByte(0xc0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      putByte(0xe0 | (code >> 12));
    } else {
      putByte(0xf0 | (code >> 18));
      putByte(0x80 | ((code >> 12) & 0x3f));
    }
    putByte(0x80 | ((code >> 6) & 0x3f));
  }
  putByte(0x80 | (code & 0x3f));
}

/** Writes a string that `scan` has passed, at the cursor. The bytes written, or InvalidUtf8 for half a surrogate pair. */
export function putUnescaped(text: usize, length: i32): i32 {
  const from = at;
  const end = text + length;
  while (text < end) {
    let run = text;
    while (run < end && load<u8>(run) != 0x5c) run++;
    putBytes(text, <i32>(run - text));
    if (run == end) break;
    const escape: u32 = load<u8>(run, 1);
    text = run + 2;
    if (escape == 0x75) {
      let code = hex4(text);
      text += 4;
      if ((code & 0xf800) == 0xd800) {
        // A pair is twelve characters, the second half \uDC00 to \uDFFF.
        if (code > 0xdbff || end - text < 6 || load<u16>(text) != 0x755c) return Status.InvalidUtf8;
        const low = hex4(text + 2) - 0xdc00;
        if (low > 0x3ff) return Status.InvalidUtf8;
        text += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + low;
      }
      putCodePoint(code);
    } else {
      let byte = escape;
      if (escape == 0x62) byte = 0x08;
      else if (escape == 0x66) byte = 0x0c;
      else if (escape == 0x6e) byte = 0x0a;
      else if (escape == 0x72) byte = 0x0d;
      else if (escape == 0x74) byte = 0x09;
      putByte(byte);
    }
  }
  return <i32>(at - from);
}

/** The export `json_text`: writes to `to`, at most `capacity` bytes. The bytes written, TooLarge or InvalidUtf8. */
export function putUnescapedTo(text: usize, length: i32, to: usize, capacity: i32): i32 {
  open(to, to + capacity);
  const written = putUnescaped(text, length);
  return overflowed() ? <i32>Status.TooLarge : written;
}
