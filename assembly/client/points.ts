// Counts what the server stores of a message: the data points of ThingsBoard's telemetry and attributes.
import { hashes, placeOf } from "../base/text";
import { from, length, nesting, next, open, skip, Token } from "../json/scan";
import { isStranger } from "./known";

/** Both members that make an object an entry with a time: what each adds to those found is its place and one. */
const ENTRY_NAMES = hashes("ts values");
const IS_VALUES: i32 = 2;
const HAS_BOTH: i32 = 3;
/** What `nesting` is inside the outermost object. */
const OBJECT: u64 = 2;

/** How many children of a gateway the text that was counted last is about, and for how many of them the server opens a session because of it. */
export let children: i32 = 0;
export let strangers: i32 = 0;

/**
 * The data points of JSON text that is known to be valid: the members of each object, or where it has `ts` and `values`
 * those of its values. An object stands alone or in an array.
 *
 * With `ofChildren` the text is a document of a gateway: one member for each child, whose value is such a text, or the name of the one child that it is about
 * as its first text. `change` is what it does to what the server knows of them.
 */
// @ts-ignore: decorator
@inline
export function countPoints(text: usize, textEnd: usize, ofChildren: bool, each: i32, change: i32): i32 {
  let points = 0;
  let members = 0;
  let values = 0;
  let found = 0;
  let token: i32;
  if (FEATURE_GATEWAY) children = strangers = 0;
  open(text, <i32>(textEnd - text));
  while ((token = next()) > 0) {
    if (token == Token.Key) {
      const outside = nesting;
      if (FEATURE_GATEWAY && ofChildren & (outside == OBJECT)) {
        let name = from;
        let nameLength = length;
        token = next();
        if (token == Token.Number) continue; // the id of a request
        if (token == Token.Text) {
          name = from;
          nameLength = length;
        }
        children += each;
        strangers += isStranger(name, nameLength, change);
        if (token == Token.Text) break;
        continue;
      }
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
