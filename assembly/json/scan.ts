// Reads JSON text token by token, strictly as RFC 8259 has it, without copying and with bounded nesting.
import { JSON_DEPTH_MAX, Status } from "../abi";
import { bytes, passPlain, utf8 } from "../base/text";
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

/** What stands in front of the next token. The two that are a character say that it has to come first. */
const enum Place {
  AtValue = 0, // nothing, or a colon
  AtFirst = 1, // what opened an object or array
  BehindComma = 14, // Colon - Behind
  Behind = 0x2c, // a value
  Colon = 0x3a, // a key
}
/** The bit of the places where an object or array cannot end, and that of those where a character is missing. */
const CANNOT_END: i32 = 2;
const LACKS_SHIFT: i32 = 5;

if (<i32>Place.BehindComma != <i32>Place.Colon - <i32>Place.Behind) ERROR("a comma leads to another place");

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
/** The object or array that ended last was empty. */
export let wasEmpty: bool = false;
/** One bit for each open object (0) or array (1), the innermost lowest, behind a one that tells where they begin. */
export let nesting: u64 = 0;

/** Begins reading a text. */
export function open(text: usize, textLength: i32): void {
  at = text;
  end = text + textLength;
  place = 0;
  nesting = 1;
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

/** A token cut short is told from one that is wrong: the caller may have received only a part. The span begins with the fault. */
function fault(): i32 {
  from = at; // this also keeps the optimizer from calling it where nothing is wrong yet
  return at < end ? Status.Malformed : Status.MoreBytes;
}

/** Passes a string from its opening quote; the span is what is between the quotes. The token, or the Status of a fault. */
// @ts-ignore: decorator
@inline
function scanText(token: i32): i32 {
  let next = at + 1;
  from = next;
  let high: u32 = 0;
  while (true) {
    next = passPlain(next, end - 7); // which looks no further than to the end
    let byte: u32 = next < end ? load<u8>(next) : 0;
    at = next;
    if (byte == 0x22) break;
    if (byte < 0x20) return fault();
    next++;
    high |= byte;
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
  length = <i32>(next - from);
  at = next + 1;
  return high < 0x80 || isUtf8(from, length) ? token : <i32>Status.InvalidUtf8;
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
// @ts-ignore: decorator
@inline
function scanWord(first: u32): i32 {
  // The thirds of the remainders are 0, 1 and 2 for n, f and t; another letter fails on the first of the word.
  const index = (first % 9) / 3;
  let letter = WORDS + index * WORD_SIZE;
  const last = letter + load<u8>(letter);
  while (letter < last) {
    letter++;
    if ((at < end ? <u32>load<u8>(at) : 0) != load<u8>(letter)) return fault(); // as accept, which is not called for each letter
    at++;
  }
  return Token.Null + index;
}

/** Reads one token: a Token, or the Status of the fault. */
export function next(): i32 {
  let here = at;
  let wanted = place;
  let byte: u32;
  while (true) {
    byte = here < end ? load<u8>(here) : 0; // as peek, which is not called for each byte
    if (byte > 0x20) {
      if (byte != wanted) break;
      wanted = Place.Colon - wanted;
    } else if (!((SPACES >> byte) & 1)) {
      break;
    }
    here++;
  }
  at = here;
  let isKey: i32 = 0;
  if (wanted) {
    if (nesting == 1) return here < end || wanted != Place.Behind ? <i32>Status.Malformed : <i32>Token.End;
    isKey = ~<i32>nesting & 1;
    if (byte != 0x22) {
      if (byte == 0x5d + (isKey << 5) && !(wanted & CANNOT_END)) {
        at = here + 1;
        nesting >>= 1;
        place = Place.Behind;
        wasEmpty = wanted == Place.AtFirst;
        return Token.ArrayEnd - isKey;
      }
      wanted |= isKey << LACKS_SHIFT; // the quote of the key
    }
    if (wanted & (1 << LACKS_SHIFT)) return fault();
  }
  from = here;
  place = isKey ? Place.Colon : Place.Behind;
  if (byte == 0x22) return scanText(Token.Text - isKey);
  if ((byte | 0x20) == 0x7b) {
    if (nesting >> JSON_DEPTH_MAX) return Status.TooDeep;
    const isArray = <u32>(byte == 0x5b);
    at = here + 1;
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
// @ts-ignore: decorator
@inline
export function skipValue(): i32 {
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

/** `skipValue` as a function of its own, for all who are not a call too deep already. */
export function skip(): i32 {
  return skipValue();
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
