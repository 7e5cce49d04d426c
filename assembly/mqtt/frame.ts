// Finds where one packet of a byte stream ends, and whether a server may send such a packet.
import { Status } from "../abi";
import { Packet } from "./packet";

/** Where what follows the fixed header begins, and where it ends. */
export let body: usize = 0;
export let bodyEnd: usize = 0;

/**
 * Two bits for each packet type: the remaining length that it must have, or NEVER for what no server sends. CONNACK,
 * PUBACK and UNSUBACK have 2 bytes, SUBACK 3 (one filter in each SUBSCRIBE), PINGRESP none.
 */
const LENGTHS: u32 = 0x519d_5665;
const NEVER: u32 = 1;

/** One bit for each value of the flags of a PUBLISH: QoS 0 or 1, DUP only with QoS 1, RETAIN with each. */
const PUBLISH_FLAGS: u32 = 0x0c0f;

/** Reads the fixed header of what arrived up to `end`: Ok, MoreBytes, or Malformed for what no rule allows [MQTT-2.2.2-2] [MQTT-4.8.0-1]. */
export function readHeader(from: usize, end: usize): i32 {
  const first: u32 = load<u8>(from);
  const isPublish = first >> 4 == Packet.Publish;
  // Only PUBLISH has flags, so for any other type the DUP bit adds nothing to the two bits of the type before.
  const expected = (LENGTHS >> (first >> 3)) & 3;
  // Only QoS 0 and 1 are ever asked for [MQTT-3.8.4-6], DUP belongs to QoS 1 [MQTT-3.3.1-2]; of other types only the flags 0 may be.
  const allowed = isPublish ? PUBLISH_FLAGS : <u32>(expected != NEVER);
  if (!((allowed >> (first & 15)) & 1)) return Status.Malformed;
  let at = from;
  let value = 0;
  let shift = 0;
  let byte: i32;
  do {
    at++;
    if (at >= end) return Status.MoreBytes;
    byte = load<u8>(at);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >> 7 && shift < 28);
  at++;
  body = at;
  bodyEnd = at + value;
  // At most four length bytes, and no more than needed: the last of several is neither 0 nor above 7F.
  return (shift > 7 && <u32>(byte - 1) > 0x7e) || (!isPublish && expected != value) ? Status.Malformed : Status.Ok;
}
