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

const enum Place {
  AtValue = 0, // behind a colon, a comma in an array, or nothing
  AtFirst = 1, // just inside an object or array
  Behind = 2, // behind a value
}

/** The escapes of one letter, one bit each from b to t. */
const LETTER_ESCAPES: u32 = (1 << 0) | (1 << 4) | (1 << 12) | (1 << 16) | (1 << 18);

/** The span of the token, or of the value that `skip` passed. */
export let from: usize = 0;
export let length: i32 = 0;
/** How many tokens that value has; an empty object or array has two. */
export let tokens: i32 = 0;

let at: usize = 0;
let end: usize = 0;
let place: i32 = 0;
let depth: i32 = 0;
/** One bit for each open container, the innermost lowest: 1 = array. */
let arrays: u32 = 0;

/** Begins reading a text. */
export function open(text: usize, textLength: i32): void {
  at = text;
  end = text + textLength;
  place = depth = 0;
}

/** The byte at the reading place, or 0 at the end: no token begins with or contains a zero byte. */
function peek(): u32 {
  return at < end ? load<u8>(at) : 0;
}

function pastSpace(): u32 {
  while (true) {
    const byte = peek();
    if (byte != 0x20 && byte - 0x09 > 1 && byte != 0x0d) return byte;
    at++;
  }
}

/** A token cut short is told from one that is wrong: the caller may have received only a part. */
function fault(): i32 {
  return at < end ? Status.Malformed : Status.MoreBytes;
}

/** Passes a string from its opening quote; the span is what is between the quotes. Text, or the Status of a fault. */
function scanText(): i32 {
  from = ++at;
  let high: u32 = 0;
  while (true) {
    const byte = peek();
    if (byte < 0x20) return fault();
    at++;
    high |= byte;
    if (byte == 0x22) break;
    if (byte == 0x5c) {
      const escape = peek();
      if (escape == 0x75) {
        for (let digits = 4; digits; digits--) {
          at++;
          const digit = peek();
          if (digit - 0x30 > 9 && (digit | 0x20) - 0x61 > 5) return fault();
        }
      } else if (
        escape != 0x22 && escape != 0x5c && escape != 0x2f &&
        (escape - 0x62 > 18 || !((LETTER_ESCAPES >> (escape - 0x62)) & 1))
      ) {
        return fault();
      }
      at++;
    }
  }
  length = <i32>(at - from) - 1;
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

/** Passes one of the three words, told apart by their first byte. */
function scanWord(first: u32): i32 {
  // The last four bytes of each, in little-endian order.
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
  from = at;
  const isArray = <bool>(arrays & 1);
  if (place) {
    if (!depth) return at < end ? <i32>Status.Malformed : <i32>Token.End;
    if (byte == (isArray ? <u32>0x5d : <u32>0x7d)) {
      at++;
      depth--;
      arrays >>= 1;
      place = Place.Behind;
      return isArray ? <i32>Token.ArrayEnd : <i32>Token.ObjectEnd;
    }
    if (place == Place.Behind) {
      if (byte != 0x2c) return fault();
      at++;
      byte = pastSpace();
      from = at;
    }
    if (!isArray) {
      if (byte != 0x22) return fault();
      const token = scanText();
      if (token < 0) return token;
      if (pastSpace() != 0x3a) return fault();
      at++;
      place = Place.AtValue;
      return Token.Key;
    }
  }
  place = Place.Behind;
  if (byte == 0x22) return scanText();
  if ((byte | 0x20) == 0x7b) {
    if (depth++ == JSON_DEPTH_MAX) return Status.TooDeep;
    at++;
    arrays <<= 1;
    place = Place.AtFirst;
    if (byte == 0x7b) return Token.ObjectBegin;
    arrays |= 1;
    return Token.ArrayBegin;
  }
  const token = byte == 0x74 || byte == 0x66 || byte == 0x6e ? scanWord(byte) : scanNumber();
  length = <i32>(at - from);
  return token;
}

/**
 * Passes one whole value. Returns the token that it began with, or the Status of a fault; the span is the value, without
 * the quotes where it is a string. Where there is no further value it returns ArrayEnd, ObjectEnd or End.
 */
export function skip(): i32 {
  const outside = depth;
  const first = next();
  const start = from;
  tokens = 1;
  while (depth > outside) {
    tokens++;
    const token = next();
    if (token < 0) return token;
  }
  if (tokens > 1) {
    from = start;
    length = <i32>(at - start);
  }
  return first;
}

/** Checks one whole text: the token that it begins with, or the Status of the first fault. */
export function validate(text: usize, textLength: i32): i32 {
  open(text, textLength);
  const first = skip();
  if (first < 0) return first;
  const last = next();
  return last ? last : first;
}
