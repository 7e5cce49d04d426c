// Writes JSON text from the packed message record that the host laid out in the staging area.
import { JSON_DEPTH_MAX, Member, MemberField, Status } from "../abi";
import { at, limit, moveTo, putByte, putBytes, putLiteral } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { utf8 } from "../base/text";
import { isUtf8 } from "../base/utf8";
import { hasMembers, validate, wasEmpty, WORDS, WORD_SIZE } from "./scan";

const CONTROL = utf8("\\u00");
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
}
const MEMBERS: i32 = 10;

/**
 * True when all of a text can stand in a JSON string as it is: 20 to 7F without the quote and the backslash. Looks at
 * eight bytes at once, and so at up to seven behind the text, which the buffers behind the staging area make readable.
 */
// @ts-ignore: decorator
@inline
function isPlain(text: usize, length: i32): bool {
  const ones: u64 = 0x0101010101010101;
  for (; length > 0; length -= 8) {
    let eight = load<u64>(text);
    if (length < 8) {
      // Spaces take the place of what is behind the text.
      const unused = <u64>(64 - 8 * length);
      eight = (eight << unused) | ((ones * 0x20) >> (64 - unused));
    }
    // A byte below the subtrahend borrows into its own highest bit; a byte above 7F has it from the start.
    if ((eight | (eight - ones * 0x20) | ((eight ^ (ones * 0x22)) - ones) | ((eight ^ (ones * 0x5c)) - ones)) & (ones * 0x80)) return false;
    text += 8;
  }
  return true;
}

/** Writes a string with its quotes; with `before` a key: behind that byte and before a colon. False when it is not UTF-8. */
function putText(text: usize, length: i32, before: u32): bool {
  let to = at;
  if (to + length + 4 <= limit && isPlain(text, length)) {
    if (before) store<u8>(to++, before);
    store<u8>(to, 0x22);
    memory.copy(to + 1, text, length);
    store<u16>(to + length + 1, 0x3a22); // the colon counts for a key only
    moveTo(to + length + (before ? 3 : 2));
    return true;
  }
  if (before) putByte(before);
  putByte(0x22);
  const end = text + length;
  let plain = text; // what lies between here and `at` can be copied as it is
  for (let next = text; next < end; next++) {
    const byte: u32 = load<u8>(next);
    if (byte >= 0x20 && byte != 0x22 && byte != 0x5c) continue;
    putBytes(plain, <i32>(next - plain));
    plain = next;
    if (byte >= 0x20) {
      putByte(0x5c); // the character itself begins the next plain run
    } else {
      putLiteral(CONTROL);
      putByte((byte >> 4) + 0x30);
      const low = byte & 15;
      putByte(low + (low > 9 ? 0x57 : 0x30));
      plain++;
    }
  }
  putBytes(plain, <i32>(end - plain));
  putByte(0x22);
  if (before) putByte(0x3a);
  return isUtf8(text, length);
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
  do {
    const type: i32 = load<u8>(member);
    const digits: i32 = load<u8>(member, MemberField.Digits);
    const number = load<i64>(member, MemberField.Number);
    const keyLength: i32 = load<u16>(member, MemberField.KeyLength);
    const key = member + MemberField.Key;
    const text = key + ((keyLength + 3) & ~3);
    const hasText = type == Member.Text || type == Member.Json;
    const textLength = hasText ? <i32>number : 0;
    if (text > end || type > Member.End || (hasText && <u64>number > <u64>(end - text))) return Status.Malformed;
    member = text + ((textLength + 3) & ~3);
    let form = type;
    let isEmpty = false;
    if (type == Member.Json) {
      form = validate(text, textLength);
      if (form < 0) return form;
      isEmpty = wasEmpty();
    }
    if (nesting == 1) {
      if (type == Member.ArrayBegin) isEmpty = load<u8>(member) == <u8>Member.End;
      // What the shape is asked about; an empty array counts as none.
      if (form == Member.ArrayBegin && isEmpty) form = Member.End;
      if (!((shape >> form) & 1)) return Status.InvalidValue;
      if (type == Member.End) return Status.Malformed;
    }
    if (FEATURE_GATEWAY && shape >> MEMBERS) {
      if (nesting == 1) {
        if (type == Member.Json ? !hasMembers(text, textLength, shape >> MEMBERS) : load<u8>(member) == <u8>Member.End) return Status.InvalidValue;
      } else if (nesting == 2 && type != Member.End) {
        if (type == Member.ArrayBegin) isEmpty = load<u8>(member) == <u8>Member.End;
        if (isEmpty || !((shape >> MEMBERS >> form) & 1)) return Status.InvalidValue;
      }
    }
    const inArray = <u32>nesting & 1;
    if (type == Member.End) {
      if (before != 0x2c) putByte(before);
      putByte(0x7d - (inArray << 5));
      nesting >>= 1;
      before = 0x2c;
      continue;
    }
    if (!inArray) {
      if (!putText(key, keyLength, before)) return Status.InvalidUtf8;
    } else if (before) {
      putByte(before);
    }
    before = 0x2c;
    if (type <= Member.True) {
      const word = WORDS + type * WORD_SIZE;
      putBytes(word + 1, load<u8>(word));
    } else if (type <= Member.Decimal) {
      if (digits > DIGITS_MAX) return Status.InvalidNumber;
      putDecimal(number, digits);
    } else if (type == Member.Text) {
      if (!putText(text, textLength, 0)) return Status.InvalidUtf8;
    } else if (type == Member.Json) {
      putBytes(text, textLength);
    } else {
      if (nesting >> JSON_DEPTH_MAX) return Status.TooDeep;
      const isArray = type - Member.ObjectBegin;
      nesting = (nesting << 1) | <u64>isArray;
      before = 0x7b - (isArray << 5);
    }
  } while (nesting > 1);
  return member == end ? Status.Ok : Status.Malformed;
}
