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
  let behind = from + 2;
  if (behind <= filled) {
    topic = behind;
    topicLength = readU16(from);
    behind += topicLength + idLength;
  }
  if (behind > end) return Status.Malformed;
  if (behind > filled) return Status.MoreBytes;
  payload = behind;
  // ThingsBoard sends packet id 0 once in 65,536 downlinks; it is delivered and not acknowledged.
  packetId = idLength ? readU16(behind - 2) : 0;
  return Status.Ok;
}
