// Writes JSON text from the packed message record that the host laid out in the staging area.
import { JSON_DEPTH_MAX, Member, MemberField, Status } from "../abi";
import { putByte, putBytes, putLiteral } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { utf8 } from "../base/text";
import { isUtf8 } from "../base/utf8";
import { Token, tokens, validate } from "./scan";

/** The words of Member.Null, False and True: each six bytes, the first its length. */
const WORDS = utf8("\x04null\0\x05false\x04true");
const WORD_SIZE: i32 = 6;
const CONTROL = utf8("\\u00");
const DIGITS_MAX: i32 = 18;

/** Which documents a topic takes. */
export const enum Shape {
  Any = 0, // an RPC reply
  Object = 1, // attributes
  List = 2, // telemetry: an object, or an array that is not empty
}

function putHex(digit: u32): void {
  putByte(digit < 10 ? digit + 0x30 : digit + 0x57);
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
      putHex(byte >> 4);
      putHex(byte & 15);
      plain++;
    }
  }
  putBytes(plain, <i32>(end - plain));
  putByte(0x22);
  return high < 0x80 || isUtf8(text, length);
}

/** Whether a topic takes a document: an object, or an array that is not empty. */
function fits(shape: i32, isObject: bool, isList: bool): bool {
  return !shape || isObject || (shape == Shape.List && isList);
}

/** Writes the record at the cursor. Ok or the Status of the fault; what was written is then to be thrown away. */
export function putMessage(member: usize, recordLength: i32, shape: i32): i32 {
  const end = member + recordLength;
  let depth = 0;
  let arrays: u32 = 1; // one bit for each open container, the innermost lowest: 1 = no keys
  let comma = false;
  do {
    const key = member + MemberField.Key;
    if (key > end) return Status.Malformed;
    const type: i32 = load<u8>(member);
    const digits: i32 = load<u8>(member, MemberField.Digits);
    const number = load<i64>(member, MemberField.Number);
    const keyLength: i32 = load<u16>(member, MemberField.KeyLength);
    const text = key + ((keyLength + 3) & ~3);
    const hasText = type == Member.Text || type == Member.Json;
    if (text > end || type > Member.End || (hasText && <u64>number > <u64>(end - text))) return Status.Malformed;
    const textLength = hasText ? <i32>number : 0;
    member = text + ((textLength + 3) & ~3);
    let isObject = type == Member.ObjectBegin;
    let isList = type == Member.ArrayBegin && load<u8>(member) != <u8>Member.End;
    if (type == Member.Json) {
      const token = validate(text, textLength);
      if (token < 0) return token;
      isObject = token == Token.ObjectBegin;
      isList = token == Token.ArrayBegin && tokens > 2;
    }
    if (!depth && !fits(shape, isObject, isList)) return Status.InvalidValue;
    if (type == Member.End) {
      if (!depth) return Status.Malformed;
      putByte(arrays & 1 ? 0x5d : 0x7d);
      arrays >>= 1;
      depth--;
      comma = true;
      continue;
    }
    if (comma) putByte(0x2c);
    comma = true;
    if (!(arrays & 1)) {
      if (!putText(key, keyLength)) return Status.InvalidUtf8;
      putByte(0x3a);
    }
    if (hasText) {
      if (type == Member.Text) {
        if (!putText(text, textLength)) return Status.InvalidUtf8;
      } else {
        putBytes(text, textLength);
      }
    } else if (type <= Member.True) {
      putLiteral(WORDS + 1 + type * WORD_SIZE);
    } else if (type <= Member.Decimal) {
      if (digits > DIGITS_MAX) return Status.InvalidNumber;
      putDecimal(number, type == Member.Integer ? 0 : digits);
    } else {
      if (depth++ == JSON_DEPTH_MAX) return Status.TooDeep;
      const isArray = type == Member.ArrayBegin;
      arrays = (arrays << 1) | <u32>isArray;
      putByte(isArray ? 0x5b : 0x7b);
      comma = false;
    }
  } while (depth);
  return member == end ? Status.Ok : Status.Malformed;
}
