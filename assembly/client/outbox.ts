// Keeps outgoing publishes, in order, until they were sent (QoS 0) or acknowledged (QoS 1).
//
//   base ... first .......... sendAt .......... head ....... end
//     (free)    (sent, not all    (to be sent)       (free)
//                acknowledged)
//
//   record  0  u32 bytes of the packet
//           4  u16 packet id, 0 at QoS 0
//           6  u8  Mark
//           7  u8  sessions in a row that ended while it was in flight
//           8  u32 deadline of its PUBACK
//          12  the packet, padded to four
import { Stat, Status } from "../abi";
import { at, open } from "../base/cursor";
import { fromNow, setDeadline, Timer } from "../base/time";
import { carve, count, fail } from "../memory";
import { PublishFlag } from "../mqtt/packet";

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
  Sent = 2, // QoS 1, handed to the port, in this session or an earlier one
}

/** A message is poison once so many sessions in a row ended on it. */
const CLOSES_MAX: u32 = 3;
/** Packet ids from here up belong to subscriptions, so that the two never collide. */
export const PUBLISH_ID_MAX: i32 = 0x7fff;

let base: usize = 0;
let end: usize = 0;
let head: usize = 0;
let first: usize = 0;
export let sendAt: usize = 0;
/** Messages sent in this session and not acknowledged. */
let inflight: i32 = 0;
let lastId: i32 = 0;
/** Nothing was acknowledged in the last session: send one message at a time, to find the one that ends sessions. */
let probing: bool = false;
/** A PUBACK came in this session. */
let acknowledged: bool = false;

export function carveOutbox(size: usize): void {
  base = head = first = sendAt = carve(size);
  end = base + (size & ~3);
}

export function isEmpty(): bool {
  return first == head;
}

function after(record: usize): usize {
  return record + ((load<u32>(record, Record.Length) + (Record.Packet + 3)) & ~3);
}

function markOf(record: usize): i32 {
  return load<u8>(record, Record.Mark);
}

/** Passes free records in front, and sets the deadline of the oldest message in flight. */
function reclaim(): void {
  while (first < head && markOf(first) == Mark.Free) first = after(first);
  if (sendAt < first) sendAt = first;
  if (first == head) first = head = sendAt = base;
  setDeadline(Timer.Acknowledge, first < sendAt ? load<u32>(first, Record.Deadline) : 0);
}

/** Moves the records together at the base. None of them may be on its way to the port. */
function compact(): void {
  let to = base;
  for (let record = first; record < head; ) {
    const next = after(record);
    if (record == sendAt) sendAt = to;
    if (markOf(record)) {
      memory.copy(to, record, next - record);
      to += next - record;
    }
    record = next;
  }
  if (sendAt == head) sendAt = to;
  first = base;
  head = to;
}

/** Opens the cursor for a packet behind the last record. */
export function openRecord(): void {
  open(head + Record.Packet, end);
}

/**
 * Makes room for a packet of which the cursor counted `needed` bytes; with `drop` at the cost of the oldest message, as
 * long as that is not in flight. Ok when it is worth another try, else Full or TooLarge.
 */
export function makeRoom(needed: i32, isSending: bool, drop: bool): i32 {
  needed += Record.Packet;
  if (needed > <i32>(end - base)) return fail(Status.TooLarge, needed, 0, 0);
  if (!isSending) {
    const before = head;
    compact();
    if (head < before) return Status.Ok;
    if (FEATURE_RAW && drop && first < head && first == sendAt) {
      store<u8>(first, Mark.Free, Record.Mark);
      count(Stat.MessagesDropped);
      reclaim();
      compact();
      return Status.Ok;
    }
  }
  count(Stat.MessagesRefused);
  return Status.Full;
}

/** The id that the next message at QoS 1 gets; 0 while the oldest message still has it. */
export function nextId(): i32 {
  const id = (lastId % PUBLISH_ID_MAX) + 1;
  // Ids are given in the order of the records, so the oldest is the first to collide.
  return first < head && load<u16>(first, Record.PacketId) == id ? 0 : id;
}

/** Adds the packet that was written at the cursor, of the id that `nextId` gave (0 at QoS 0). */
export function commit(id: i32): void {
  store<u32>(head, at - head - Record.Packet, Record.Length);
  store<u32>(head, id | (Mark.Queued << 16), Record.PacketId); // and no closes
  if (id) lastId = id;
  head = (at + 3) & ~3;
  count(Stat.MessagesQueued);
}

/** The next packet to send; 0 when there is none or the window is full. */
export function nextToSend(window: i32): usize {
  while (sendAt < head && !markOf(sendAt)) sendAt = after(sendAt);
  if (sendAt == head) return 0;
  const packet = sendAt + Record.Packet;
  if (load<u16>(sendAt, Record.PacketId)) {
    if (inflight >= (probing ? 1 : window)) return 0;
    if (markOf(sendAt) == Mark.Sent) {
      // A repetition keeps its id and says so [MQTT-3.3.1-1] [MQTT-4.4.0-1].
      store<u8>(packet, load<u8>(packet) | PublishFlag.Dup);
      count(Stat.MessagesResent);
    }
  }
  return packet;
}

/** Bytes of a packet of the outbox. */
export function packetLength(packet: usize): i32 {
  return load<i32>(packet - Record.Packet);
}

/** The packet at `sendAt` was accepted whole. */
export function markSent(acknowledgeMs: u32): void {
  count(Stat.MessagesSent);
  const isQos1 = load<u16>(sendAt, Record.PacketId) != 0;
  inflight += <i32>isQos1;
  store<u8>(sendAt, isQos1 ? Mark.Sent : Mark.Free, Record.Mark);
  store<u32>(sendAt, fromNow(acknowledgeMs), Record.Deadline);
  sendAt = after(sendAt);
  reclaim();
}

/** A PUBACK came: true when a message of this session waited for it. */
export function acknowledge(id: i32): bool {
  for (let record = first; record < sendAt; record = after(record)) {
    if (load<u16>(record, Record.PacketId) != id || markOf(record) != Mark.Sent) continue;
    store<u8>(record, Mark.Free, Record.Mark);
    inflight--;
    probing = false;
    acknowledged = true;
    reclaim();
    return true;
  }
  return false;
}

/** The session ended: everything unacknowledged is sent again in the next one. */
export function rewind(wasConnected: bool): void {
  if (wasConnected) probing = !acknowledged && inflight != 0;
  for (let record = first; record < head; record = after(record)) {
    let closes: i32 = load<u8>(record, Record.Closes);
    if (probing && record < sendAt && markOf(record) == Mark.Sent && wasConnected) closes++;
    store<u8>(record, acknowledged ? 0 : closes, Record.Closes);
  }
  acknowledged = false;
  inflight = 0;
  sendAt = first;
  reclaim();
}

/** The first packet if it is poison, else 0. */
export function poison(): usize {
  return first < head && load<u8>(first, Record.Closes) >= <u8>CLOSES_MAX ? first + Record.Packet : 0;
}

/** Sets the first packet aside. */
export function dropPoison(): void {
  count(Stat.MessagesRejected);
  store<u8>(first, Mark.Free, Record.Mark);
  reclaim();
}
