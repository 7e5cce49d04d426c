// Writes the text that a JSON string stands for, without its escapes.
import { Status } from "../abi";
import { at, open, overflowed, putByte, putBytes } from "../base/cursor";
import { bytes } from "../base/text";

/** The letters of the short escapes from b to t, and at the same places the characters that they stand for. */
const LETTERS = bytes("bfnrt");
const CONTROLS = bytes("\b\f\n\r\t");

/** Four hexadecimal digits as a number. */
function hex4(text: usize): u32 {
  let value: u32 = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte: u32 = load<u8>(text + digit);
    // Letters have bit 6, and stand nine above the low four bits of their code.
    value = (value << 4) | ((byte & 15) + (byte >> 6) * 9);
  }
  return value;
}

function putCodePoint(code: u32): void {
  if (code < 0x80) {
    putByte(code);
    return;
  }
  // Bits behind those of the first byte: 6, 12 or 18; the ones in front of it say how many bytes there are.
  let shift: u32 = code < 0x800 ? 6 : code < 0x10000 ? 12 : 18;
  putByte((0xff00 >> (shift / 6 + 1)) | (code >> shift));
  while (shift) {
    shift -= 6;
    putByte(0x80 | ((code >> shift) & 0x3f));
  }
}

/**
 * Writes a string that `scan` has passed, at the cursor. Ok, InvalidUtf8 for half a surrogate pair, or InvalidValue
 * for U+0000, which no text of MQTT may hold [MQTT-1.5.3-2].
 */
function putAll(text: usize, length: i32, allowZero: bool): i32 {
  const end = text + length;
  while (text < end) {
    const byte: u32 = load<u8>(text++);
    if (byte != 0x5c) {
      putByte(byte);
      continue;
    }
    let code: u32 = load<u8>(text++);
    if (code != 0x75) {
      for (let letter = 0; letter < 5; letter++) if (load<u8>(LETTERS + letter) == code) code = load<u8>(CONTROLS + letter);
    } else {
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
    }
    putCodePoint(code);
  }
  return Status.Ok;
}

/** Writes a text of the configuration at the cursor. Ok, or a Status. */
export function putUnescaped(text: usize, length: i32): i32 {
  if (FEATURE_JSON) return putAll(text, length, false);
  // Without the code for escapes a text must do without them.
  for (let byte = 0; byte < length; byte++) if (load<u8>(text + byte) == 0x5c) return Status.NotInProfile;
  putBytes(text, length);
  return Status.Ok;
}

/** The export `json_text`: writes to `to`, at most `capacity` bytes. The bytes written, TooLarge or InvalidUtf8. */
export function putUnescapedTo(text: usize, length: i32, to: usize, capacity: i32): i32 {
  open(to, to + capacity);
  const status = putAll(text, length, true);
  return status ? status : overflowed() ? <i32>Status.TooLarge : <i32>(at - to);
}
