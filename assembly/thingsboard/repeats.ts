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
const HASH_FACTOR: u64 = 0x9e3779b97f4a7c15;

/** The entry that was written longest ago. */
let oldest: usize = 0;

/** Whether this RPC came within the window; remembers it. Looks at up to seven bytes behind the payload, where the outbox lies. */
// @ts-ignore: decorator
@inline
export function isRepeated(id: i32, payload: usize, length: i32): bool {
  let hash = <u64>id;
  for (; length > 0; length -= 8) {
    let eight = load<u64>(payload);
    if (length < 8) eight <<= <u64>(64 - 8 * length);
    hash = rotl<u64>((hash ^ eight) * HASH_FACTOR, 32);
    payload += 8;
  }
  let place: usize = 0;
  for (; place < SIZE; place += ENTRY_SIZE) {
    const entry = RECENT_RPCS + place;
    if (load<u32>(entry) == <u32>hash && now - load<u32>(entry, 4) < WINDOW_MS) break;
  }
  const isKnown = place < SIZE;
  if (!isKnown) {
    place = oldest;
    oldest = (oldest + ENTRY_SIZE) % SIZE;
    store<u32>(RECENT_RPCS + place, <u32>hash);
  }
  store<u32>(RECENT_RPCS + place, now, 4);
  return isKnown;
}
