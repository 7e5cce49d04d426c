// Holds what arrived until it was handled: one packet whole, or one PUBLISH in parts where the buffer is too small.
//
//   base ........ first ........ filled ........ end        In parts, the topic stays at base, and each
//     (handled)         (arrived)       (free)              part begins behind it, where the payload began.
import { EventField, EventFlag, EventKind, Stat, Status } from "../abi";
import { net_recv } from "../host";
import { carve, carved, count, countBy, EVENT } from "../memory";
import { body, bodyEnd, readHeader } from "../mqtt/frame";
import { Packet } from "../mqtt/packet";
import { packetId, payload, readPublish, topic, topicLength } from "../mqtt/publish";
import { raise, setPayload, setTopic } from "./event";

/** A part should be worth its event: with less room behind the topic the message is too large. */
const PART_MIN: i32 = 16;

let base: usize = 0;
let end: usize = 0;
let first: usize = 0;
let filled: usize = 0;
/** Payload bytes of a message in parts that are still to come. */
export let partLeft: i32 = 0;
/** The flags of the message that is being delivered. */
let flags: u32 = 0;
/** The rest of the message is passed without events. */
let skipping: i32 = 0;
/** The message is the module's own, so its end needs no event and its answer no application. */
export let isOwn: bool = false;
/** What is left of the last part was kept back, and nothing more is read until it is lent again. */
export let isHeld: bool = false;
/** An event lends a message, or a part of one: 0 when none does, else LENT, or REFUSED once it was not accepted. */
export let lent: i32 = 0;
export const LENT: i32 = 1;
export const REFUSED: i32 = 2;

export function carveInbound(size: usize): void {
  base = first = filled = carve(size);
  end = carved;
}

/** Its memory, which is free for other use while there is no connection. */
// @ts-ignore: decorator
@inline
export function buffer(): usize {
  return base;
}

/** Forgets everything; true when that cut a message off that was being delivered in parts. */
export function reset(): bool {
  const aborted = (partLeft != 0) & !skipping & !(FEATURE_OTA && isOwn);
  if (FEATURE_OTA) isHeld = false;
  first = filled = base;
  partLeft = lent = 0;
  return aborted;
}

/** The application says what it did with what is lent. */
export function answer(isAccepted: bool): void {
  lent = isAccepted ? LENT : REFUSED;
}

/** Takes back what the last event lent. */
// @ts-ignore: decorator
@inline
export function takeBack(): void {
  lent = 0;
}

/** Passes the rest of the message in parts that is being delivered. */
export function skipRest(): void {
  if (FEATURE_RAW) skipping = partLeft;
}

/** Takes the message that is lent for the module itself. */
export function claim(): void {
  isOwn = true;
}

/** Keeps the last bytes of what is lent, to be lent again by the next `receive`. */
export function keepBack(length: i32): void {
  first -= length;
  partLeft += length;
  lent = 0;
  isHeld = true;
}

/** Whether there is no event; `rest` is what was left of the message before. Without raw messages all but the first part is passed. */
// @ts-ignore: decorator
@inline
function isPassed(rest: i32): i32 {
  return FEATURE_RAW ? skipping : rest;
}

/** Writes the event of what arrived of a message, of which `rest` bytes were left, or 0 when it is new. */
function lend(rest: i32): i32 {
  if (FEATURE_OTA) isHeld = false;
  const left = partLeft;
  const from = first;
  const length = min<i32>(left, <i32>(filled - from));
  const isLast = <i32>(left == length);
  raise(EventKind.Message, packetId, 0);
  setTopic(topic, topicLength);
  setPayload(from, length);
  // Without raw messages only the first part is seen.
  const total = FEATURE_RAW ? <i32>(bodyEnd - payload) : left;
  store<u32>(EVENT, total, EventField.Total);
  if (FEATURE_RAW) store<u32>(EVENT, total - left, EventField.Offset);
  first = from + length;
  partLeft = left - length;
  store<u8>(EVENT, flags | (isLast * EventFlag.Last), EventField.Flags);
  // Nobody sees a part that is passed; the end of the message still has to be acknowledged.
  lent = <i32>!isPassed(rest) | isLast;
  return isPassed(rest) ? <i32>EventKind.None : <i32>EventKind.Message;
}

/** Looks at the packet at `from`: Ok for a PUBLISH to be lent, the first byte of another one, MoreBytes where it does not end at `to` yet, or what is wrong with it. */
// @ts-ignore: decorator
@inline
function begin(from: usize, to: usize, hasRead: bool): i32 {
  let status = readHeader(from, to);
  if (status) return status;
  // Only a PUBLISH can be longer than the buffer; what fits of it is at the base once more was read.
  // In a gateway the first part is as long as can be: the id of an answer stands in it.
  const isPart = to < bodyEnd;
  if (isPart & (!hasRead | (bodyEnd <= end) | (FEATURE_GATEWAY && to != end))) return Status.MoreBytes;
  const firstByte: i32 = load<u8>(from);
  if (firstByte >> 4 != Packet.Publish) return firstByte;
  status = readPublish(firstByte, body, bodyEnd, to);
  if (status) return status;
  flags = firstByte & 15;
  count(Stat.MessagesReceived);
  if (FEATURE_OTA) isOwn = false;
  if (FEATURE_RAW) skipping = 0;
  partLeft = <i32>(bodyEnd - payload);
  first = payload;
  return (<i32>(end - payload) < PART_MIN) & isPart ? <i32>Status.TooLarge : <i32>Status.Ok;
}

/** One step of receiving: Message with its event, the first byte of a whole packet that is no PUBLISH, None, or the Status that ends the connection. */
export function receive(handle: i32): i32 {
  // Not inlined, like flush(): where a compiler makes no tail calls (Cortex-M0+, Xtensa) each operation of wasm3 stays on the native
  // stack until its function returns, so what poll() has behind it must not lie below what is sent.
  let hasRead = false;
  while (true) {
    const from = first;
    const to = filled;
    if (from != to) {
      const rest = partLeft;
      const found = rest ? <i32>Status.Ok : begin(from, to, hasRead);
      if (!found) return lend(rest);
      if (found != Status.MoreBytes) return found == Status.Malformed ? <i32>Status.ProtocolError : found;
    }
    // Of a message whose topic does not fit, there is no more.
    if (hasRead) return to == end ? <i32>Status.TooLarge : <i32>EventKind.None;
    hasRead = true;
    if (partLeft) {
      first = filled = payload;
    } else {
      const kept = to - from;
      if (!FEATURE_FAST || kept) memory.copy(base, from, kept); // mostly nothing
      first = base;
      filled = base + kept;
    }
    const read = net_recv(handle, filled, <i32>(end - filled));
    if (read <= 0) return read;
    filled += read;
    countBy(Stat.BytesReceived, read);
  }
}

/** The body of the packet that `receive` found; it is passed, and its bytes stay until the next `receive`. */
export function passPacket(): usize {
  first = bodyEnd;
  return body;
}
