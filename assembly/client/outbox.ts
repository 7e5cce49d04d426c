// Keeps outgoing packets until they were sent (QoS 0) or acknowledged, and subscriptions as long as they are declared.
//
//   base ......... first ......... sendAt ......... head ....... end
//     (done, or a    (sent, not all   (publishes      (free)
//      subscription)  acknowledged)    to be sent)
//
//   record  0  u32 bytes of the packet
//           4  u16 packet id, 0 at QoS 0
//           6  u8  Mark
//           7  u8  sessions in a row that ended while it was in flight
//           8  u32 deadline of its acknowledgement, 0 = not sent in this session
//          12  PUBLISH, SUBSCRIBE or UNSUBSCRIBE, padded to four
import { Stat, Status } from "../abi";
import { at, open } from "../base/cursor";
import { equals } from "../base/text";
import { fromNow, setDeadline, Timer } from "../base/time";
import { carve, count, fail } from "../memory";
import { Packet, PublishFlag } from "../mqtt/packet";

const enum Record {
  Length = 0,
  PacketId = 4,
  Mark = 6,
  Closes = 7,
  Deadline = 8,
  Packet = 12,
}

const enum Mark {
  Free = 0, // acknowledged, sent or dropped
  Queued = 1,
  Sent = 2, // handed to the port, in this session or an earlier one; its acknowledgement is awaited
  Settled = 3, // a subscription that the server knows
}

/** A message is poison once so many sessions in a row ended on it. */
const CLOSES_MAX: i32 = 3;
/** Packet ids above this belong to SUBSCRIBE and UNSUBSCRIBE. */
const MESSAGE_ID_MAX: i32 = 0x7fff;

let base: usize = 0;
let end: usize = 0;
let head: usize = 0;
let first: usize = 0;
let sendAt: usize = 0;
/** The end of the last settled subscription: an outbox without messages goes on there. */
let floor: usize = 0;
/** The record that is on its way to the port. */
let current: usize = 0;
/** Records sent in this session and not acknowledged. */
let inflight: i32 = 0;
let lastMessageId: i32 = 0;
let lastRequestId: i32 = 0;
/** There may be a SUBSCRIBE or UNSUBSCRIBE to send. */
let hasRequests: bool = false;
/** Nothing was acknowledged in the last session: send one message at a time, to find the one that ends sessions. */
let probing: bool = false;
/** A PUBACK came in this session. */
let acknowledged: bool = false;
/** An event lends bytes of a record, which must stay where they are until the next poll. */
export let lends: bool = false;

export function carveOutbox(size: usize): void {
  base = head = first = sendAt = floor = carve(size);
  end = base + (size & ~3);
}

export function setLends(value: bool): void {
  lends = value;
}

function after(record: usize): usize {
  return record + ((load<u32>(record, Record.Length) + (Record.Packet + 3)) & ~3);
}

function markOf(record: usize): i32 {
  return load<u8>(record, Record.Mark);
}

function setMark(record: usize, mark: i32): void {
  store<u8>(record, mark, Record.Mark);
}

function recordId(record: usize): i32 {
  return load<u16>(record, Record.PacketId);
}

function typeOf(record: usize): i32 {
  return load<u8>(record, Record.Packet) >> 4;
}

/** Every message was sent and acknowledged. */
export function isEmpty(): bool {
  return first == head;
}

/** Passes what is done in front, and sets the deadline of the oldest record in flight. */
function reclaim(): void {
  while (first < head && markOf(first) % Mark.Settled == 0) first = after(first);
  if (first == head) first = head = floor;
  sendAt = max(sendAt, first);
  sendAt = min(sendAt, head);
  setDeadline(Timer.Acknowledge, first < head ? load<u32>(first, Record.Deadline) : 0);
}

/** Finds the end of the last settled subscription. */
function findFloor(): void {
  floor = base;
  for (let record = base; record < head; record = after(record)) if (markOf(record) == Mark.Settled) floor = after(record);
}

/** Moves the records together at the base. None of them may be on its way or lent. */
function compact(): void {
  let to = base;
  for (let record = base; record < head; ) {
    const next = after(record);
    if (record == sendAt) sendAt = to;
    if (markOf(record)) {
      memory.copy(to, record, next - record);
      to += next - record;
    }
    record = next;
  }
  if (sendAt == head) sendAt = to;
  head = to;
  first = base;
  findFloor();
  reclaim();
}

/** Opens the cursor for a packet behind the last record; where the packet begins. */
export function openRecord(): usize {
  open(head + Record.Packet, end);
  return head + Record.Packet;
}

/**
 * Makes room for a packet of which the cursor counted `needed` bytes; with `drop` at the cost of the oldest message, as
 * long as that is not in flight. Ok when it is worth another try, else Full or TooLarge.
 */
export function makeRoom(needed: i32, isSending: bool, drop: bool): i32 {
  needed += Record.Packet;
  if (needed > <i32>(end - base)) return fail(Status.TooLarge, needed, 0, 0);
  if (!isSending && !lends) {
    const before = head;
    compact();
    if (head < before) return Status.Ok;
    if (FEATURE_RAW && drop && first < head && first == sendAt && typeOf(first) == Packet.Publish) {
      setMark(first, Mark.Free);
      count(Stat.MessagesDropped);
      return Status.Ok;
    }
  }
  count(Stat.MessagesRefused);
  return Status.Full;
}

/** The id that the next message at QoS 1 gets; 0 while the oldest message still has it. */
export function nextMessageId(): i32 {
  const id = (lastMessageId % MESSAGE_ID_MAX) + 1;
  // Ids are given in the order of the records, so the oldest is the first to collide.
  return first < head && recordId(first) == id ? 0 : id;
}

/** The id that the next SUBSCRIBE or UNSUBSCRIBE gets; they never collide with those of messages. */
export function nextRequestId(): i32 {
  return (++lastRequestId & MESSAGE_ID_MAX) | (MESSAGE_ID_MAX + 1);
}

/** Adds the packet that was written at the cursor, with its id (0 at QoS 0). */
export function commit(id: i32): void {
  store<u32>(head, at - head - Record.Packet, Record.Length);
  store<u32>(head, id | (Mark.Queued << 16), Record.PacketId); // and no closes
  store<u32>(head, 0, Record.Deadline);
  if (typeOf(head) != Packet.Publish) {
    hasRequests = true;
  } else {
    count(Stat.MessagesQueued);
    if (id) lastMessageId = id;
  }
  head = (at + 3) & ~3;
}

/** The next packet to send; 0 when there is none or the window is full. Subscriptions go before messages. */
export function nextToSend(window: i32): usize {
  for (current = base; hasRequests && current < head; current = after(current)) {
    if (markOf(current) == Mark.Queued && typeOf(current) != Packet.Publish) return current + Record.Packet;
  }
  hasRequests = false;
  while (sendAt < head && (!markOf(sendAt) || typeOf(sendAt) != Packet.Publish)) sendAt = after(sendAt);
  current = sendAt;
  if (current == head || (recordId(current) && inflight >= (probing ? 1 : window))) return 0;
  const packet = current + Record.Packet;
  if (markOf(current) == Mark.Sent) {
    // A repetition keeps its id and says so [MQTT-3.3.1-1] [MQTT-4.4.0-1].
    store<u8>(packet, load<u8>(packet) | PublishFlag.Dup);
    count(Stat.MessagesResent);
  }
  return packet;
}

/** Bytes of a packet of the outbox. */
export function packetLength(packet: usize): i32 {
  return load<i32>(packet - Record.Packet);
}

/** The packet that `nextToSend` gave was accepted whole. */
export function markSent(acknowledgeMs: u32): void {
  const isAcknowledged = recordId(current) != 0;
  inflight += <i32>isAcknowledged;
  setMark(current, isAcknowledged ? Mark.Sent : Mark.Free);
  store<u32>(current, fromNow(acknowledgeMs), Record.Deadline);
  if (typeOf(current) == Packet.Publish) {
    count(Stat.MessagesSent);
    sendAt = after(current);
  }
  reclaim();
}

/** An acknowledgement came: the packet of this session that waited for it, or 0. The packet stays readable until the next verb. */
export function acknowledge(type: i32, id: i32): usize {
  // The answer to a packet has the next higher type.
  for (let record = type == Packet.Puback ? first : base; record < head; record = after(record)) {
    if (recordId(record) != id || markOf(record) != Mark.Sent || typeOf(record) + 1 != type || !load<u32>(record, Record.Deadline)) continue;
    inflight--;
    setMark(record, type == Packet.Suback ? Mark.Settled : Mark.Free);
    if (type == Packet.Puback) {
      probing = false;
      acknowledged = true;
    } else {
      findFloor();
    }
    reclaim();
    return record + Record.Packet;
  }
  return 0;
}

/** The session ended: everything unacknowledged is sent again in the next one, and every subscription asserted. */
export function rewind(wasConnected: bool): void {
  if (wasConnected) probing = !acknowledged && inflight != 0;
  for (let record = base; record < head; record = after(record)) {
    const type = typeOf(record);
    if (type != Packet.Publish) {
      // Nobody remembers a subscription that ended with the session.
      if (markOf(record)) setMark(record, type == Packet.Subscribe ? Mark.Queued : Mark.Free);
    } else if (acknowledged) {
      store<u8>(record, 0, Record.Closes);
    } else if (wasConnected && load<u32>(record, Record.Deadline)) {
      store<u8>(record, load<u8>(record, Record.Closes) + 1, Record.Closes);
    }
    store<u32>(record, 0, Record.Deadline);
  }
  hasRequests = true;
  acknowledged = false;
  inflight = 0;
  first = sendAt = floor = base;
  reclaim();
}

/** The packet of the oldest message if it is poison, else 0. */
export function poison(): usize {
  for (let record = first; record < head; record = after(record)) {
    if (markOf(record) && typeOf(record) == Packet.Publish) return load<u8>(record, Record.Closes) < <u8>CLOSES_MAX ? 0 : record + Record.Packet;
  }
  return 0;
}

/** The packet id of a packet of the outbox. */
export function idOf(packet: usize): i32 {
  return recordId(packet - Record.Packet);
}

/** Takes a packet out. */
export function drop(packet: usize): void {
  setMark(packet - Record.Packet, Mark.Free);
  reclaim();
}

/** The packet of the subscription to a filter, or 0. */
export function subscriptionTo(filter: usize, length: i32): usize {
  for (let record = base; record < head; record = after(record)) {
    // The filter ends one byte before the packet does.
    const text = record + (Record.Packet - 1) + load<u32>(record, Record.Length) - length;
    if (
      markOf(record) && typeOf(record) == Packet.Subscribe && load<u8>(text - 1) == <u8>length && load<u8>(text - 2) == <u8>(length >> 8) &&
      equals(text, filter, length)
    ) {
      return record + Record.Packet;
    }
  }
  return 0;
}
