// Reads JSON text token by token, strictly as RFC 8259 has it, without copying and with bounded nesting.
import { JSON_DEPTH_MAX, Status } from "../abi";
import { isUtf8 } from "../base/utf8";

/** What `next` found. Negative results are a Status. */
export const enum Token {
  End = 0, // the text is complete
  ObjectBegin = 1,
  ObjectEnd = 2,
  ArrayBegin = 3,
  ArrayEnd = 4,
  Key = 5, // the span is without the quotes, still escaped
  Text = 6, // likewise
  Number = 7,
  True = 8,
  False = 9,
  Null = 10,
}

const enum Expect {
  Value = 0,
  ValueOrEnd = 1, // just behind [
  KeyOrEnd = 2, // just behind {
  Key = 3, // behind a comma in an object
  Comma = 4, // behind a value in an object or array
  Nothing = 5, // behind the outermost value
}

/** The span of the token, or of the value that `skip` passed. */
export let from: usize = 0;
export let length: i32 = 0;

/** Where the next byte is read, and where the text ends. */
export let at: usize = 0;
let end: usize = 0;
let expect: i32 = 0;
let depth: i32 = 0;
/** One bit for each open container, the innermost lowest: 1 = array. */
let arrays: u32 = 0;

/** Begins reading a text. */
export function open(text: usize, textLength: i32): void {
  at = text;
  end = text + textLength;
  expect = Expect.Value;
  depth = 0;
}

/** The byte at the reading place, or 0 at the end: no token begins with or contains a zero byte. */
function peek(): u32 {
  return at < end ? load<u8>(at) : 0;
}

function afterValue(): void {
  expect = depth ? <i32>Expect.Comma : <i32>Expect.Nothing;
}

function pastSpace(): u32 {
  let byte = peek();
  while (byte == 0x20 || byte - 0x09 < 2 || byte == 0x0d) {
    at++;
    byte = peek();
  }
  return byte;
}

/** A token cut short is told from one that is wrong: the caller may have received only a part. */
function fault(): i32 {
  return at < end ? Status.Malformed : Status.MoreBytes;
}

/** Passes the string whose opening quote is behind; sets the span to what is between the quotes. */
function scanText(): i32 {
  from = at;
  let high: u32 = 0;
  for (;;) {
    const byte = peek();
    if (byte == 0x22) break;
    if (byte < 0x20) return fault();
    high |= byte;
    at++;
    if (byte == 0x5c) {
      const escape = peek();
      if (escape == 0x75) {
        for (let digits = 4; digits; digits--) {
          at++;
          const digit = peek();
          if (digit - 0x30 > 9 && (digit | 0x20) - 0x61 > 5) return fault();
        }
      } else if (
        escape != 0x22 && escape != 0x5c && escape != 0x2f && escape != 0x62 && escape != 0x66 && escape != 0x6e &&
        escape != 0x72 && escape != 0x74
      ) {
        return fault();
      }
      at++;
    }
  }
  length = <i32>(at - from);
  at++;
  return high < 0x80 || isUtf8(from, length) ? <i32>Token.Text : <i32>Status.InvalidUtf8;
}

/** Passes digits; false when there is none. */
function pastDigits(): bool {
  const first = at;
  while (peek() - 0x30 < 10) at++;
  return at > first;
}

function scanNumber(): i32 {
  if (peek() == 0x2d) at++;
  if (peek() == 0x30) at++;
  else if (!pastDigits()) return fault();
  if (peek() == 0x2e) {
    at++;
    if (!pastDigits()) return fault();
  }
  if ((peek() | 0x20) == 0x65) {
    at++;
    const sign = peek();
    if (sign == 0x2b || sign == 0x2d) at++;
    if (!pastDigits()) return fault();
  }
  return Token.Number;
}

/** Passes one of the three words, which are told apart by their first byte. */
function scanWord(first: u32): i32 {
  // Each as its last four bytes, in little-endian order.
  let word: u32 = 0x65757274; // "true"
  let token = Token.True;
  if (first == 0x66) {
    word = 0x65736c61; // "alse"
    token = Token.False;
    at++;
  } else if (first == 0x6e) {
    word = 0x6c6c756e; // "null"
    token = Token.Null;
  }
  for (; word; word >>= 8) {
    if (peek() != (word & 0xff)) return fault();
    at++;
  }
  return token;
}

/** Reads one token: a Token, or the Status of the fault. */
export function next(): i32 {
  let byte = pastSpace();
  if (expect == Expect.Comma) {
    if (byte == 0x2c) {
      at++;
      byte = pastSpace();
      expect = arrays & 1 ? <i32>Expect.Value : <i32>Expect.Key;
    } else {
      expect = arrays & 1 ? <i32>Expect.ValueOrEnd : <i32>Expect.KeyOrEnd;
      if (byte != 0x5d && byte != 0x7d) return fault();
    }
  }
  from = at;
  if (expect == Expect.Nothing) return at < end ? <i32>Status.Malformed : <i32>Token.End;
  if ((byte == 0x5d && expect == Expect.ValueOrEnd) || (byte == 0x7d && expect == Expect.KeyOrEnd)) {
    at++;
    depth--;
    arrays >>= 1;
    afterValue();
    return byte == 0x5d ? <i32>Token.ArrayEnd : <i32>Token.ObjectEnd;
  }
  let token: i32;
  if (byte == 0x22) {
    at++;
    token = scanText();
    if (token < 0) return token;
    if (expect == Expect.Key || expect == Expect.KeyOrEnd) {
      if (pastSpace() != 0x3a) return fault();
      at++;
      expect = Expect.Value;
      return Token.Key;
    }
    afterValue();
    return token;
  }
  if (expect == Expect.Key || expect == Expect.KeyOrEnd) return fault();
  if (byte == 0x7b || byte == 0x5b) {
    if (depth == JSON_DEPTH_MAX) return Status.TooDeep;
    at++;
    depth++;
    arrays = (arrays << 1) | <u32>(byte == 0x5b);
    expect = byte == 0x5b ? <i32>Expect.ValueOrEnd : <i32>Expect.KeyOrEnd;
    return byte == 0x5b ? <i32>Token.ArrayBegin : <i32>Token.ObjectBegin;
  }
  token = byte == 0x74 || byte == 0x66 || byte == 0x6e ? scanWord(byte) : scanNumber();
  length = <i32>(at - from);
  afterValue();
  return token;
}

/**
 * Passes one whole value. Returns the token that it began with, or the Status of a fault; the span is the value, without
 * the quotes where it is a string. Also returns ArrayEnd, ObjectEnd or End where there is no further value.
 */
export function skip(): i32 {
  const outside = depth;
  const first = next();
  if (first != Token.ObjectBegin && first != Token.ArrayBegin) return first;
  const start = from;
  while (depth > outside) {
    const token = next();
    if (token < 0) return token;
  }
  from = start;
  length = <i32>(at - start);
  return first;
}

/** Checks one whole text: the token that it begins with, or the Status of the first fault. */
export function validate(text: usize, textLength: i32): i32 {
  open(text, textLength);
  const first = skip();
  if (first <= 0) return first;
  const last = next();
  return last ? last : first;
}
