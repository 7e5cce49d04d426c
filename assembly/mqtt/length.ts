// Writes the remaining length of a packet once its body is known.
import { at, limit, putByte } from "../base/cursor";

/** Puts the remaining length in front of the body that ends at the cursor; one byte was left free for it [MQTT 3.1.1, 2.2.3]. */
export function putRemainingLength(body: usize): void {
  const length = at - body;
  let rest = <u32>length;
  while (true) {
    if (at <= limit) store<u8>(body - 1, rest | (<u32>(rest > 0x7f) << 7));
    rest >>= 7;
    if (!rest) return;
    // Every further length byte moves the body up by one.
    putByte(0);
    if (at <= limit) memory.copy(body + 1, body, length);
    body++;
  }
}
