// Keeps outgoing packets until they were sent (QoS 0) or acknowledged, and subscriptions as long as they are declared.
//
//   base ......... first ............................... head ....... end
//     (done, or a    (sent and not all acknowledged, then     (free)
//      subscription)  publishes to be sent)
//
// What stands in a record: outbox-record.ts.
import { MESSAGE_ID_MAX, Stat, Status } from "../abi";
import { at, limitTo } from "../base/cursor";
import { equals } from "../base/text";
import { disarmOften, fromNow, setDeadline, Timer } from "../base/time";
import { carve, carved, count, fail, STATS } from "../memory";
import { Packet, PublishFlag } from "../mqtt/packet";
import { readU16 } from "../mqtt/publish";
import { FREE } from "./limits";
import { after, idOf, isForChildren, isRequest, ForChildren, kindOf, lengthOf, Mark, markOf, Record, setLength, setMark, SUBSCRIBE } from "./outbox-record";
import { setting, Setting } from "./settings";

/** A message is poison once so many sessions in a row ended on it. */
const CLOSES_MAX: i32 = 3;

let base: usize = 0;
let end: usize = 0;
let head: usize = 0;
let first: usize = 0;
/** The end of the last SUBSCRIBE or UNSUBSCRIBE: an outbox without messages goes on there. */
let floor: usize = 0;
/** The record that is on its way to the port. */
let current: usize = 0;
let lastMessageId: i32 = 0;
let lastRequestId: i32 = 0;
/** There may be a SUBSCRIBE or UNSUBSCRIBE to send. */
let hasRequests: i32 = 0;
/** What PUBACKs tell: nothing yet, or one of these. */
let evidence: i32 = 0;
/** One came in this session. */
const ACKNOWLEDGED: i32 = 1;
/** None came in the last session that sent something: send one message at a time, to find the one that ends sessions. */
const PROBING: i32 = 2;
/** An event lends bytes of a record, which must stay where they are until the next poll. */
let lends: bool = false;

if (FEATURE_RAW && !FEATURE_FAST) ERROR("compact at the end of each poll knows no subscriptions");

export function carveOutbox(size: usize): void {
  first = base = head = carve(size);
  if (FEATURE_RAW) floor = base;
  end = carved;
}

/** An event lends the packet of a record. */
// @ts-ignore: decorator
@inline
export function lend(): void {
  lends = true;
}

/** Takes back what the last event lent. */
// @ts-ignore: decorator
@inline
export function takeBack(): void {
  if (!FEATURE_FAST || !lends) return;
  lends = false;
  reclaim();
}

/** Where to look for the first record that is not done: with `compact` at the end of each poll hardly one is in front of it. */
// @ts-ignore: decorator
@inline
function begin(): usize {
  return FEATURE_FAST ? first : base;
}

/** Every message was sent and acknowledged. */
export function isEmpty(): bool {
  return begin() == head;
}

/** What waits takes more than a quarter: the rest is for messages of the application. */
export function isCrowded(): bool {
  return head - first > (end - base) >> 2;
}

/** Passes what is done in front, and sets the deadline of the first record in flight, before which others may wait. */
function reclaim(): void {
  if (!FEATURE_FAST) return; // what `compact` does
  for (let record = first; record < head; ) {
    const mark = markOf(record);
    if (mark == Mark.Sent) return setDeadline(Timer.Acknowledge, load<u32>(record, Record.Deadline));
    const isDone = (record == first) & (mark % Mark.Settled == 0);
    record = after(record);
    if (isDone) first = record;
  }
  if (first == head) first = head = FEATURE_RAW ? floor : base;
  disarmOften(Timer.Acknowledge);
}

/**
 * Moves the records together at the base, which they may when none of them is on its way or lent. Bytes of the subscriptions, which stay for good.
 * In a slow profile the end of each poll, which needs no other place where records are taken out, or where room is made.
 */
export function compact(mayMove: bool): i32 {
  let kept: usize = 0;
  first = base;
  let to = base;
  let deadline: u32 = 0;
  if (FEATURE_RAW) floor = base;
  for (let record = base; record < head; ) {
    const next = after(record);
    if (!FEATURE_FAST && <i32>!deadline & <i32>(markOf(record) == Mark.Sent)) deadline = load<u32>(record, Record.Deadline);
    if (FEATURE_FAST ? markOf(record) : markOf(record) | <i32>!mayMove) {
      const size = next - record;
      memory.copy(to, record, size);
      const isKept = FEATURE_RAW && load<u8>(to, Record.Packet) == SUBSCRIBE;
      to += size;
      if (isKept) {
        kept += size;
        floor = to;
      }
    }
    record = next;
  }
  head = to;
  if (FEATURE_FAST) reclaim();
  else setDeadline(Timer.Acknowledge, deadline);
  return <i32>kept;
}

/** Lets the cursor write up to the end, for a packet behind the last record: the record that it becomes. */
export function openRecord(): usize {
  limitTo(end);
  return head;
}

/**
 * Makes room for a record of which the cursor counted `needed` bytes; with `drop` at the cost of the oldest message, as
 * long as that is not in flight. Ok when it is worth another try, else Full or TooLarge.
 */
export function makeRoom(needed: i32, isSending: bool, drop: bool): i32 {
  const before = head;
  const mayMove = !isSending & !lends;
  if (FEATURE_FAST && mayMove) needed += compact(true);
  if (needed > <i32>(end - base)) return fail(Status.TooLarge, needed, 0, 0);
  if (FEATURE_FAST && head < before) return Status.Ok;
  if (FEATURE_RAW && mayMove & drop) {
    let record = first; // there is one, or what is needed would fit
    do {
      if (!isRequest(record)) {
        if (markOf(record) != Mark.Message) break;
        setMark(record, Mark.Free);
        count(Stat.MessagesDropped);
        const id = idOf(record);
        if (id) store<u32>(STATS, id, Stat.LastDroppedId);
        return Status.Ok;
      }
      record = after(record);
    } while (record < head);
  }
  count(Stat.MessagesRefused);
  return Status.Full;
}

/** The id that the next message at QoS 1 gets; 0 while the oldest message still has it. */
export function nextMessageId(): i32 {
  const id = (lastMessageId % MESSAGE_ID_MAX) + 1;
  // Ids are given in the order of the records, so the oldest is the first to collide.
  return (begin() < head) & (idOf(begin()) == id) ? 0 : id;
}

/** The id that the next SUBSCRIBE or UNSUBSCRIBE gets; they never collide with those of messages. */
export function nextRequestId(): i32 {
  return (++lastRequestId & MESSAGE_ID_MAX) | (MESSAGE_ID_MAX + 1);
}

/** Adds the packet that was written at the cursor, with its id (0 at QoS 0) and in the low twelve bits what it costs. */
export function commit(id: i32, cost: i32): void {
  const mark = FEATURE_RAW ? Mark.Message + <i32>isRequest(head) : Mark.Message;
  const length = <u32>(at - head - Record.Packet);
  setLength(head, length, cost);
  store<u32>(head, id | (mark << 16), Record.PacketId); // and no closes
  head = (at + 3) & ~3;
  if (FEATURE_RAW && mark == Mark.Request) {
    hasRequests = 1;
    floor = head;
  } else {
    count(Stat.MessagesQueued);
    if (id) lastMessageId = id;
  }
}

/**
 * The record of the next packet to send, 0 when there is none. Subscriptions go before messages; a message goes while less than `window` packets in front of it
 * wait for their acknowledgement.
 */
export function nextToSend(window: i32): usize {
  let inflight = 0;
  let connecting = 0;
  for (let record = begin(); record < head; ) {
    const mark = markOf(record);
    if (mark == (FEATURE_RAW ? Mark.Message + hasRequests : Mark.Message)) {
      if ((mark == Mark.Message) & (idOf(record) != 0) & (inflight >= (evidence == PROBING ? 1 : window))) return 0;
      // A server that knows the question for the limits has answered it before the SUBACKs of the session.
      if (isForChildren(record) && isRequest(first) & setting(Setting.SessionLimits)) return 0;
      // What the server may not have seen yet is sent again, and behind a disconnect it would bring the child back.
      if (FEATURE_GATEWAY && connecting & <i32>(kindOf(record) == ForChildren.Disconnect)) return 0;
      return (current = record);
    }
    inflight += <i32>(mark == Mark.Sent);
    if (FEATURE_GATEWAY) connecting |= <i32>(mark == Mark.Sent) & <i32>(kindOf(record) == ForChildren.Connect);
    record = after(record);
    if (FEATURE_RAW && (record == head) & hasRequests) {
      // There is none: now the messages.
      hasRequests = inflight = 0;
      record = first;
    }
  }
  return 0;
}

/** The packet that `nextToSend` gave was accepted whole. */
export function markSent(acknowledgeS: u32): void {
  const record = current;
  if (!isRequest(record)) {
    count(Stat.MessagesSent);
    if (load<u8>(record, Record.Packet) & PublishFlag.Dup) count(Stat.MessagesResent);
  }
  if (!FEATURE_FAST || idOf(record)) store<u32>(record, fromNow(acknowledgeS * 1000), Record.Deadline);
  setMark(record, idOf(record) ? Mark.Sent : Mark.Free);
  reclaim();
}

/** An acknowledgement came: the record of this session that waited for it, or 0. Its packet stays readable until the next verb. */
export function acknowledge(type: i32, id: i32): usize {
  for (let record = begin(); record < head; record = after(record)) {
    // The answer to a packet has the next higher type. What is above the mark does not matter.
    const isAnswered = !((load<u32>(record, Record.PacketId) ^ (id | (Mark.Sent << 16))) << 8);
    if (isAnswered & ((FEATURE_RAW ? (load<u8>(record, Record.Packet) >> 4) + 1 : <i32>Packet.Puback) == type)) {
      setMark(record, FEATURE_RAW && type == Packet.Suback ? Mark.Settled : Mark.Free);
      if (!FEATURE_RAW || type == Packet.Puback) evidence = ACKNOWLEDGED;
      reclaim();
      return record;
    }
  }
  return 0;
}

/** The session ended: everything unacknowledged is sent again in the next one, and every subscription asserted. */
export function rewind(): void {
  const wasAcknowledged = evidence == ACKNOWLEDGED;
  for (let record = base; record < head; record = after(record)) {
    const mark = markOf(record);
    if (isRequest(record)) {
      // Nobody remembers a subscription that ended with the session.
      if (mark) setMark(record, load<u8>(record, Record.Packet) == SUBSCRIBE ? Mark.Request : Mark.Free);
    } else if (mark == Mark.Sent) {
      evidence = PROBING;
      // A message again, and a session more above that.
      store<u16>(record, load<u16>(record, Record.Mark) + (Mark.Message - Mark.Sent + 0x100), Record.Mark);
      // A repetition keeps its id and says so [MQTT-3.3.1-1] [MQTT-4.4.0-1].
      store<u8>(record, load<u8>(record, Record.Packet) | PublishFlag.Dup, Record.Packet);
    } else if (FEATURE_OTA && kindOf(record) == FREE) {
      // A chunk that this asks for is asked for again by the next session.
      setMark(record, Mark.Free);
    }
    if (wasAcknowledged) store<u8>(record, 0, Record.Closes);
  }
  if (wasAcknowledged) evidence = 0;
  if (FEATURE_RAW) hasRequests = 1;
  first = base;
  reclaim();
}

/** The oldest message if it is poison, else 0. */
export function poison(): usize {
  let record = begin();
  // Behind the last record there is memory, too: to look at it costs less than not to.
  while ((record < head) & (markOf(record) != Mark.Message)) record = after(record);
  return (record < head) & (load<u8>(record, Record.Closes) >= <u8>CLOSES_MAX) ? record : 0;
}

/** Takes a message out that waits for nothing. An event lends its bytes: their room is free after that. */
// @ts-ignore: decorator
@inline
export function reject(record: usize): void {
  setMark(record, Mark.Free);
  lends = true;
}

/** The outbox lies behind everything else that is sent, so this tells its packets apart by where they end. */
// @ts-ignore: decorator
@inline
export function holds(packetEnd: usize): bool {
  return packetEnd > base;
}

/** Takes a record out; nothing waits for its acknowledgement any more. */
export function drop(record: usize): void {
  setMark(record, Mark.Free);
  reclaim();
}

/** The record of the subscription to a filter, or 0. */
export function subscriptionTo(filter: usize, length: i32): usize {
  for (let record = base; record < head; record = after(record)) {
    // The filter ends one byte before the packet does.
    const text = record + (Record.Packet - 1) + lengthOf(record) - length;
    const isSubscription = (markOf(record) != Mark.Free) & (load<u8>(record, Record.Packet) == SUBSCRIBE);
    if (isSubscription & (readU16(text - 2) == length) && equals(text, filter, length)) return record;
  }
  return 0;
}
