// Says what stands in a record of the outbox, and what its packet costs where the server has limits.
//
//   0  u32 bytes of the packet; with limits twelve bits up, and below them what it costs
//   4  u16 packet id, 0 at QoS 0
//   6  u8  Mark
//   7  u8  sessions in a row that ended while it was in flight
//   8  u32 deadline of its acknowledgement while it is Sent
//  12  PUBLISH, SUBSCRIBE or UNSUBSCRIBE, padded to four
import { PublishFlag } from "../mqtt/packet";
import { readU16 } from "../mqtt/publish";
import { FREE } from "./limits";
import { countPoints } from "./points";

export const enum Record {
  Length = 0,
  PacketId = 4,
  Mark = 6,
  Closes = 7,
  Deadline = 8,
  Packet = 12,
}

export const enum Mark {
  Free = 0, // acknowledged, sent or dropped
  Message = 1, // a PUBLISH to be sent, in this session for the first time or again
  Request = 2, // a SUBSCRIBE or UNSUBSCRIBE to be sent
  Sent = 3, // handed to the port in this session; its acknowledgement is awaited
  Settled = 4, // a subscription that the server knows
}

/** Where a record keeps what its packet costs: data points, limits.FREE, UNCOUNTED before the first look at them, or in place of them one of ForChildren. */
const LENGTH_SHIFT: u32 = 12;
const COST_MASK: u32 = (1 << LENGTH_SHIFT) - 1;
const UNCOUNTED: i32 = 0xfff;
/** What a gateway sends for its children. That is looked at each time, because meanwhile the server may have come to know them. */
export const enum ForChildren {
  Disconnect = 0xffa, // ends the session that the server opened; a message
  Connect = 0xffb, // costs what it costs that the server opens a session
  Message = 0xffc, // besides a message for each child
  Values = 0xffd, // besides a message of telemetry for each, and the data points
}
/** More data points than this are taken for so many: only a message of 24 KB and more can hold them. */
const POINTS_MAX: i32 = FEATURE_GATEWAY ? <i32>ForChildren.Disconnect - 1 : FREE - 1;

/** The first byte of a SUBSCRIBE, with the flags 0010 [MQTT-3.8.1-1]. */
export const SUBSCRIBE: u32 = 0x82;

/** Bytes of the packet of a record. */
// @ts-ignore: decorator
@inline
export function lengthOf(record: usize): u32 {
  const length = load<u32>(record, Record.Length);
  return FEATURE_LIMITS ? length >> LENGTH_SHIFT : length;
}

/** Where the next record begins. */
export function after(record: usize): usize {
  return record + ((lengthOf(record) + (Record.Packet + 3)) & ~3);
}

/** Its Mark. */
export function markOf(record: usize): i32 {
  return load<u8>(record, Record.Mark);
}

export function setMark(record: usize, mark: i32): void {
  store<u8>(record, mark, Record.Mark);
}

/** Writes how long the packet of a record is, and in the low twelve bits of `cost` what it costs. */
// @ts-ignore: decorator
@inline
export function setLength(record: usize, length: u32, cost: i32): void {
  store<u32>(record, FEATURE_LIMITS ? (length << LENGTH_SHIFT) | (cost & COST_MASK) : length, Record.Length);
}

/** A SUBSCRIBE or an UNSUBSCRIBE: the packets whose first byte has the highest bit set. Without raw messages there is none. */
// @ts-ignore: decorator
@inline
export function isRequest(record: usize): bool {
  return FEATURE_RAW && load<i8>(record, Record.Packet) < 0;
}

/** Where the packet of a record begins. */
// @ts-ignore: decorator
@inline
export function packetOf(record: usize): usize {
  return record + Record.Packet;
}

/** Where it ends. */
// @ts-ignore: decorator
@inline
export function packetEnd(record: usize): usize {
  return packetOf(record) + lengthOf(record);
}

/** The packet id of a record. */
export function idOf(record: usize): i32 {
  return load<u16>(record, Record.PacketId);
}

/** What a record keeps of the cost of its packet. */
// @ts-ignore: decorator
@inline
export function kindOf(record: usize): i32 {
  return load<u32>(record) & COST_MASK;
}

/** A gateway sends the packet of a record for its children. */
// @ts-ignore: decorator
@inline
export function isForChildren(record: usize): bool {
  return FEATURE_GATEWAY && <u32>(kindOf(record) - ForChildren.Disconnect) <= <u32>(ForChildren.Values - ForChildren.Disconnect);
}

/**
 * What the packet of a record costs: its data points, 0 for one that has none, or limits.FREE. They are counted once and only when limits ask.
 * Of one for children besides what `points` tells; `leaves` is 1 when it does, else 0.
 */
// @ts-ignore: decorator
@inline
export function costOf(record: usize, leaves: i32): i32 {
  const length = lengthOf(record);
  let cost = kindOf(record);
  const ofChildren = isForChildren(record);
  if (cost == UNCOUNTED || ofChildren) {
    // Behind the fixed header stand the topic with its length and at QoS 1, whose flag is 2, the packet id.
    const packet = packetOf(record);
    let topic = packet + 2;
    while (load<i8>(topic - 1) < 0) topic++;
    const payload = topic + 2 + readU16(topic) + (load<u8>(packet) & PublishFlag.Qos1);
    const kind = cost;
    cost = countPoints(payload, packet + length, ofChildren, <i32>(kind != ForChildren.Connect), leaves << <i32>(kind == ForChildren.Disconnect));
    if (FEATURE_GATEWAY && ofChildren) return kind == ForChildren.Values ? cost : 0;
    cost = min<i32>(cost, POINTS_MAX);
    setLength(record, length, cost);
  }
  return cost;
}
