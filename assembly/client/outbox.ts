// Keeps outgoing publishes, in order, until they were sent (QoS 0) or acknowledged (QoS 1).
//
// One ring of whole packets; a packet is never split over the end of the ring.
//
//   record  0  u32 bytes of the packet        tail   the oldest record
//           4  u16 packet id, 0 at QoS 0      sendAt the next record to send in this session
//           6  u8  Mark                       head   where the next record goes
//           7  u8  closes it was in flight at
//           8  u32 deadline of its PUBACK     tail <= sendAt <= head, around the ring; tail == head: empty
//          12  the packet, padded to four
import { Stat, Status } from "../abi";
import { at, open, overflowed } from "../base/cursor";
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
  Free = 0, // acknowledged, sent or dropped; waits for the records before it
  Queued = 1,
  Sent = 2, // QoS 1, handed to the port, in this session or an earlier one
  Wrap = 3, // the ring goes on at its start
}

/** A message is poison once it was in flight at so many closes in a row. */
const CLOSES_MAX: u32 = 3;
/** Packet ids from here up belong to subscriptions, so that the two never collide. */
export const PUBLISH_ID_MAX: i32 = 0x7fff;

let base: usize = 0;
let end: usize = 0;
let head: usize = 0;
export let tail: usize = 0;
export let sendAt: usize = 0;
/** Messages sent in this session and not acknowledged. */
let inflight: i32 = 0;
let lastId: i32 = 0;
/** Nothing was acknowledged in the last session: send one message at a time, to find the one that ends sessions. */
let probing: bool = false;
/** A PUBACK came in this session. */
export let acknowledged: bool = false;

export function carveOutbox(size: usize): void {
  base = carve(size);
  end = base + (size & ~3);
  head = tail = sendAt = base;
}

export function isEmpty(): bool {
  return head == tail;
}

/** Where the record behind the end of the ring or a Wrap mark really is. */
function normalize(record: usize): usize {
  return record != head && (record + Record.Packet > end || load<u8>(record, Record.Mark) == <u8>Mark.Wrap) ? base : record;
}

function after(record: usize): usize {
  return normalize(record + ((load<u32>(record, Record.Length) + (Record.Packet + 3)) & ~3));
}

/** Passes free records at the tail, and sets the deadline of the oldest message in flight. */
export function reclaim(): void {
  while (tail != head && load<u8>(tail, Record.Mark) == <u8>Mark.Free) {
    if (sendAt == tail) sendAt = after(tail);
    tail = after(tail);
  }
  setDeadline(Timer.Acknowledge, inflight && tail != sendAt ? load<u32>(tail, Record.Deadline) : 0);
  // An empty ring starts over, so that the largest message fits again.
  if (tail == head) head = tail = sendAt = base;
}

/** Opens the cursor for a packet at the head, or with `wrapped` at the start of the ring. False when that is no other place. */
export function openRecord(wrapped: bool): bool {
  if (wrapped && (head < tail || tail == base)) return false;
  const from = wrapped ? base : head;
  // head may never meet tail from behind: that would look empty.
  let to = tail - 4;
  if (!wrapped && head >= tail) to = tail == base ? end - Record.Packet : end;
  open(from + Record.Packet, to);
  return true;
}

/** Whether a packet for which the cursor counted so many bytes fits an empty ring. */
export function canEverFit(packetLength: i32): bool {
  return packetLength <= <i32>(end - base) - 2 * <i32>Record.Packet;
}

/**
 * Drops the oldest message to make room, as long as it is not in flight and no byte of it was accepted: `busy` says
 * that the first unsent one is on its way. False when there is none.
 */
export function dropOldest(busy: bool): bool {
  if (tail == head || tail != sendAt || busy || load<u8>(tail, Record.Mark) == <u8>Mark.Free) return false;
  store<u8>(tail, Mark.Free, Record.Mark);
  count(Stat.MessagesDropped);
  reclaim();
  return true;
}

/** The id that the next message at QoS 1 gets; 0 when the oldest message still has it. */
export function nextId(): i32 {
  const id = (lastId % PUBLISH_ID_MAX) + 1;
  // Ids go round in the order of the ring, so the oldest record is the first to collide.
  return tail != head && load<u16>(tail, Record.PacketId) == id ? 0 : id;
}

/** Adds the packet that was written at the cursor from `packet`, of the id `nextId` gave (0 at QoS 0). */
export function commit(packet: usize, id: i32): void {
  const record = packet - Record.Packet;
  if (record != head && head + Record.Packet <= end) store<u8>(head, Mark.Wrap, Record.Mark);
  const wasAtHead = sendAt == head;
  const wasEmpty = tail == head;
  store<u32>(record, at - packet, Record.Length);
  store<u16>(record, id, Record.PacketId);
  store<u16>(record, Mark.Queued, Record.Mark); // and no closes
  if (id) lastId = id;
  head = (at + 3) & ~3;
  if (head + Record.Packet > end) head = base;
  if (wasAtHead) sendAt = record;
  if (wasEmpty) tail = record;
  count(Stat.MessagesQueued);
}

/** The next packet to send; 0 when there is none or the window is full. */
export function nextToSend(window: i32): usize {
  while (sendAt != head && load<u8>(sendAt, Record.Mark) == <u8>Mark.Free) sendAt = after(sendAt);
  if (sendAt == head) return 0;
  const packet = sendAt + Record.Packet;
  if (load<u16>(sendAt, Record.PacketId)) {
    if (inflight >= (probing ? 1 : window)) return 0;
    if (load<u8>(sendAt, Record.Mark) == <u8>Mark.Sent) {
      // A repetition keeps its id and says so [MQTT-3.3.1-1] [MQTT-4.4.0-1].
      store<u8>(packet, load<u8>(packet) | PublishFlag.Dup);
      count(Stat.MessagesResent);
    }
  }
  return packet;
}

/** Bytes of a packet of the ring. */
export function packetLength(packet: usize): i32 {
  return load<i32>(packet - Record.Packet, Record.Length);
}

/** The packet at `sendAt` was accepted whole. */
export function markSent(acknowledgeMs: u32): void {
  count(Stat.MessagesSent);
  const record = sendAt;
  sendAt = after(record);
  if (load<u16>(record, Record.PacketId)) {
    store<u8>(record, Mark.Sent, Record.Mark);
    store<u32>(record, fromNow(acknowledgeMs), Record.Deadline);
    inflight++;
  } else {
    store<u8>(record, Mark.Free, Record.Mark);
  }
  reclaim();
}

/** A PUBACK came: true when a message of this session waited for it. */
export function acknowledge(id: i32): bool {
  for (let record = tail; record != sendAt; record = after(record)) {
    if (load<u16>(record, Record.PacketId) != id || load<u8>(record, Record.Mark) != <u8>Mark.Sent) continue;
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
  if (wasConnected) {
    for (let record = tail; record != sendAt; record = after(record)) {
      if (load<u8>(record, Record.Mark) == <u8>Mark.Sent) store<u8>(record, load<u8>(record, Record.Closes) + 1, Record.Closes);
    }
    probing = !acknowledged && inflight != 0;
  }
  if (acknowledged) {
    for (let record = tail; record != head; record = after(record)) store<u8>(record, 0, Record.Closes);
  }
  acknowledged = false;
  inflight = 0;
  sendAt = tail;
  reclaim();
}

/** The packet at the tail if it is poison, else 0. It is freed, and its bytes stay until `reclaim`. */
export function takePoison(): usize {
  if (tail == head || load<u8>(tail, Record.Closes) < <u8>CLOSES_MAX || tail != sendAt) return 0;
  store<u8>(tail, Mark.Free, Record.Mark);
  count(Stat.MessagesRejected);
  return tail + Record.Packet;
}

/** The packet id of a packet of the ring. */
export function packetIdOf(packet: usize): i32 {
  return load<u16>(packet - Record.Packet, Record.PacketId);
}

/** The status when a packet of `needed` bytes found no room. */
export function noRoom(needed: i32): i32 {
  if (!canEverFit(needed)) return fail(Status.TooLarge, needed + 2 * <i32>Record.Packet);
  count(Stat.MessagesRefused);
  return fail(Status.Full, needed);
}
