// Counts what the server stores of a message: the data points of ThingsBoard's telemetry and attributes.
import { hashes, placeOf } from "../base/text";
import { from, length, nesting, next, open, Token } from "../json/scan";

/** Both members that make an object an entry with a time, each one bit above its place. */
const ENTRY_NAMES = hashes("ts values");
const IS_VALUES: i32 = 2;
const HAS_BOTH: i32 = 3;

// What is open, as `scan.nesting` has it, in an array; without one there is a bit less, which is set to compare.
const OBJECT: u64 = 0b110;
const OBJECT_ALONE_LACKS: u64 = 0b100;
const VALUES: u64 = 0b1100;
const VALUES_ALONE_LACK: u64 = 0b1000;
/** What is left when an object ends. */
const ARRAY: u64 = 0b11;
const ARRAY_LACKS: u64 = 0b10;

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
  let name = 0;
  let token: i32;
  open(text, <i32>(textEnd - text));
  while ((token = next()) > 0) {
    if (token == Token.Key) {
      if ((nesting | OBJECT_ALONE_LACKS) == OBJECT) {
        members++;
        name = placeOf(ENTRY_NAMES, 2, from, length) + 1;
        found |= name;
      } else if (name == IS_VALUES && (nesting | VALUES_ALONE_LACK) == VALUES) {
        values++;
      }
    } else if (token == Token.ObjectEnd && (nesting | ARRAY_LACKS) == ARRAY) {
      points += found == HAS_BOTH ? values : members;
      members = values = found = 0;
    }
  }
  return points;
}
