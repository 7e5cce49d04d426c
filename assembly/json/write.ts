// Writes JSON text from the packed message record that the host laid out in the staging area.
import { JSON_DEPTH_MAX, Member, MemberField, Status } from "../abi";
import { at, limit, moveTo, putByte, putBytes } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { bytes, copyPlain } from "../base/text";
import { isUtf8 } from "../base/utf8";
import { hasMembers, validate, WORDS, WORD_SIZE } from "./scan";

const CONTROL = bytes("\\u00");
const DIGITS_MAX: i32 = 18;

/** The bit of Shape.Counted. */
export const COUNTED_SHIFT: i32 = 24;
/** A shape without it. */
export const UNCOUNTED_SHAPE: i32 = (1 << COUNTED_SHIFT) - 1;

/** Which documents a topic takes: one bit for each Member that the outermost value may be. */
export const enum Shape {
  Any = 1023, // an RPC reply
  Object = 128, // attributes, a request: 1 << Member.ObjectBegin
  List = 384, // telemetry: an object, or an array that is not empty
  // Likewise above MEMBERS for each member of the outermost object, of which there must be one.
  Objects = 131200, // Object | Object << MEMBERS
  Lists = 262272, // Object | 1 << Member.ArrayBegin << MEMBERS
  // Above both, no Member: the members are data points, which limits count.
  Counted = 16777216,
  Attributes = 16777344, // Object and Counted
  Telemetry = 16777600, // List and Counted
  // What a gateway sends for its children, which limits count in their own way: 3 to 6 in the place of Counted.
  ChildTelemetry = 50593920, // Lists
  ChildAttributes = 50462848, // Objects
  ChildClaims = 67240064, // Objects
  ChildMessage = 67108992, // Object
  ChildDisconnect = 100663424, // Object
  ChildConnect = 83886208, // Object
  ChildRequest = 67500160, // Object with members that are no object, no empty array and no Member.Null; as ChildMessage
}
const MEMBERS: i32 = 10;

/** The same as `putText`, byte by byte: with what has to be escaped, or does not fit. */
function putEscaped(text: usize, length: i32, before: u32): bool {
  if (before) putByte(before);
  putByte(0x22);
  const end = text + length;
  for (let next = text; next < end; next++) {
    let byte: u32 = load<u8>(next);
    if (byte < 0x20) {
      putBytes(CONTROL, 4);
      putByte((byte >> 4) + 0x30);
      byte &= 15;
      byte += byte > 9 ? 0x57 : 0x30;
    } else if (byte == 0x22 || byte == 0x5c) {
      putByte(0x5c);
    }
    putByte(byte);
  }
  putByte(0x22);
  if (before) putByte(0x3a);
  return isUtf8(text, length);
}

/** Writes a string with its quotes; with `before` a key: behind that byte and before a colon. False when it is not UTF-8. */
function putText(text: usize, length: i32, before: u32): bool {
  if (!FEATURE_FAST) return putEscaped(text, length, before);
  const end = text + length;
  let to = at;
  if (to + length + 10 <= limit) {
    if (before) store<u8>(to++, before);
    store<u8>(to++, 0x22);
    // Up to seven bytes too many: behind the staging area are the other buffers, and here is room.
    if (copyPlain(text, end, to) >= end) {
      store<u16>(to + length, 0x3a22); // the colon counts for a key only
      moveTo(to + length + (before ? 2 : 1));
      return true;
    }
  }
  return putEscaped(text, length, before);
}

/** Writes the record at the cursor. Ok or the Status of the fault; what was written is then to be thrown away. */
// @ts-ignore: decorator
@inline
export function putMessage(member: usize, recordLength: i32, shape: i32): i32 {
  const end = member + recordLength;
  // One bit for each open object (0) or array (1), the innermost lowest, behind a one: the outermost value has no key, too.
  let nesting: u64 = 1;
  // The byte in front of the next member: what opened the object or array, then commas.
  let before: u32 = 0;
  while (true) {
    const type: i32 = load<u8>(member);
    const keyLength: i32 = load<u16>(member, MemberField.KeyLength);
    const key = member + MemberField.Key;
    const text = key + ((keyLength + 3) & ~3);
    if (text > end || type > Member.End) return Status.Malformed;
    let next = text;
    // What the shape is asked about: an array without elements is the End that it holds, as `validate` has it.
    let form = type;
    const outside = nesting;
    const inArray = <u32>outside & 1;
    if (type == Member.End) {
      if (before != 0x2c) putByte(before);
      putByte(0x7d - (inArray << 5));
      nesting >>= 1;
      before = 0x2c;
    } else {
      if (!FEATURE_FAST && before) putByte(before);
      if (!inArray) {
        if (!putText(key, keyLength, FEATURE_FAST ? before : 0)) return Status.InvalidUtf8;
        if (!FEATURE_FAST) putByte(0x3a);
      } else if (FEATURE_FAST && before) {
        putByte(before);
      }
      before = 0x2c;
      if (type <= Member.True) {
        const word = WORDS + type * WORD_SIZE;
        putBytes(word + 1, load<u8>(word));
      } else if (type <= Member.Decimal) {
        const digits: i32 = load<u8>(member, MemberField.Digits);
        if (digits > DIGITS_MAX) return Status.InvalidNumber;
        putDecimal(load<i64>(member, MemberField.Number), digits);
      } else if (type <= Member.Json) {
        const length = load<u64>(member, MemberField.Number);
        if (length > <u64>(end - text)) return Status.Malformed;
        const textLength = <i32>length;
        next += (textLength + 3) & ~3;
        if (type == Member.Text) {
          if (!putText(text, textLength, 0)) return Status.InvalidUtf8;
        } else {
          form = validate(text, textLength);
          if (form < 0) return form;
          putBytes(text, textLength);
        }
      } else {
        if (<u32>(nesting >> JSON_DEPTH_MAX)) return Status.TooDeep;
        const isArray = type - Member.ObjectBegin;
        nesting = (nesting << 1) | <u64>isArray;
        before = 0x7b - (isArray << 5);
        if (isArray & <i32>(load<u8>(next) == <u8>Member.End)) form = Member.End;
      }
    }
    if (outside == 1 && !((shape >> form) & 1)) return Status.InvalidValue;
    if (FEATURE_GATEWAY && shape >> MEMBERS) {
      if (outside == 1 ? (type == Member.Json ? !hasMembers(text, load<i32>(member, MemberField.Number), shape >> MEMBERS) : load<u8>(next) == <u8>Member.End)
        : outside == 2 && type != Member.End && !((shape >> MEMBERS >> form) & 1)) return Status.InvalidValue;
    }
    member = next;
    // Zero once an End stood there alone.
    if (nesting <= 1) return (member == end) & <i32>nesting ? <i32>Status.Ok : <i32>Status.Malformed;
  }
}
