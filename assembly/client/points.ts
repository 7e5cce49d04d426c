// Counts what the server stores of a message: the data points of ThingsBoard's telemetry and attributes.
import { hashes, placeOf } from "../base/text";
import { from, length, nesting, next, open, skip, Token } from "../json/scan";

/** Both members that make an object an entry with a time: what each adds to those found is its place and one. */
const ENTRY_NAMES = hashes("ts values");
const IS_VALUES: i32 = 2;
const HAS_BOTH: i32 = 3;

/**
 * The data points of JSON text that is known to be valid: the members of each object, or where it has `ts` and `values`
 * those of its values. An object stands alone or in an array.
 */
// @ts-ignore: decorator
@inline
export function countPoints(text: usize, textEnd: usize): i32 {
  let points = 0;
  let members = 0;
  let values = 0;
  let found = 0;
  let token: i32;
  open(text, <i32>(textEnd - text));
  while ((token = next()) > 0) {
    if (token == Token.Key) {
      const outside = nesting;
      const name = placeOf(ENTRY_NAMES, 2, from, length) + 1;
      members++;
      found |= name;
      // Passes the value whole, or one that may hold the data points token by token.
      do {
        token = name == IS_VALUES ? next() : skip();
        values += <i32>((token == Token.Key) & (nesting == outside << 1));
      } while (nesting > outside);
    } else if (token == Token.ObjectEnd) {
      points += found == HAS_BOTH ? values : members;
      members = values = found = 0;
    }
  }
  return points;
}
