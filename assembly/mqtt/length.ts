// Writes the remaining length of a packet once its body is known.
import { at, limit, moveTo } from "../base/cursor";

/** Puts the remaining length in front of the body that ends at the cursor; one byte was left free for it [MQTT 3.1.1, 2.2.3]. */
export function putRemainingLength(body: usize): void {
  let rest = <u32>(at - body);
  let to = body - 1;
  // Every further length byte moves the body up by one.
  for (; rest > 0x7f; rest >>= 7) {
    moveTo(at + 1);
    if (at > limit) return;
    memory.copy(to + 2, to + 1, at - to - 2);
    store<u8>(to++, rest | 0x80);
  }
  if (at <= limit) store<u8>(to, rest);
}
