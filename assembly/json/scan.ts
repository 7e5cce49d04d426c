// Reads JSON text token by token, strictly as RFC 8259 has it, without copying and with bounded nesting.
import { JSON_DEPTH_MAX, Status } from "../abi";
import { bytes, utf8 } from "../base/text";
import { isUtf8 } from "../base/utf8";

/** What `next` found; those that begin a value are a JsonType as they are. Negative results are a Status. */
export const enum Token {
  End = 0, // the text is complete
  Null = 1,
  False = 2,
  True = 3,
  Key = 4, // the span is without the quotes, still escaped
  Text = 5, // likewise
  Number = 6,
  ObjectBegin = 7,
  ArrayBegin = 8,
  ObjectEnd = 9,
  ArrayEnd = 10,
}

const enum Place {
  AtValue = 0, // behind a colon, a comma in an array, or nothing
  AtFirst = 1, // just inside an object or array
  Behind = 2, // behind a value; more than that behind an object or array that was not empty
}

/** null, false and true in the order of Token and of Member: each six bytes, the first its length. */
export const WORDS = bytes("\x04null\0\x05false\x04true");
export const WORD_SIZE: i32 = 6;

/** Space, tab, line feed and carriage return, one bit each. */
const SPACES: u64 = (1 << 0x09) | (1 << 0x0a) | (1 << 0x0d) | ((<u64>1) << 0x20);

/** The characters that may follow a backslash, all but u: each where `escapeAt` looks for it. */
const ESCAPES = bytes('tbn\\/fr"');

/** The span of a text or key, or of the value that `skip` passed. */
export let from: usize = 0;
export let length: i32 = 0;

let at: usize = 0;
let end: usize = 0;
let place: i32 = 0;
/** One bit for each open object (0) or array (1), the innermost lowest, behind a one that tells where they begin. */
export let nesting: u64 = 0;

/** Begins reading a text. */
export function open(text: usize, textLength: i32): void {
  at = text;
  end = text + textLength;
  place = 0;
  nesting = 1;
}

/** True when the array that ended last was empty. */
export function wasEmpty(): bool {
  return place == Place.Behind;
}

/** Where the tables of escapes keep a character: no two of the eight share a place. */
// @ts-ignore: decorator
@inline
export function escapeIndex(character: u32): usize {
  return (character % 27) & 7;
}

/** The byte at the reading place, or 0 at the end: no token begins with or contains a zero byte. */
function peek(): u32 {
  return at < end ? load<u8>(at) : 0;
}

/** Passes a byte if it is the expected one. */
function accept(expected: u32): bool {
  if (peek() != expected) return false;
  at++;
  return true;
}

function pastSpace(): u32 {
  while (true) {
    const byte: u32 = at < end ? load<u8>(at) : 0; // as peek, which every token would call twice
    if (byte > 0x20 || !((SPACES >> byte) & 1)) return byte;
    at++;
  }
}

/** A token cut short is told from one that is wrong: the caller may have received only a part. */
function fault(): i32 {
  return at < end ? Status.Malformed : Status.MoreBytes;
}

/** Passes a string from its opening quote; the span is what is between the quotes. Text, or the Status of a fault. */
function scanText(): i32 {
  let next = at + 1;
  from = next;
  let high: u32 = 0;
  while (true) {
    at = next;
    // As peek, which is not called for each character.
    let byte: u32 = next < end ? load<u8>(next) : 0;
    if (byte < 0x20) return fault();
    next++;
    high |= byte;
    if (byte == 0x22) break;
    if (byte == 0x5c) {
      at = next++;
      byte = peek();
      if (byte == 0x75) {
        for (let digits = 4; digits; digits--) {
          at = next++;
          byte = peek();
          if (byte - 0x30 > 9 && (byte | 0x20) - 0x61 > 5) return fault();
        }
      } else if (load<u8>(ESCAPES + escapeIndex(byte)) != byte) {
        return fault();
      }
    }
  }
  length = <i32>(at - from);
  at = next;
  return high < 0x80 || isUtf8(from, length) ? <i32>Token.Text : <i32>Status.InvalidUtf8;
}

/** Passes digits; false when there is none. */
function pastDigits(): bool {
  const first = at;
  while (peek() - 0x30 < 10) at++;
  return at > first;
}

function scanNumber(): i32 {
  accept(0x2d);
  if (!accept(0x30) && !pastDigits()) return fault();
  if (accept(0x2e) && !pastDigits()) return fault();
  if ((peek() | 0x20) == 0x65) {
    at++;
    if (!accept(0x2b)) accept(0x2d);
    if (!pastDigits()) return fault();
  }
  return Token.Number;
}

/** Passes one of the three words. */
function scanWord(first: u32): i32 {
  // The thirds of the remainders are 0, 1 and 2 for n, f and t; another letter fails on the first of the word.
  const index = (first % 9) / 3;
  let letter = WORDS + index * WORD_SIZE;
  for (let left: u32 = load<u8>(letter); left; left--) if (!accept(load<u8>(++letter))) return fault();
  return Token.Null + index;
}

/** Reads one token: a Token, or the Status of the fault. */
export function next(): i32 {
  let byte = pastSpace();
  if (place) {
    if (nesting == 1) return at < end ? <i32>Status.Malformed : <i32>Token.End;
    const isArray = <u32>nesting & 1;
    if (byte == 0x7d - (isArray << 5)) {
      at++;
      nesting >>= 1;
      place++;
      return Token.ObjectEnd + isArray;
    }
    if (place > Place.AtFirst) {
      if (byte != 0x2c) return fault();
      at++;
      byte = pastSpace();
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
  from = at;
  place = Place.Behind;
  if (byte == 0x22) return scanText();
  if ((byte | 0x20) == 0x7b) {
    if (nesting >> JSON_DEPTH_MAX) return Status.TooDeep;
    const isArray = <u32>(byte == 0x5b);
    at++;
    nesting = (nesting << 1) | isArray;
    place = Place.AtFirst;
    return Token.ObjectBegin + isArray;
  }
  return byte > 0x40 ? scanWord(byte) : scanNumber();
}

/**
 * Passes one whole value. Returns the token that it began with, or the Status of a fault; the span is the value, without
 * the quotes where it is a string. Where there is no further value it returns ArrayEnd, ObjectEnd or End.
 */
export function skip(): i32 {
  const outside = nesting;
  const first = next();
  const start = from;
  while (nesting > outside) {
    const token = next();
    if (token < 0) return token;
  }
  if (first != Token.Text) {
    from = start;
    length = <i32>(at - start);
  }
  return first;
}

/** Checks one whole text: the token that it begins with, or the Status of the first fault. */
// @ts-ignore: decorator
@inline
export function validate(text: usize, textLength: i32): i32 {
  open(text, textLength);
  const first = next();
  let token = first;
  // One more token than the value has: the end of the text.
  while (token > 0) token = next();
  return token ? token : first;
}

/** True when a valid text is an object that has members, all of them of these types (1 << Token) and no array empty. */
// @ts-ignore: decorator
@inline
export function hasMembers(text: usize, textLength: i32, types: i32): bool {
  open(text, textLength);
  let isMember = false;
  let isNew = false;
  let members = 0;
  for (let token = next(); token > 0; token = next()) {
    if ((isNew && token == Token.ArrayEnd) || (isMember && !((types >> token) & 1))) return false;
    isNew = isMember && token == Token.ArrayBegin;
    isMember = token == Token.Key && nesting == 2;
    members += <i32>isMember;
  }
  return members != 0;
}
