// Sends the message in several, where one is too large for the client's buffers, for the server, or for its numbers of data points and of
// children.
//
// A message is cut between data points, each of which leaves once. What stands around them - the name of a child, the list, `ts` and
// `metadata` - stands in each message again: it is moved in front of what is left, over what has gone.
import { Member, MemberField, Status } from "../abi";
import { KEPT, LEVELS, MESSAGE } from "./memory";
import { ended, hold, isHeld, padded } from "./message";
import { rawChildrenMax, rawPointsMax, rawSendAttributes, rawSendChildAttributes, rawSendChildTelemetry, rawSendTelemetry } from "./verbs";

// What a message is.
const TELEMETRY: i32 = 0;
const ATTRIBUTES: i32 = 1;
const CHILD_TELEMETRY: i32 = 2;
const CHILD_ATTRIBUTES: i32 = 3;

// A level that is open: where its head stands, the bytes of it, and how many members End close it.
const HEAD_AT: usize = 0;
const HEAD_BYTES: usize = 4;
const ENDS: usize = 8;
const LEVEL_BYTES: i32 = 12;
const LEVELS_MAX: i32 = 3;
/** The level of the children: in a document of a gateway they are the members. */
const CHILDREN: i32 = 1;
/** Where those of the rest stand, while a part is looked for. */
const REST: i32 = LEVELS_MAX * LEVEL_BYTES;

let kind: i32 = 0;
let bits: i32 = 0;
let pointsMax: i32 = 0;
/** There is something to send: the members from `first` to `last`. */
let isOpen: bool = false;
let first: usize = 0;
let last: usize = 0;
/** Levels around an entry, whose members are the data points. */
let outer: i32 = 0;
/** Levels that are open at `first`; their heads, `head` bytes, stand in front of it. */
let depth: i32 = 0;
let head: i32 = 0;
/** Of the part that `reach` found: data points, and the levels that are open behind it. */
let passed: i32 = 0;
let reached: i32 = 0;

// Set by the verbs that an app uses, and for ever false in an app that does not: so the others, and what they import, are left out.
let hasTelemetry: bool = false;
let hasAttributes: bool = false;
let hasChildTelemetry: bool = false;
let hasChildAttributes: bool = false;

/** The end of a member with all that is nested in it. */
function after(member: usize): usize {
  let nested = 0;
  do {
    const type = load<u8>(member);
    if (type == Member.ObjectBegin || type == Member.ArrayBegin) nested++;
    if (type == Member.End) nested--;
    const text = type == Member.Text || type == Member.Json ? padded(load<i32>(member, MemberField.Number)) : 0;
    member = behindKey(member) + text;
  } while (nested > 0 && member < last);
  return member;
}

function behindKey(member: usize): usize {
  return member + MemberField.Key + padded(load<u16>(member, MemberField.KeyLength));
}

/**
 * Where the data points of an entry begin: behind its head, and behind `values` when `ts` stands first, then perhaps `metadata`, and
 * `values` last. 0 for an entry with `ts` in another form, which leaves whole.
 */
function pointsOf(entry: usize): usize {
  const ts = behindKey(entry);
  const isTimed = (kind & 1) == TELEMETRY && load<u32>(ts) == (Member.Integer | (2 << 16)) && load<u16>(ts, MemberField.Key) == 0x7374;
  if (!isTimed) return ts;
  let values = after(ts);
  if (load<u32>(values) == (Member.ObjectBegin | (8 << 16)) && load<u64>(values, MemberField.Key) == 0x617461646174656d) values = after(values);
  const isLast = load<u32>(values) == (Member.ObjectBegin | (6 << 16)) && load<u32>(values, MemberField.Key) == 0x756c6176 &&
    load<u16>(values, MemberField.Key + 4) == 0x7365 && load<u8>(after(values)) == Member.End;
  return isLast ? behindKey(values) : 0;
}

/** Opens the level that begins at a member; where its members begin, 0 for what leaves whole. */
function open(at: usize): usize {
  if (<i32>load<u8>(at) < Member.ObjectBegin) return 0;
  const isEntry = reached == outer;
  const points = isEntry ? pointsOf(at) : behindKey(at);
  if (!points) return 0;
  const level = LEVELS + reached++ * LEVEL_BYTES;
  store<u32>(level, at, HEAD_AT);
  store<i32>(level, <i32>(points - at), HEAD_BYTES);
  store<i32>(level, points == behindKey(at) ? 1 : 2, ENDS);
  return points;
}

/** The end of at most so many data points and children, 0 = any, from the first on, and of all that ends with them. */
function reach(most: i32, mostChildren: i32): usize {
  let at = first;
  // One that was begun already counts in this part, too.
  let children = <i32>(depth > CHILDREN);
  memory.copy(LEVELS, LEVELS + REST, REST);
  reached = depth;
  passed = 0;
  while (at < last) {
    if (load<u8>(at) == Member.End) {
      at += MemberField.Key * load<i32>(LEVELS + --reached * LEVEL_BYTES, ENDS);
      continue;
    }
    const isChild = mostChildren && reached == CHILDREN;
    if (passed == most || (isChild && children == mostChildren)) break;
    if (isChild) children++;
    const opened: usize = reached > outer ? 0 : open(at);
    if (opened) at = opened;
    else at = after(at);
    // What is empty counts too, so that it can be parted from the others.
    if (!opened || load<u8>(at) == Member.End) passed++;
  }
  return at;
}

/** Sends what `reach` found; the bytes behind it make room for the ends of the levels meanwhile. */
function send(end: usize): i32 {
  let tail = 0;
  for (let i = 0; i < reached; i++) tail += MemberField.Key * load<i32>(LEVELS + i * LEVEL_BYTES, ENDS);
  memory.copy(KEPT, end, tail);
  memory.fill(end, 0, tail);
  for (let at = end; at < end + tail; at += MemberField.Key) store<u8>(at, Member.End);
  const start = first - head;
  const length = <i32>(end - start) + tail;
  let result: i32 = Status.BadState;
  if (hasTelemetry && kind == TELEMETRY) result = rawSendTelemetry(start, length, bits);
  if (hasAttributes && kind == ATTRIBUTES) result = rawSendAttributes(start, length, bits);
  if (hasChildTelemetry && kind == CHILD_TELEMETRY) result = rawSendChildTelemetry(start, length, bits);
  if (hasChildAttributes && kind == CHILD_ATTRIBUTES) result = rawSendChildAttributes(start, length, bits);
  memory.copy(end, KEPT, tail);
  return result;
}

/** Goes on behind what `reach` found, with the heads of what is open there in front. */
function advance(end: usize): void {
  let at = end;
  for (depth = reached; reached; ) {
    const level = LEVELS + --reached * LEVEL_BYTES;
    const bytes = load<i32>(level, HEAD_BYTES);
    at -= bytes;
    memory.copy(at, load<u32>(level, HEAD_AT), bytes);
    store<u32>(level, at, HEAD_AT);
  }
  memory.copy(LEVELS + REST, LEVELS, REST);
  head = <i32>(end - at);
  first = end;
  isOpen = first < last;
}

function begin(what: i32, most: i32, options: i32): i32 {
  const bytes = ended();
  if (bytes < 0) return bytes;
  hold();
  kind = what;
  bits = options;
  pointsMax = most;
  outer = what >> 1 ? (what == CHILD_TELEMETRY ? 2 : 1) : <i32>(load<u8>(MESSAGE) == Member.ArrayBegin);
  depth = head = 0;
  first = MESSAGE;
  last = MESSAGE + bytes;
  isOpen = true;
  return sendRest();
}

/**
 * Sends the message as telemetry, in as many messages as it takes: `most` data points each, 0 = as many as the server allows. The result of
 * the last one. Full: call `sendRest` after the next Delivered. TooLarge: a single data point that never fits, `errorValue` has the bytes needed;
 * what stands before it has left, and `sendRest` goes on behind it. Another failure ends it. Until then begin no other message.
 */
export function sendTelemetryInParts(most: i32 = 0, options: i32 = 0): i32 {
  hasTelemetry = true;
  return begin(TELEMETRY, most, options);
}

/** The same of client attributes. */
export function sendAttributesInParts(most: i32 = 0, options: i32 = 0): i32 {
  hasAttributes = true;
  return begin(ATTRIBUTES, most, options);
}

/** The same of a gateway's telemetry of children: an object with a list of entries for each. */
export function sendChildTelemetryInParts(most: i32 = 0, options: i32 = 0): i32 {
  hasChildTelemetry = true;
  return begin(CHILD_TELEMETRY, most, options);
}

/** The same of a gateway's attributes of children: an object with an object for each. */
export function sendChildAttributesInParts(most: i32 = 0, options: i32 = 0): i32 {
  hasChildAttributes = true;
  return begin(CHILD_ATTRIBUTES, most, options);
}

/** Goes on where a message did not find room. The result of the last one, 0 when nothing is left; BadState: another message took its place. */
export function sendRest(): i32 {
  let result = 0;
  if (isOpen && !isHeld()) {
    isOpen = false;
    return Status.BadState;
  }
  while (isOpen) {
    const most = pointsMax ? pointsMax : rawPointsMax(kind >> 1);
    let mostChildren = 0;
    if (hasChildTelemetry || hasChildAttributes) mostChildren = kind >> 1 ? rawChildrenMax() : 0;
    let end = reach(most ? most : i32.MAX_VALUE, mostChildren);
    while ((result = send(end)) == Status.TooLarge && passed > 1) end = reach(passed >> 1, mostChildren);
    if (result >= 0 || result == Status.TooLarge) advance(end);
    if (result < 0) {
      isOpen = isOpen && (result == Status.Full || result == Status.TooLarge);
      return result;
    }
  }
  return result;
}
