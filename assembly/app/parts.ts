// Sends the open object in several messages, where one is too large for the client's buffers, for the server, or for its number of data points.
//
// What leaves is cut between members, each of which leaves once; a time stamp in front of `values` stands in each message again.
import { Member, MemberField, Status } from "../abi";
import { KEPT, MESSAGE } from "./memory";
import { ended, padded } from "./message";
import { rawSendAttributes, rawSendTelemetry } from "./verbs";

/** Heads of a message: an object, or an object with `ts` and `values`. */
const PLAIN_HEAD: i32 = MemberField.Key;
const TIMED_HEAD: i32 = 3 * MemberField.Key + 4 + 8;
/** Where `values` stands behind `ts`. */
const VALUES: i32 = 2 * MemberField.Key + 4;

let isTelemetry: bool = false;
let bits: i32 = 0;
let membersMax: i32 = 0;
/** There is something to send: the members from `first` to `last`. */
let isOpen: bool = false;
let first: usize = 0;
let last: usize = 0;
/** Bytes of the head in front of each message, 0 for ready text, and where it stands. */
let head: i32 = 0;
let frame: usize = 0;
/** Bytes of the ends behind it. */
let tail: i32 = 0;
/** Members that `reach` has passed. */
let passed: i32 = 0;

/** The end of a member with all that is nested in it. */
function after(member: usize): usize {
  let depth = 0;
  do {
    const type = load<u8>(member);
    if (type == Member.ObjectBegin || type == Member.ArrayBegin) depth++;
    if (type == Member.End) depth--;
    const hasText = type == Member.Text || type == Member.Json;
    member += MemberField.Key + padded(load<u16>(member, MemberField.KeyLength)) + (hasText ? padded(load<i32>(member, MemberField.Number)) : 0);
  } while (depth > 0 && member < last);
  return member;
}

/** The end of at most so many members from the first on. */
function reach(members: i32): usize {
  let at = first;
  for (passed = 0; passed < members && at < last; passed++) at = after(at);
  return at;
}

/** Sends the members from the first up to an address; the bytes there make room for the ends of the objects meanwhile. */
function send(end: usize): i32 {
  const start = first - head;
  memory.copy(start, frame, head);
  frame = start;
  memory.copy(KEPT, end, tail);
  memory.fill(end, 0, tail);
  for (let at = end; at < end + tail; at += MemberField.Key) store<u8>(at, Member.End);
  const length = <i32>(end - start) + tail;
  const result = isTelemetry ? rawSendTelemetry(start, length, bits) : rawSendAttributes(start, length, bits);
  memory.copy(end, KEPT, tail);
  return result;
}

/** A member `ts` in front, and behind it an object `values`. */
function hasTime(): bool {
  const ts = MESSAGE + PLAIN_HEAD;
  const values = MESSAGE + VALUES;
  return load<u32>(ts) == (Member.Integer | (2 << 16)) && load<u16>(ts, MemberField.Key) == 0x7374 &&
    load<u32>(values) == (Member.ObjectBegin | (6 << 16)) && load<u32>(values, MemberField.Key) == 0x756c6176 && load<u16>(values, MemberField.Key + 4) == 0x7365;
}

function begin(options: i32, pointsMax: i32): i32 {
  const bytes = ended();
  if (bytes < 0) return bytes;
  bits = options;
  membersMax = pointsMax ? pointsMax : i32.MAX_VALUE;
  isOpen = true;
  frame = MESSAGE;
  head = tail = 0;
  const isTimed = isTelemetry && hasTime();
  last = MESSAGE + bytes;
  if (load<u8>(MESSAGE) == Member.ObjectBegin && (!isTimed || after(MESSAGE + VALUES) == last - MemberField.Key)) {
    head = isTimed ? TIMED_HEAD : PLAIN_HEAD;
    tail = isTimed ? 2 * MemberField.Key : MemberField.Key;
    last -= tail;
  }
  first = MESSAGE + head;
  return sendRest();
}

/**
 * Sends the message as telemetry, in as many messages as it takes: `pointsMax` data points each, 0 = any. The result of the last one; Full: call
 * `sendRest` after the next Delivered, and begin no other message before. TooLarge: a single member that never fits; what stands before it has left.
 */
export function sendTelemetryInParts(pointsMax: i32 = 0, options: i32 = 0): i32 {
  isTelemetry = true;
  return begin(options, pointsMax);
}

/** The same of client attributes. */
export function sendAttributesInParts(pointsMax: i32 = 0, options: i32 = 0): i32 {
  isTelemetry = false;
  return begin(options, pointsMax);
}

/** Goes on where a message did not find room. The result of the last one, 0 when nothing is left. */
export function sendRest(): i32 {
  let result = 0;
  while (isOpen) {
    let end = reach(membersMax);
    while ((result = send(end)) == Status.TooLarge && passed > 1) end = reach(passed >> 1);
    if (result < 0) {
      isOpen = result == Status.Full;
      return result;
    }
    first = end;
    isOpen = first < last;
  }
  return result;
}
