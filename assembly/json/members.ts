// Reads the members of a JSON object that have names, wherever in it they stand.
import { Status } from "../abi";
import { placeOf } from "../base/text";
import { MEMBERS, MEMBERS_SIZE, storePair } from "../memory";
import { from, length, next, open, skip, Token } from "./scan";

/** The types of values that `readMembers` looks for, one bit for each Token; where it is not texts alone, the members of a named value are its own. */
export const TEXTS: i32 = 1 << 5;
export const TEXTS_AND_NUMBERS: i32 = 3 << 5;
export const ANY_VALUE: i32 = 0x1ee;

/**
 * Notes where the values of members with these names stand: for each name the span of the last such value of one of `types`, as
 * `skip` tells it, or zeros. A name is what a key has behind its first `behind` bytes. Ok, or the Status of a fault; WrongType when the text is no object.
 */
export function readMembers(text: usize, textLength: i32, names: usize, count: i32, types: i32, behind: i32): i32 {
  memory.fill(MEMBERS, 0, MEMBERS_SIZE);
  open(text, textLength);
  let token = next();
  if (token != Token.ObjectBegin) return token < 0 ? token : <i32>Status.WrongType;
  do {
    token = next();
    if (token == Token.Key) {
      const place = placeOf(names, count, from + behind, length - behind);
      if (place >= 0) {
        token = types >> Token.Number ? skip() : next();
        if ((types >> token) & 1) storePair(span(place), from, length);
      }
    }
  } while (token > 0);
  return token;
}

/** Where the span of a name is. */
// @ts-ignore: decorator
@inline
export function span(place: i32): usize {
  return MEMBERS + (place << 3);
}

/** The first byte of the value, 0 when there is none. */
// @ts-ignore: decorator
@inline
export function valueAt(place: i32): usize {
  return load<u32>(MEMBERS + (place << 3));
}

/** The bytes of the value, without quotes. */
// @ts-ignore: decorator
@inline
export function lengthAt(place: i32): i32 {
  return load<i32>(MEMBERS + (place << 3), 4);
}

/** Whether the value is a string: no other one has a quote in front. */
// @ts-ignore: decorator
@inline
export function isText(place: i32): bool {
  return load<u8>(valueAt(place) - 1) == 0x22;
}
