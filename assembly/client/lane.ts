// Carries the small packets that nothing may hold up: PUBACK, PINGREQ and DISCONNECT.
import { LANE_CAPACITY } from "../abi";
import { storeU16 } from "../base/cursor";
import { LANE } from "../memory";
import { Packet } from "../mqtt/packet";

/** Bytes of a PUBACK, the longest packet of the lane. */
const PUBACK_LENGTH: i32 = 4;

/** Bytes written, and of these the bytes that were taken for sending. */
export let written: i32 = 0;
let taken: i32 = 0;

/** False while another PUBACK might not fit: then no further packet is read. */
export function hasRoom(): bool {
  return written <= LANE_CAPACITY - 2 * PUBACK_LENGTH; // leaves room for PINGREQ and DISCONNECT
}

export function putPuback(packetId: i32): void {
  store<u16>(LANE + written, (Packet.Puback << 4) | (2 << 8));
  storeU16(LANE + written + 2, packetId);
  written += PUBACK_LENGTH;
}

/** Adds a packet that is a fixed header without anything behind it. */
export function putEmpty(packet: i32): void {
  store<u16>(LANE + written, packet << 4);
  written += 2;
}

/** Takes all that waits: its length, and its address by `takenFrom`. */
export function take(): i32 {
  if (taken == written) taken = written = 0;
  const length = written - taken;
  taken = written;
  return length;
}

export function clear(): void {
  taken = written = 0;
}
