// Remembers the last server-side RPCs: subscribing makes the server send each open one again (ThingsBoard Device API).
//
//   entry  0  u32 hash of id and payload
//          4  u32 when it came last
import { now } from "../base/time";
import { RECENT_RPCS } from "../memory";

const ENTRY_SIZE: usize = 8;
const SIZE: usize = 8 * ENTRY_SIZE;
/** Ids are used again after a restart of the server, so an RPC counts as the same one only for so long. */
const WINDOW_MS: u32 = 60000;
const HASH_FACTOR: u32 = 0x9e3779b1;

/** The place of the entry that was written longest ago. */
let oldest: usize = 0;

/** Whether this RPC came within the window; remembers it. Looks at up to three bytes behind the payload, where the outbox lies. */
// @ts-ignore: decorator
@inline
export function isRepeated(id: i32, payload: usize, length: i32): bool {
  let hash = <u32>id;
  for (; length > 0; length -= 4) {
    let four = load<u32>(payload);
    if (length < 4) four <<= 32 - 8 * length;
    hash = rotl<u32>((hash ^ four) * HASH_FACTOR, 15);
    payload += 4;
  }
  let entry = RECENT_RPCS;
  while (entry < RECENT_RPCS + SIZE && (load<u32>(entry) != hash || now - load<u32>(entry, 4) >= WINDOW_MS)) entry += ENTRY_SIZE;
  const isKnown = entry < RECENT_RPCS + SIZE;
  if (!isKnown) {
    entry = RECENT_RPCS + oldest;
    oldest = (oldest + ENTRY_SIZE) % SIZE;
    store<u32>(entry, hash);
  }
  store<u32>(entry, now, 4);
  return isKnown;
}
