// Finds where one packet of a byte stream ends, and whether a server may send such a packet.
import { Status } from "../abi";
import { PublishFlag } from "./packet";

/** Bytes of the fixed header, and of what follows it. */
export let headerLength: i32 = 0;
export let remainingLength: i32 = 0;

/**
 * One nibble for each packet type, CONNACK in the third: the remaining length that the type must have, plus one.
 * 0 = a server never sends the type, F = any length. CONNACK 2, PUBLISH any, PUBACK 2, SUBACK 3 (one filter in
 * each SUBSCRIBE), UNSUBACK 2, PINGRESP 0.
 */
const LENGTHS: u64 = 0x0010_3040_0003_f300;
const ANY: i32 = 14;

/** Reads the fixed header: Ok, MoreBytes, or Malformed for what no rule allows [MQTT-2.2.2-2] [MQTT-4.8.0-1]. */
export function readHeader(from: usize, length: i32): i32 {
  if (!length) return Status.MoreBytes;
  const first: u32 = load<u8>(from);
  const expected = <i32>((LENGTHS >> (first >> 4 << 2)) & 15) - 1;
  // Only QoS 0 and 1 are ever asked for [MQTT-3.8.4-6], DUP belongs to QoS 1 [MQTT-3.3.1-2], and only PUBLISH has flags.
  const flags = first & (PublishFlag.Qos2 | (first & PublishFlag.Qos1 ? 0 : PublishFlag.Dup));
  if (expected < 0 || (expected == ANY ? flags : first & 15)) return Status.Malformed;
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
  return expected != ANY && expected != remainingLength ? Status.Malformed : Status.Ok;
}
