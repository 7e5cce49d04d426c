// Writes JSON text from the packed message record that the host laid out in the staging area.
import { JSON_DEPTH_MAX, Member, MEMBER_HEADER, Status } from "../abi";
import { at, limit, moveTo, putByte, putBytes, putLiteral } from "../base/cursor";
import { putDecimal, putInteger } from "../base/decimal";
import { utf8 } from "../base/text";
import { isUtf8 } from "../base/utf8";
import { next, open, Token, validate } from "./scan";

const TRUE = utf8("true");
const FALSE = utf8("false");
const NULL = utf8("null");
const VALUES = utf8(',"values":{');
const TS = utf8('{"ts":');

/** Which documents a topic takes. */
export const enum Shape {
  Any = 0, // an RPC reply
  Object = 1, // attributes
  List = 2, // telemetry: an object or an array that is not empty
}

/** True when all eight bytes can stand in a JSON string as they are: 20 to 7F without the quote and the backslash. */
// @ts-ignore: decorator
@inline
function isPlain8(eight: u64): bool {
  const ones: u64 = 0x0101010101010101;
  const quote = eight ^ 0x2222222222222222;
  const backslash = eight ^ 0x5c5c5c5c5c5c5c5c;
  // A byte below the subtrahend borrows into its own highest bit; a byte above 7F has it from the start.
  return !((eight | (eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & 0x8080808080808080);
}

/** Writes a string with its quotes; InvalidUtf8 when it is not text. */
function putText(text: usize, length: i32): i32 {
  putByte(0x22);
  const end = text + length;
  let plain = text; // everything from here to `text` still has to be copied
  let high: u32 = 0;
  const first = text;
  while (text < end) {
    if (end - text >= 8 && isPlain8(load<u64>(text))) {
      text += 8;
      continue;
    }
    const byte: u32 = load<u8>(text++);
    high |= byte;
    if (byte >= 0x20 && byte != 0x22 && byte != 0x5c) continue;
    putBytes(plain, <i32>(text - 1 - plain));
    plain = text;
    putByte(0x5c);
    if (byte >= 0x20) {
      putByte(byte);
    } else {
      putByte(0x75);
      putByte(0x30);
      putByte(0x30);
      putByte(0x30 + (byte >> 4));
      const low = byte & 15;
      putByte(low + (low < 10 ? 0x30 : 0x57));
    }
  }
  putBytes(plain, <i32>(end - plain));
  putByte(0x22);
  return high < 0x80 || isUtf8(first, length) ? Status.Ok : Status.InvalidUtf8;
}

/** Whether a valid document that begins with `token` has the shape. */
function fits(shape: i32, token: i32, text: usize, length: i32): bool {
  if (shape == Shape.Any || token == Token.ObjectBegin) return true;
  if (shape == Shape.Object || token != Token.ArrayBegin) return false;
  open(text, length);
  next();
  return next() != Token.ArrayEnd;
}

/** Writes the message at the cursor. Ok or the Status of the fault; what was written is then to be thrown away. */
export function putMessage(record: usize, recordLength: i32, shape: i32): i32 {
  const end = record + recordLength;
  const start = at;
  let depth = 0;
  let arrays: u32 = 0; // one bit for each open container, the innermost lowest: 1 = array
  let first = true; // no comma before the next member
  let entries = 0;
  let timed = false; // the open entry has a time stamp
  if (record == end || load<u8>(record) < <u8>Member.Timestamp) {
    putByte(0x7b);
    entries = -1; // a plain object has no entries
  }
  while (record < end) {
    if (<i32>(end - record) < MEMBER_HEADER) return Status.Malformed;
    const type: i32 = load<u8>(record);
    const digits: i32 = load<u8>(record, 1);
    const keyLength: i32 = load<u16>(record, 2);
    let key = record + MEMBER_HEADER;
    let textLength = 0;
    let number: i64 = 0;
    if (type == Member.Integer || type == Member.Decimal || type == Member.Timestamp) {
      if (end - key < 8) return Status.Malformed;
      number = load<i64>(key);
      key += 8;
    } else if (type == Member.Text || type == Member.Json || type == Member.Document) {
      if (end - key < 4) return Status.Malformed;
      textLength = load<i32>(key);
      key += 4;
    }
    const text = key + ((keyLength + 3) & ~3);
    if (text > end || <usize>textLength > end - text) return Status.Malformed;
    record = text + ((textLength + 3) & ~3);
    if (type >= Member.End) {
      if (type == Member.End) {
        if (!depth) return Status.Malformed;
        putByte(arrays & 1 ? 0x5d : 0x7d);
        arrays >>= 1;
        depth--;
        first = false;
        continue;
      }
      if (type == Member.Document) {
        // The only member: anything before or behind it would not be in the document.
        if (entries != 0 || record < end || !textLength) return Status.Malformed;
        const token = validate(text, textLength);
        if (token < 0) return token;
        if (!fits(shape, token, text, textLength)) return Status.InvalidValue;
        putBytes(text, textLength);
        return Status.Ok;
      }
      if (type > Member.Document || depth || entries < 0 || shape != Shape.List) return Status.Malformed;
      if (!entries++) {
        putByte(0x5b);
      } else {
        if (timed) putByte(0x7d);
        putByte(0x7d);
        putByte(0x2c);
      }
      timed = type == Member.Timestamp;
      if (timed) {
        putLiteral(TS);
        putInteger(number);
        putLiteral(VALUES);
      } else {
        putByte(0x7b);
      }
      first = true;
      continue;
    }
    if (!first) putByte(0x2c);
    first = false;
    let status: i32 = Status.Ok;
    if (!(arrays & 1)) {
      status = putText(key, keyLength);
      putByte(0x3a);
    }
    if (type == Member.Integer) putInteger(number);
    else if (type == Member.Decimal) {
      if (digits > 18) return Status.InvalidNumber;
      putDecimal(number, digits);
    } else if (type == Member.Text) status |= putText(text, textLength);
    else if (type == Member.True) putLiteral(TRUE);
    else if (type == Member.False) putLiteral(FALSE);
    else if (type == Member.Null) putLiteral(NULL);
    else if (type == Member.Json) {
      const token = validate(text, textLength);
      if (token < 0) return token;
      putBytes(text, textLength);
    } else {
      if (depth++ == JSON_DEPTH_MAX) return Status.TooDeep;
      const isArray = <u32>(type == Member.ArrayBegin);
      arrays = (arrays << 1) | isArray;
      putByte(isArray ? 0x5b : 0x7b);
      first = true;
    }
    if (status) return Status.InvalidUtf8;
  }
  if (depth) return Status.Malformed;
  if (timed) putByte(0x7d);
  putByte(0x7d);
  if (entries > 1) {
    putByte(0x5d);
  } else if (entries == 1) {
    // One entry needs no list: take the bracket away again.
    if (at <= limit) memory.copy(start, start + 1, at - start - 1);
    moveTo(at - 1);
  }
  return Status.Ok;
}
