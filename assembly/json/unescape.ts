// Writes the text that a JSON string stands for, without its escapes.
import { Status } from "../abi";
import { at, open, overflowed, putByte, putBytes } from "../base/cursor";
import { bytes } from "../base/text";
import { escapeIndex } from "./scan";

/** What the characters behind a backslash stand for, in the order of the scanner's table of them. */
const MEANINGS = bytes('\t\b\n\\/\f\r"');

/** Four hexadecimal digits as a number. */
function hex4(text: usize): u32 {
  let value: u32 = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte: u32 = load<u8>(text + digit);
    // Letters have bit 6, and stand nine above the low four bits of their code.
    value = (value << 4) + (byte & 15) + (byte >> 6) * 9;
  }
  return value;
}

/** Writes a code point as UTF-8. */
function putCodePoint(code: u32): void {
  // The bytes behind the first one, six bits each from the end; `most` is what the first one still has room for.
  let rest: u32 = 0;
  let most: u32 = 0x7f;
  for (; code > most; code >>= 6) {
    rest = (rest << 8) | 0x80 | (code & 0x3f);
    most = (most & 0x3f) >> 1;
  }
  // In front of the room: a zero, and in front of that ones.
  putByte(code - 2 - 2 * most);
  for (; rest; rest >>= 8) putByte(rest);
}

/**
 * Writes a string that `scan` has passed, at the cursor. Ok, InvalidUtf8 for half a surrogate pair, or InvalidValue
 * for U+0000, which no text of MQTT may hold [MQTT-1.5.3-2].
 */
function putAll(text: usize, length: i32, allowZero: bool): i32 {
  const end = text + length;
  while (text < end) {
    let code: u32 = load<u8>(text);
    text++;
    if (code == 0x5c) {
      code = load<u8>(text);
      text++;
      if (code == 0x75) {
        code = hex4(text);
        text += 4;
        if (code >> 11 == 0x1b) {
          // A pair is twelve characters: \uD800 to \uDBFF, then \uDC00 to \uDFFF.
          const low = end - text < 6 || load<u16>(text) != 0x755c ? 0 : hex4(text + 2);
          if (code > 0xdbff || low >> 10 != 0x37) return Status.InvalidUtf8;
          text += 6;
          code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        }
        if (!code && !allowZero) return Status.InvalidValue;
        putCodePoint(code);
        continue;
      }
      code = load<u8>(MEANINGS + escapeIndex(code));
    }
    putByte(code);
  }
  return Status.Ok;
}

/** Whether a text that `scan` has passed has escapes. */
export function hasEscapes(text: usize, length: i32): bool {
  while (--length >= 0) if (load<u8>(text + length) == 0x5c) return true;
  return false;
}

/** Writes a text of the configuration at the cursor. Ok, or a Status. */
export function putUnescaped(text: usize, length: i32): i32 {
  if (FEATURE_JSON) return putAll(text, length, false);
  putBytes(text, length);
  return Status.Ok;
}

/** The export `json_text`: writes to `to`, at most `capacity` bytes. The bytes written, TooLarge or InvalidUtf8. */
export function putUnescapedTo(text: usize, length: i32, to: usize, capacity: i32): i32 {
  open(to, to + capacity);
  const status = putAll(text, length, true);
  return status ? status : overflowed() ? <i32>Status.TooLarge : <i32>(at - to);
}
