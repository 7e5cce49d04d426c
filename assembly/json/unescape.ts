// Writes the text that a JSON string stands for, without its escapes.
import { Status } from "../abi";
import { at, open, overflowed, putByte, putBytes } from "../base/cursor";
import { bytes } from "../base/text";
import { escapeIndex } from "./scan";

/** What the characters behind a backslash stand for, in the order of the scanner's table of them. */
const MEANINGS = bytes('\t\b\n\\/\f\r"');

/** What the first byte of a code point has above its own bits, by the number of bytes behind it. */
const FIRST_BYTES: u32 = 0xf0e0c000;

/** From the sum of both halves of a surrogate pair, the first ten bits up, to the code point that they stand for. */
const PAIR: u32 = (0xd800 << 10) + 0xdc00 - 0x10000;

/**
 * Writes a string that `scan` has passed, at the cursor. Ok, InvalidUtf8 for half a surrogate pair, or InvalidValue
 * for U+0000, which no text of MQTT may hold [MQTT-1.5.3-2].
 */
function putAll(text: usize, length: i32, allowZero: bool): i32 {
  const end = text + length;
  /** What the first half of a pair adds to the second one, which has to follow. */
  let half: u32 = 0;
  for (; text < end; text++) {
    let code: u32 = load<u8>(text);
    // How many bytes follow the first one of a code point; a byte that stands in the text is alone.
    let more: u32 = 0;
    if (code == 0x5c) {
      code = load<u8>(++text);
      if (code == 0x75) {
        code = 0;
        const last = text + 4;
        do {
          const digit: u32 = load<u8>(++text);
          // Letters have bit 6, and stand nine above the low four bits of their code.
          code = (code << 4) + (digit & 15) + (digit >> 6) * 9;
        } while (text < last);
        more = 1;
      } else {
        code = load<u8>(MEANINGS + escapeIndex(code));
      }
    }
    // \uD800 to \uDBFF, then \uDC00 to \uDFFF.
    if ((code >> 10 == 0x37) != (half != 0)) return Status.InvalidUtf8;
    code += half;
    half = 0;
    if (code >> 10 == 0x36) {
      half = (code << 10) - PAIR;
      continue;
    }
    if (!code && !allowZero) return Status.InvalidValue;
    if (more) more = <u32>(code > 0x7f) + <u32>(code > 0x7ff) + <u32>(code > 0xffff);
    // A byte of these is in front of the highest bits of the code point, and of six bits of it in each byte behind.
    putByte((code >> (6 * more)) | (FIRST_BYTES >> (8 * more)));
    while (more) putByte(0x80 | ((code >> (6 * --more)) & 0x3f));
  }
  return half ? <i32>Status.InvalidUtf8 : <i32>Status.Ok;
}

/** Whether a text that `scan` has passed has escapes. */
export function hasEscapes(text: usize, length: i32): bool {
  while (--length >= 0) if (load<u8>(text + length) == 0x5c) return true;
  return false;
}

/** Writes a text of the configuration at the cursor. Ok, or a Status. */
// @ts-ignore: decorator
@inline
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
