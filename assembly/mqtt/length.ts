// Writes the remaining length of a packet once its body is known.
import { at, limit, putByte } from "../base/cursor";

/** Puts the remaining length in front of the body that ends at the cursor; one byte was left free for it [MQTT 3.1.1, 2.2.3]. */
export function putRemainingLength(body: usize): void {
  const length = <u32>(at - body);
  let rest = length;
  // Every further length byte moves the body up by one.
  for (; rest > 0x7f; rest >>= 7) {
    putByte(0);
    if (at > limit) return;
    memory.copy(body + 1, body, length);
    store<u8>(body++ - 1, rest | 0x80);
  }
  if (at <= limit) store<u8>(body - 1, rest);
}
