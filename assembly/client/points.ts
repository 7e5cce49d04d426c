// Counts what the server stores of a message: the data points of ThingsBoard's telemetry and attributes.
import { isLiteral, utf8 } from "../base/text";
import { from, length, nesting, next, open, Token } from "../json/scan";

const VALUES_NAME = utf8("values"),
  TIME_NAME = utf8("ts");

/** Both members that make an object an entry with a time. */
const HAS_TS: i32 = 1;
const HAS_VALUES: i32 = 2;

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
  let inValues = false;
  open(text, <i32>(textEnd - text));
  for (let token = next(); token > 0; token = next()) {
    if (token == Token.Key) {
      if ((nesting | OBJECT_ALONE_LACKS) == OBJECT) {
        members++;
        inValues = isLiteral(from, length, VALUES_NAME);
        found |= inValues ? HAS_VALUES : <i32>isLiteral(from, length, TIME_NAME);
      } else if (inValues && (nesting | VALUES_ALONE_LACK) == VALUES) {
        values++;
      }
    } else if (token == Token.ObjectEnd && (nesting | ARRAY_LACKS) == ARRAY) {
      points += found == (HAS_TS | HAS_VALUES) ? values : members;
      members = values = found = 0;
    }
  }
  return points;
}
