// Remembers which children of a gateway the server knows in this session: a bit for each, where the checksum of its name says.
import { crc32 } from "../base/crc32";
import { KNOWN_CHILDREN, KNOWN_CHILDREN_SIZE } from "../memory";
import { Limit, spend } from "./limits";

const PLACES: u32 = KNOWN_CHILDREN_SIZE << 3;

/** How many bits are set. */
let known: u32 = 0;

/**
 * A message names a child: 1 when the server opens a session for it because of that, else 0; with `introduces`, which is 0 or 1, the server knows it
 * from now on.
 */
// @ts-ignore: decorator
@inline
export function isStranger(name: usize, length: i32, introduces: i32): i32 {
  const place = crc32(name, length) % PLACES;
  const byte = KNOWN_CHILDREN + (place >> 3);
  const bits: i32 = load<u8>(byte);
  const stranger = ~(bits >> (place & 7)) & 1;
  introduces &= stranger;
  known += introduces;
  store<u8>(byte, bits | (introduces << (place & 7)));
  return stranger;
}

/** A session begins: the server has forgotten all children, and counts the end of each. */
export function forgetChildren(): void {
  spend(Limit.ChildMessages, known);
  known = 0;
  memory.fill(KNOWN_CHILDREN, 0, KNOWN_CHILDREN_SIZE);
}
