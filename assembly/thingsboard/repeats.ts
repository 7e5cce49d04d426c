// Remembers the last server-side RPCs: subscribing makes the server send each open one again (ThingsBoard Device API).
//
// The one that came last stands first.
//
//   entry  0  u32 hash of id and payload
//          4  u32 when it came last
import { now } from "../base/time";
import { RECENT_RPCS } from "../memory";

const ENTRY_SIZE: usize = 8;
const SIZE: usize = 8 * ENTRY_SIZE;
/** Ids are used again after a restart of the server, so an RPC counts as the same one only for so long. */
const WINDOW_MS: u32 = 60000;
const HASH_FACTOR: u64 = 0x9e3779b1;

/** Whether this RPC came within the window; remembers it. The payload of an RPC has more than eight bytes, of which the last eight are taken first. */
// @ts-ignore: decorator
@inline
export function isRepeated(id: i32, payload: usize, length: i32): bool {
  const last = payload + length - 8;
  let hash = <u64>id ^ load<u64>(last);
  do {
    hash = rotl<u64>((hash ^ load<u64>(payload)) * HASH_FACTOR, 31);
  } while ((payload += 8) <= last);
  const digest = <u32>(hash ^ (hash >> 32));
  // Its entry, or the oldest.
  let entry = RECENT_RPCS - ENTRY_SIZE;
  let isKnown = false;
  do {
    entry += ENTRY_SIZE;
    isKnown = (load<u32>(entry) == digest) & (now - load<u32>(entry, 4) < WINDOW_MS);
  } while (!isKnown & (entry != RECENT_RPCS + SIZE - ENTRY_SIZE));
  memory.copy(RECENT_RPCS + ENTRY_SIZE, RECENT_RPCS, entry - RECENT_RPCS);
  store<u32>(RECENT_RPCS, digest);
  store<u32>(RECENT_RPCS, now, 4);
  return isKnown;
}
