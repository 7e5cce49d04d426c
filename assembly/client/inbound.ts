// Holds what arrived until it was handled: one packet whole, or one PUBLISH in parts where the buffer is too small.
//
//   base ........ first ........ filled ........ end        In parts, the topic stays at base and
//     (handled)         (arrived)       (free)              partAt, behind it, takes the place of base.
import { EventField, EventFlag, EventKind, Stat, Status } from "../abi";
import { net_recv } from "../host";
import { carve, count, countBy, EVENT } from "../memory";
import { headerLength, readHeader, remainingLength } from "../mqtt/frame";
import { Packet } from "../mqtt/packet";
import { packetId, payload, readPublish, topic, topicLength } from "../mqtt/publish";
import { raise, setPayload, setTopic } from "./event";

/** What `receive` returns for a whole packet that is no PUBLISH. */
export const PACKET: i32 = 1;

/** A part should be worth its event: with less room behind the topic the message is too large. */
const PART_MIN: i32 = 16;

let base: usize = 0;
let end: usize = 0;
let first: usize = 0;
let filled: usize = 0;
/** The first byte behind what the last event lent. */
let consumed: usize = 0;
let partAt: usize = 0;
/** Payload bytes of a message in parts: all, and still to come. */
let partTotal: i32 = 0;
export let partLeft: i32 = 0;
/** The flags of the message that is being delivered. */
let flags: u32 = 0;
/** The rest of the message is passed without events. */
let skipping: bool = false;
/** An event lends a message, or a part of one. */
export let lent: bool = false;

export function carveInbound(size: usize): void {
  base = first = filled = carve(size);
  end = base + size;
}

/** Forgets everything; true when that cut a message off that was being delivered in parts. */
export function reset(): bool {
  const aborted = partLeft != 0 && !skipping;
  first = filled = base;
  partLeft = 0;
  lent = skipping = false;
  return aborted;
}

/** Takes back what the last event lent. */
export function takeBack(): void {
  lent = false;
  first = consumed;
  if (partLeft) first = filled = partAt;
}

/** Passes the rest of the message in parts that is being delivered. */
export function skipRest(): void {
  skipping = partLeft != 0;
}

/** Reads from the network behind what arrived; the bytes read, or the failure. */
function fill(handle: i32): i32 {
  if (!partLeft && first > base) {
    memory.copy(base, first, filled - first);
    filled -= first - base;
    first = base;
  }
  const read = net_recv(handle, filled, <i32>(end - filled));
  if (read > 0) {
    filled += read;
    countBy(Stat.BytesReceived, read);
  }
  return read;
}

/** Writes the event of a message, or of a part of it. */
function lend(length: i32): i32 {
  lent = true;
  raise(EventKind.Message, packetId, 0);
  setTopic(topic, topicLength);
  setPayload(first, length);
  consumed = first + length;
  const offset = partTotal - partLeft;
  partLeft -= length;
  store<u8>(EVENT, flags | (partLeft ? 0 : <u32>EventFlag.Last), EventField.Flags);
  store<u32>(EVENT, partTotal, EventField.Total);
  store<u32>(EVENT, offset, EventField.Offset);
  if (!skipping) return EventKind.Message;
  // Nobody sees a part that is passed; the end of the message still has to be acknowledged.
  if (partLeft) takeBack();
  else skipping = false;
  return EventKind.None;
}

/** Handles the PUBLISH at `first`, all of which arrived or ever fits. */
function receivePublish(): i32 {
  flags = load<u8>(first) & 15;
  const body = first + headerLength;
  const status = readPublish(flags, body, remainingLength, min<i32>(<i32>(filled - body), remainingLength));
  if (status) {
    if (status == Status.Malformed) return status;
    return filled < end ? <i32>EventKind.None : <i32>Status.TooLarge;
  }
  count(Stat.MessagesReceived);
  partTotal = partLeft = remainingLength - <i32>(payload - body);
  first = partAt = payload;
  const length = min<i32>(partLeft, <i32>(filled - payload));
  if (length < partLeft && <i32>(end - payload) < PART_MIN) return Status.TooLarge;
  return lend(length);
}

/** One step of receiving: Message with its event, PACKET, None, or the Status that ends the connection. */
export function receive(handle: i32): i32 {
  if (partLeft) {
    const read = first == filled ? fill(handle) : 0;
    return read < 0 ? read : first < filled ? lend(min<i32>(partLeft, <i32>(filled - first))) : EventKind.None;
  }
  let filledOnce = false;
  while (true) {
    const available = <i32>(filled - first);
    const status = readHeader(first, available);
    if (status == Status.Malformed) return status;
    const length = headerLength + remainingLength;
    if (!status) {
      const isPublish = load<u8>(first) >> 4 == <u8>Packet.Publish;
      if (available >= length || (filledOnce && isPublish && length > <i32>(end - base))) {
        return isPublish ? receivePublish() : PACKET;
      }
    }
    if (filledOnce) return EventKind.None;
    const read = fill(handle);
    if (read < 0) return read;
    if (!read && filled < end) return EventKind.None;
    filledOnce = true;
  }
}

/** The first byte of the packet that `receive` found. */
export function firstByte(): u32 {
  return load<u8>(first);
}

/** The body of the packet that `receive` found; it is passed, and its bytes stay until the next `receive`. */
export function passPacket(): usize {
  const body = first + headerLength;
  first = body + remainingLength;
  return body;
}
