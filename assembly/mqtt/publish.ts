// Reads the variable header of a PUBLISH.
import { Status } from "../abi";
import { PublishFlag } from "./packet";
import { isTopicName } from "./topic";

/** The topic, the packet id (0 at QoS 0) and where the payload begins. */
export let topic: usize = 0;
export let topicLength: i32 = 0;
export let packetId: i32 = 0;
export let payload: usize = 0;

/** Reads 16 bits, high byte first. */
// @ts-ignore: decorator
@inline
export function readU16(from: usize): i32 {
  return bswap<u16>(load<u16>(from));
}

/**
 * Reads the variable header of the packet whose first byte is `flags`. `available` is what has arrived of its
 * `remaining` bytes. Ok, MoreBytes, or Malformed.
 */
export function readPublish(flags: u32, from: usize, remaining: i32, available: i32): i32 {
  if (remaining < 2) return Status.Malformed;
  if (available < 2) return Status.MoreBytes;
  topicLength = readU16(from);
  topic = from + 2;
  packetId = 0;
  let length = 2 + topicLength;
  if (flags & PublishFlag.Qos1) length += 2;
  if (length > remaining) return Status.Malformed;
  if (length > available) return Status.MoreBytes;
  payload = from + length;
  // ThingsBoard sends packet id 0 once in 65,536 downlinks; it is delivered and not acknowledged.
  if (flags & PublishFlag.Qos1) packetId = readU16(payload - 2);
  return isTopicName(topic, topicLength, false) ? Status.Ok : Status.Malformed;
}
