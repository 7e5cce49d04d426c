// Writes JSON text from the packed message record that the host laid out in the staging area.
import { JSON_DEPTH_MAX, Member, MemberField, Status } from "../abi";
import { putByte, putBytes, putLiteral } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { utf8 } from "../base/text";
import { isUtf8 } from "../base/utf8";
import { validate, wasEmpty, WORDS, WORD_SIZE } from "./scan";

const CONTROL = utf8("\\u00");
const DIGITS_MAX: i32 = 18;

/** Which documents a topic takes: one bit for each Member that the outermost value may be. */
export const enum Shape {
  Any = 1023, // an RPC reply
  Object = 128, // attributes: 1 << Member.ObjectBegin
  List = 384, // telemetry: an object, or an array that is not empty
}

/** Writes a string with its quotes; false when it is not UTF-8. */
function putText(text: usize, length: i32): bool {
  putByte(0x22);
  const end = text + length;
  let plain = text; // what lies between here and `at` can be copied as it is
  let high: u32 = 0;
  for (let at = text; at < end; at++) {
    const byte: u32 = load<u8>(at);
    high |= byte;
    if (byte >= 0x20 && byte != 0x22 && byte != 0x5c) continue;
    putBytes(plain, <i32>(at - plain));
    plain = at;
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
  return high < 0x80 || isUtf8(text, length);
}

/** Writes the record at the cursor. Ok or the Status of the fault; what was written is then to be thrown away. */
export function putMessage(member: usize, recordLength: i32, shape: i32): i32 {
  const end = member + recordLength;
  // One bit for each open object (0) or array (1), the innermost lowest, behind a one: the outermost value has no key, too.
  let nesting: u64 = 1;
  let comma = false;
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
    // What the shape is asked about; an empty array counts as none.
    let form = type;
    let isEmpty = load<u8>(member) == <u8>Member.End;
    if (type == Member.Json) {
      form = validate(text, textLength);
      if (form < 0) return form;
      isEmpty = wasEmpty();
    }
    if (form == Member.ArrayBegin && isEmpty) form = Member.End;
    if (nesting == 1 && !((shape >> form) & 1)) return Status.InvalidValue;
    const inArray = <u32>nesting & 1;
    if (type == Member.End) {
      if (nesting == 1) return Status.Malformed;
      putByte(0x7d - (inArray << 5));
      nesting >>= 1;
      comma = true;
      continue;
    }
    if (comma) putByte(0x2c);
    comma = true;
    if (!inArray) {
      if (!putText(key, keyLength)) return Status.InvalidUtf8;
      putByte(0x3a);
    }
    if (type <= Member.True) {
      putLiteral(WORDS + type * WORD_SIZE);
    } else if (type <= Member.Decimal) {
      if (digits > DIGITS_MAX) return Status.InvalidNumber;
      putDecimal(number, digits);
    } else if (type == Member.Text) {
      if (!putText(text, textLength)) return Status.InvalidUtf8;
    } else if (type == Member.Json) {
      putBytes(text, textLength);
    } else {
      if (nesting >> JSON_DEPTH_MAX) return Status.TooDeep;
      const isArray = type - Member.ObjectBegin;
      nesting = (nesting << 1) | <u64>isArray;
      putByte(0x7b - (isArray << 5));
      comma = false;
    }
  } while (nesting > 1);
  return member == end ? Status.Ok : Status.Malformed;
}
