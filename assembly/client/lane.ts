// Carries the small packets that nothing may hold up: PUBACK and PINGREQ.
import { LANE_CAPACITY } from "../abi";
import { storeU16 } from "../base/cursor";
import { LANE } from "../memory";
import { Packet } from "../mqtt/packet";

/** Bytes of a PUBACK, the longest packet of the lane. */
const PUBACK_LENGTH: i32 = 4;

/** Behind what was written, and behind what of it was taken for sending; `clear` sets both before the first use. */
export let end: usize = 0;
let taken: usize = 0;

/** Nothing was written since the lane was cleared. */
// @ts-ignore: decorator
@inline
export function isEmpty(): bool {
  return end == LANE;
}

/** False while another PUBACK might not fit: then no further packet is read. */
// @ts-ignore: decorator
@inline
export function hasRoom(): bool {
  return end <= LANE + (LANE_CAPACITY - 2 * PUBACK_LENGTH); // leaves room for PINGREQ
}

export function putPuback(packetId: i32): void {
  store<u16>(end, (Packet.Puback << 4) | (2 << 8));
  storeU16(end + 2, packetId);
  end += PUBACK_LENGTH;
}

/** Adds a packet that is a fixed header without anything behind it. */
// @ts-ignore: decorator
@inline
export function putEmpty(packet: i32): void {
  store<u16>(end, packet << 4);
  end += 2;
}

/** Takes all that waits: where it begins; it reaches to `end`. */
export function take(): usize {
  if (taken == end) clear();
  const from = taken;
  taken = end;
  return from;
}

// @ts-ignore: decorator
@inline
export function clear(): void {
  taken = end = LANE;
}
