// Keeps the declared subscriptions, each as the packet that asserts it.
//
//   entry  0  u16 bytes of the entry, a multiple of four
//          2  u8  Mark
//          3  u8  requested QoS
//          4  u16 bytes of the filter
//          6  u16 id: the subscription's and its packets'
//          8  three bytes for a fixed header, written backwards from 11
//         11  packet id, 13 filter length, 15 filter, requested QoS
import { EventKind, Status } from "../abi";
import { open, putByte, putU16 } from "../base/cursor";
import { equals } from "../base/text";
import { carve, fail } from "../memory";
import { Packet, SUBACK_REFUSED } from "../mqtt/packet";
import { PUBLISH_ID_MAX } from "./outbox";
import { raise, setTopic } from "./event";

const enum Entry {
  Size = 0,
  Mark = 2,
  Qos = 3,
  FilterLength = 4,
  Id = 6,
  PacketId = 11,
  Filter = 15,
}

const enum Mark {
  Declared = 0, // SUBSCRIBE is to be sent
  Asked = 1, // SUBSCRIBE was sent, SUBACK is awaited
  Settled = 2, // SUBACK came
  Withdrawn = 3, // UNSUBSCRIBE is to be sent
  Leaving = 4, // UNSUBSCRIBE was sent, UNSUBACK is awaited
  Gone = 5, // ended; its bytes are taken back when no packet of the table is on its way
}

/** A filter length that no filter has. */
const NO_FILTER: i32 = 0xffff;

let base: usize = 0;
let end: usize = 0;
let used: usize = 0;
let lastId: i32 = 0;
/** Entries that still have a packet to send, and entries that wait for an answer. */
export let unsent: i32 = 0;
export let unanswered: i32 = 0;

export function carveSubscriptions(size: usize): void {
  base = used = carve(size);
  end = base + size;
}

/** Bytes that a filter of this length takes in the table. */
export function entrySize(filterLength: i32): i32 {
  return (<i32>Entry.Filter + 1 + filterLength + 3) & ~3;
}

function next(entry: usize): usize {
  return entry + load<u16>(entry, Entry.Size);
}

function setMark(entry: usize, mark: i32): void {
  store<u8>(entry, mark, Entry.Mark);
}

/** The entry of a filter, or 0. */
function entryOf(filter: usize, length: i32): usize {
  for (let entry = base; entry < used; entry = next(entry)) {
    if (load<u16>(entry, Entry.FilterLength) == length && equals(entry + Entry.Filter, filter, length)) return entry;
  }
  return 0;
}

function forget(entry: usize): void {
  setMark(entry, Mark.Gone);
  store<u16>(entry, NO_FILTER, Entry.FilterLength);
}

/** Takes back the bytes of ended subscriptions. Entries move, so none may be on its way. */
function compact(): void {
  let to = base;
  for (let entry = base; entry < used; ) {
    const size = load<u16>(entry, Entry.Size);
    if (load<u8>(entry, Entry.Mark) != <u8>Mark.Gone) {
      memory.copy(to, entry, size);
      to += size;
    }
    entry += size;
  }
  used = to;
}

/** Declares a subscription; a valid filter is the caller's duty. Its id, BadState before the last answer, or TooLarge. */
export function declare(filter: usize, length: i32, qos: i32): i32 {
  let entry = entryOf(filter, length);
  if (entry) {
    const mark: i32 = load<u8>(entry, Entry.Mark);
    // Subscribing again as a refresh makes ThingsBoard send every open RPC again, so only a change is sent.
    if (mark <= Mark.Settled && load<u8>(entry, Entry.Qos) == <u8>qos) return load<u16>(entry, Entry.Id);
    if (mark != Mark.Settled) return Status.BadState;
  } else {
    if (!unsent) compact();
    const size = entrySize(length);
    if (used + size > end) return fail(Status.TooLarge, size, 0, 0);
    entry = used;
    used += size;
    store<u16>(entry, size, Entry.Size);
    store<u16>(entry, length, Entry.FilterLength);
    store<u16>(entry, (++lastId & PUBLISH_ID_MAX) | (PUBLISH_ID_MAX + 1), Entry.Id);
    memory.copy(entry + Entry.Filter, filter, length);
  }
  unsent++;
  store<u8>(entry, qos, Entry.Qos);
  setMark(entry, Mark.Declared);
  return load<u16>(entry, Entry.Id);
}

/** Ends a subscription; `connected` says that the server knows of it. NotFound, or BadState before its last answer. */
export function withdraw(filter: usize, length: i32, connected: bool): i32 {
  const entry = entryOf(filter, length);
  if (!entry) return Status.NotFound;
  if (!connected) {
    forget(entry);
    return Status.Ok;
  }
  const mark: i32 = load<u8>(entry, Entry.Mark);
  if (mark < Mark.Settled) return Status.BadState;
  if (mark == Mark.Settled) {
    setMark(entry, Mark.Withdrawn);
    unsent++;
  }
  return Status.Ok;
}

/** A session began: everything declared is asserted, whatever the server says it remembers. */
export function assertAll(): void {
  unsent = unanswered = 0;
  for (let entry = base; entry < used; entry = next(entry)) {
    if (load<u8>(entry, Entry.Mark) >= <u8>Mark.Withdrawn) {
      forget(entry);
    } else {
      setMark(entry, Mark.Declared);
      unsent++;
    }
  }
}

/** The first entry that has a packet to send, or 0. */
export function nextToSend(): usize {
  for (let entry = base; unsent && entry < used; entry = next(entry)) {
    const mark = load<u8>(entry, Entry.Mark);
    if (mark == <u8>Mark.Declared || mark == <u8>Mark.Withdrawn) return entry;
  }
  return 0;
}

/** Lays out the packet of an entry; it ends at `packetEnd`. */
export function packetOf(entry: usize): usize {
  const filterLength: i32 = load<u16>(entry, Entry.FilterLength);
  const isSubscribe = load<u8>(entry, Entry.Mark) == <u8>Mark.Declared;
  const remaining = 4 + filterLength + <i32>isSubscribe;
  const packet = entry + (Entry.PacketId - 2) - <usize>(remaining > 0x7f);
  open(packet, packetEnd(entry) + 1);
  // SUBSCRIBE and UNSUBSCRIBE carry the flags 0010 [MQTT-3.8.1-1] [MQTT-3.10.1-1].
  putByte((isSubscribe ? Packet.Subscribe << 4 : Packet.Unsubscribe << 4) | 2);
  if (remaining > 0x7f) {
    putByte(remaining | 0x80);
    putByte(remaining >> 7);
  } else {
    putByte(remaining);
  }
  putU16(load<u16>(entry, Entry.Id));
  putU16(filterLength);
  store<u8>(entry + Entry.Filter + filterLength, load<u8>(entry, Entry.Qos));
  return packet;
}

export function packetEnd(entry: usize): usize {
  return entry + Entry.Filter + load<u16>(entry, Entry.FilterLength) + <usize>(load<u8>(entry, Entry.Mark) == <u8>Mark.Declared);
}

/** The packet of the entry was accepted whole. */
export function markSent(entry: usize): void {
  unsent--;
  unanswered++;
  setMark(entry, load<u8>(entry, Entry.Mark) + 1);
}

/** A SUBACK (`code` from it) or UNSUBACK (`code` -1) came. The event, None, or NotFound for an answer to nothing. */
export function settle(id: i32, code: i32): i32 {
  for (let entry = base; entry < used; entry = next(entry)) {
    if (load<u16>(entry, Entry.Id) != id) continue;
    if (load<u8>(entry, Entry.Mark) != (code < 0 ? <u8>Mark.Leaving : <u8>Mark.Asked)) break;
    unanswered--;
    if (code < 0) {
      forget(entry);
      return EventKind.None;
    }
    setMark(entry, Mark.Settled);
    raise(code == SUBACK_REFUSED ? <i32>EventKind.SubscriptionRefused : <i32>EventKind.Subscribed, id, code);
    setTopic(entry + Entry.Filter, load<u16>(entry, Entry.FilterLength));
    return code == SUBACK_REFUSED ? <i32>EventKind.SubscriptionRefused : <i32>EventKind.Subscribed;
  }
  return Status.NotFound;
}
