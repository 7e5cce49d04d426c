// Reads the variable header of a PUBLISH.
import { Status } from "../abi";
import { PublishFlag } from "./packet";

/** The topic, the packet id (0 at QoS 0) and where the payload begins. */
export let topic: usize = 0;
export let topicLength: i32 = 0;
export let packetId: i32 = 0;
export let payload: usize = 0;

/** Reads 16 bits, high byte first. */
export function readU16(from: usize): i32 {
  return (<i32>load<u8>(from) << 8) | load<u8>(from, 1);
}

/**
 * Reads the variable header of the packet whose first byte is `flags`, which ends at `end`; what arrived ends at `filled`, before or
 * behind that. Ok, MoreBytes, or Malformed. The topic is not looked at: one that is known needs no check.
 */
export function readPublish(flags: u32, from: usize, end: usize, filled: usize): i32 {
  // The flag is 2, which is what the packet id takes.
  const idLength = flags & PublishFlag.Qos1;
  topic = payload = from + 2;
  if (payload <= filled) {
    topicLength = readU16(from);
    payload += topicLength + idLength;
  }
  if (payload > end) return Status.Malformed;
  if (payload > filled) return Status.MoreBytes;
  // ThingsBoard sends packet id 0 once in 65,536 downlinks; it is delivered and not acknowledged.
  packetId = idLength ? readU16(payload - 2) : 0;
  return Status.Ok;
}
