// Reads JSON text token by token or value by value, strictly as RFC 8259 has it, without copying and with bounded nesting.
import { JSON_DEPTH_MAX, Status } from "../abi";
import { bytes, copyPlain } from "../base/text";
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
  AtFirst = 1, // what opened an object or array
  AtValue = 2, // nothing, or a colon
  BehindComma = 16,
  Behind = 0x2c, // a value
  Colon = 0x3a, // a key
  Done = 0x102, // the whole text: no character
}
/** What a place and the one behind its character are together. */
const BOTH: i32 = 0x3c;
/** Some of these bits have the places where an object or array cannot end, and this one those where a character is missing. */
const CANNOT_END: i32 = 0x12;
const LACKS_SHIFT: i32 = 5;

if (<i32>Place.AtValue + <i32>Place.Colon != BOTH || <i32>Place.BehindComma + <i32>Place.Behind != BOTH) ERROR("a character leads to another place");

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
/** The key of the member that `skip` passed. */
export let key: usize = 0;

let at: usize = 0;
let end: usize = 0;
let place: i32 = Place.AtValue;
/** One bit for each open object (0) or array (1), the innermost lowest, behind a one that tells where they begin. */
export let nesting: u64 = 0;

/** Begins reading a text. */
export function open(text: usize, textLength: i32): void {
  at = text;
  end = text + textLength;
  place = Place.AtValue;
  nesting = 1;
}

/** Where the tables of escapes keep a character: no two of the eight share a place. */
// @ts-ignore: decorator
@inline
export function escapeIndex(character: u32): usize {
  return (character % 27) & 7;
}

/** A byte of the text, or 0 at its end, which no token contains. */
function byteAt(here: usize): u32 {
  return here < end ? load<u8>(here) : 0;
}

/** True at the end of the text. Where few bytes are worth more than speed nobody asks: the 0 that `byteIn` then finds there is as wrong as what `fault` calls cut short. */
// @ts-ignore: decorator
@inline
function hasEnded(here: usize, stop: usize): bool {
  return FEATURE_FAST && here >= stop;
}

/** The byte of the text behind that question. */
// @ts-ignore: decorator
@inline
function byteIn(here: usize): u32 {
  return FEATURE_FAST ? load<u8>(here) : byteAt(here);
}

/**
 * What is wrong at a place: a token cut short is told from one that is wrong, since the caller may have received only a part.
 * At the end of a complete text nothing is.
 */
function fault(here: usize): i32 {
  at = here; // this also keeps the optimizer from calling it where nothing is wrong yet
  return here < end ? Status.Malformed : place == Place.Done ? <i32>Token.End : <i32>Status.MoreBytes;
}

/**
 * Reads up to the end of a value, or of the object or array around it, behind which no more is open than `outside`; with the largest
 * number one token. The token that the value began with, or the Status of the fault; the span is the value, without the quotes of a string.
 */
export function read(outside: u64): i32 {
  const stop = end;
  let here = at;
  let wanted = place;
  let level = nesting; // written back with the rest: globals cost more than locals
  let token: i32;
  let start: usize = 0; // of a value, behind its quote
  let begin: usize = 0; // of an object or array that is passed whole
  while (true) {
    if (hasEnded(here, stop)) return fault(here);
    let byte = byteIn(here);
    if (byte > 0x20) {
      if (byte == wanted) {
        wanted = BOTH - wanted;
        here++;
        continue;
      }
    } else if ((SPACES >> byte) & 1) {
      here++;
      continue;
    }
    const inArray = <i32>level & 1;
    if (byte == 0x22) {
      if (wanted >> LACKS_SHIFT) return fault(here);
      start = ++here;
      let high: u32 = 0;
      while (true) {
        if (FEATURE_FAST) here = copyPlain(here, stop - 7, here); // to where they are
        if (hasEnded(here, stop)) return fault(here);
        byte = byteIn(here);
        if (byte == 0x22) break;
        if (byte < 0x20) return fault(here);
        here++;
        if (FEATURE_FAST) high |= byte;
        if (byte == 0x5c) {
          byte = byteAt(here);
          if (byte == 0x75) {
            let digits = 4;
            do {
              byte = byteAt(++here);
              if (byte - 0x30 > 9 && (byte | 0x20) - 0x61 > 5) return fault(here);
            } while (--digits);
          } else if (load<u8>(ESCAPES + escapeIndex(byte)) != byte) {
            return fault(here);
          }
          here++;
        }
      }
      if (!FEATURE_FAST || high >> 7) {
        if (!isUtf8(start, <i32>(here - start))) return Status.InvalidUtf8;
      }
      here++;
      const isKey = <i32>(wanted != Place.AtValue) & ~inArray;
      token = Token.Text - isKey;
      wanted = isKey ? <i32>Place.Colon : <i32>Place.Behind;
    } else if (byte == 0x7d - (inArray << 5)) {
      if (wanted & CANNOT_END) return fault(here);
      here++;
      level >>= 1;
      wanted = Place.Behind;
      token = Token.ObjectEnd + inArray;
    } else {
      if (inArray ? wanted >> LACKS_SHIFT : wanted != Place.AtValue) return fault(here);
      wanted = Place.Behind;
      start = here;
      if ((byte | 0x20) == 0x7b) {
        if (<u32>(level >> JSON_DEPTH_MAX)) return Status.TooDeep;
        const isArray = <u32>(byte == 0x5b);
        here++;
        level = (level << 1) | isArray;
        wanted = Place.AtFirst;
        token = Token.ObjectBegin + isArray;
      } else if (byte > 0x3f) {
        // The thirds of the remainders are 0, 1 and 2 for n, f and t; another letter fails on the first of the word.
        const index = (byte % 9) / 3;
        let word = WORDS + index * WORD_SIZE;
        let letters: u32 = load<u8>(word);
        do {
          if (hasEnded(here, stop) || byteIn(here) != load<u8>(++word)) return fault(here);
          here++;
        } while (--letters);
        token = Token.Null + index;
      } else {
        let part: i32 = 0; // of the number: the integer, behind the point, behind the e
        if (byte == 0x2d) here++;
        while (true) {
          const digits = here;
          while (byteAt(here) - 0x30 < 10) here++;
          if (here == digits) return fault(here);
          // Nothing follows a zero in front.
          if (!part & (load<u8>(digits) == 0x30)) here = digits + 1;
          byte = byteAt(here);
          if (byte == 0x2e && !part) {
            part = 1;
            here++;
          } else if ((byte | 0x20) == 0x65 && part < 2) {
            part = 2;
            byte = byteAt(++here);
            here += <usize>!((byte - 0x2b) & ~2); // a plus or a minus
          } else {
            break;
          }
        }
        token = Token.Number;
      }
    }
    if (level > outside) {
      if (!begin) begin = start;
    } else if (wanted == Place.Behind || outside == u64.MAX_VALUE) {
      break;
    } else {
      key = start;
    }
  }
  at = here;
  nesting = level;
  // Nothing may stand behind the whole text.
  place = level == 1 ? <i32>Place.Done : wanted;
  if (begin) {
    start = begin;
    token += Token.ObjectBegin - Token.ObjectEnd;
  }
  from = start;
  length = <i32>(here - start) - <i32>(token >> 1 == <i32>Token.Text >> 1);
  return token;
}

/** Reads one token: a Token, or the Status of the fault. The span is that of a text or key. */
// @ts-ignore: decorator
@inline
export function next(): i32 {
  return read(u64.MAX_VALUE);
}

/**
 * Passes one whole value, with its key where it is a member. Returns the token that it began with, or the Status of a fault; the span is the value, without
 * the quotes where it is a string. Where there is no further value it returns ArrayEnd, ObjectEnd or End.
 */
// @ts-ignore: decorator
@inline
export function skip(): i32 {
  return read(nesting);
}

/** What `validate` calls an array without elements: a Member.End, which is all that it holds. */
const EMPTY_ARRAY: i32 = 9;

/** Checks one whole text: the Member that it is, or the Status of the first fault. An empty array is an EMPTY_ARRAY. */
// @ts-ignore: decorator
@inline
export function validate(text: usize, textLength: i32): i32 {
  open(text, textLength);
  let first = next();
  if (first < 0) return first;
  let token = skip();
  if (first == Token.ArrayBegin && token == Token.ArrayEnd) first = EMPTY_ARRAY;
  while (token > 0) token = skip();
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
