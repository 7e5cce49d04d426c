// Remembers which children of a gateway the server knows in this session: a bit for each, where the checksum of its name says.
import { crc32 } from "../base/crc32";
import { KNOWN_CHILDREN, KNOWN_CHILDREN_SIZE } from "../memory";
import { Limit, spend } from "./limits";

const PLACES: u32 = KNOWN_CHILDREN_SIZE << 3;

/** How many bits are set. */
let known: u32 = 0;

/** What a message that leaves does to the children whom it names. */
export const enum Change {
  None = 0, // it has not left
  Introduced = 1, // the server knows them from now on
  Ended = 2, // it does not any more
}

/** A message names a child: 1 when the server did not know it, so that it opens a session for it, else 0. */
// @ts-ignore: decorator
@inline
export function isStranger(name: usize, length: i32, change: i32): i32 {
  const place = crc32(name, length) % PLACES;
  const byte = KNOWN_CHILDREN + (place >> 3);
  const bits: i32 = load<u8>(byte);
  const isKnown = (bits >> (place & 7)) & 1;
  const changes = <i32>(change == Change.Introduced + isKnown);
  known += isKnown ? -changes : changes;
  store<u8>(byte, bits ^ (changes << (place & 7)));
  return isKnown ^ 1;
}

/** A session begins: the server has forgotten all children, and counts the end of each. */
export function forgetChildren(): void {
  spend(Limit.ChildMessages, known);
  known = 0;
  memory.fill(KNOWN_CHILDREN, 0, KNOWN_CHILDREN_SIZE);
}
