// Finds where one packet of a byte stream ends, and whether a server may send such a packet.
import { Status } from "../abi";
import { Packet } from "./packet";

/** Bytes of the fixed header, and of what follows it. */
export let headerLength: i32 = 0;
export let remainingLength: i32 = 0;

/**
 * Two bits for each packet type: the remaining length that it must have, or NEVER for what no server sends. CONNACK,
 * PUBACK and UNSUBACK have 2 bytes, SUBACK 3 (one filter in each SUBSCRIBE), PINGRESP none.
 */
const LENGTHS: u32 = 0x519d_5665;
const NEVER: i32 = 1;
const ANY: i32 = -1;

/** One bit for each first byte of a PUBLISH, counted from 0x20: QoS 0 or 1, DUP only with QoS 1, RETAIN with each. */
const PUBLISHES: u32 = 0x0c0f_0000;

/** Reads the fixed header: Ok, MoreBytes, or Malformed for what no rule allows [MQTT-2.2.2-2] [MQTT-4.8.0-1]. */
export function readHeader(from: usize, length: i32): i32 {
  if (!length) return Status.MoreBytes;
  const first: u32 = load<u8>(from);
  let expected = ANY;
  if (first >> 4 == Packet.Publish) {
    // Only QoS 0 and 1 are ever asked for [MQTT-3.8.4-6], DUP belongs to QoS 1 [MQTT-3.3.1-2].
    if (!((PUBLISHES >> first) & 1)) return Status.Malformed;
  } else {
    // Only PUBLISH has flags, so the type is even when it counts bits.
    expected = (LENGTHS >> (first >> 3)) & 3;
    if (first & 15 || expected == NEVER) return Status.Malformed;
  }
  let shift = 0;
  let byte: i32;
  headerLength = 1;
  remainingLength = 0;
  do {
    // At most four length bytes, and no more than needed.
    if (shift > 21) return Status.Malformed;
    if (headerLength >= length) return Status.MoreBytes;
    byte = load<u8>(from + headerLength++);
    remainingLength |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte > 0x7f);
  return (!byte && shift > 7) || (expected != ANY && expected != remainingLength) ? Status.Malformed : Status.Ok;
}
