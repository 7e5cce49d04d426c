// Finds where one packet of a byte stream ends, and whether a server may send such a packet.
import { Status } from "../abi";
import { Packet, PublishFlag } from "./packet";

/** Bytes of the fixed header, and of what follows it. */
export let headerLength: i32 = 0;
export let remainingLength: i32 = 0;

/** The remaining length that a packet of this type must have; -1 = free, -2 = a server never sends the type. */
function lengthOf(type: u32): i32 {
  switch (type) {
    case Packet.Publish: return -1;
    case Packet.Connack: // fall through: flags and code
    case Packet.Puback: // fall through: packet id
    case Packet.Unsuback: return 2;
    case Packet.Suback: return 3; // one filter in each SUBSCRIBE
    case Packet.Pingresp: return 0;
  }
  return -2;
}

/** Reads the fixed header: Ok, MoreBytes, or Malformed for what no rule allows [MQTT-2.2.2-2] [MQTT-4.8.0-1]. */
export function readHeader(from: usize, length: i32): i32 {
  if (!length) return Status.MoreBytes;
  const first: u32 = load<u8>(from);
  const expected = lengthOf(first >> 4);
  if (expected == -1) {
    const qos = first & (PublishFlag.Qos1 | PublishFlag.Qos2);
    // Only QoS 0 and 1 are ever asked for [MQTT-3.8.4-6]; DUP belongs to QoS above 0 [MQTT-3.3.1-2].
    if (qos > <u32>PublishFlag.Qos1 || (first & PublishFlag.Dup && !qos)) return Status.Malformed;
  } else if (expected < 0 || first & 15) {
    return Status.Malformed;
  }
  remainingLength = 0;
  headerLength = 1;
  for (;;) {
    // At most four length bytes, and no more than needed.
    if (headerLength > 4) return Status.Malformed;
    if (headerLength >= length) return Status.MoreBytes;
    const byte: i32 = load<u8>(from + headerLength);
    remainingLength |= (byte & 0x7f) << (7 * (headerLength - 1));
    headerLength++;
    if (byte < 0x80) {
      if (!byte && headerLength > 2) return Status.Malformed;
      break;
    }
  }
  return expected >= 0 && expected != remainingLength ? Status.Malformed : Status.Ok;
}
