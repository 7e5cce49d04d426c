// Puts a length in front of bodies at the edges of each number of length bytes (MQTT 3.1.1, table 2.4), in rooms around what is needed.

import { at, moveTo, open, overflowed } from "../../../assembly/base/cursor";
import { putRemainingLength } from "../../../assembly/mqtt/length";
import { hexAt } from "../host";

/** More than the longest of the bodies. */
const ROOM: usize = heap.alloc(3 << 20);
const MARK: u8 = 0xaa;

/** Writes a body of so many bytes behind one free byte, puts its length in front; whether that fits into `room` bytes. */
function put(length: i32, room: i32): bool {
  memory.fill(ROOM, MARK, length + 16);
  const body = ROOM + 2;
  for (let byte = 0; byte < length; byte += 97) store<u8>(body + byte, byte * 7);
  open(ROOM, ROOM + room);
  moveTo(body + length);
  putRemainingLength(body);
  return !overflowed();
}

/** How many bytes of the body are not where they belong. */
function misplaced(length: i32, count: i32): i32 {
  let wrong = 0;
  for (let byte = 0; byte < length; byte += 97) if (load<u8>(ROOM + 1 + count + byte) != <u8>(byte * 7)) wrong++;
  return wrong;
}

describe("putRemainingLength", () => {
  test("the edges of one to four length bytes", () => {
    const lengths = [0, 1, 127, 128, 16383, 16384, 2097151, 2097152];
    const expected = ["00", "01", "7f", "80 01", "ff 7f", "80 80 01", "ff ff 7f", "80 80 80 01"];
    for (let index = 0; index < lengths.length; index++) {
      const length = lengths[index];
      const count = (expected[index].length + 1) / 3;
      // In front stands a byte that must stay, behind it the length bytes, then the body.
      expect<bool>(put(length, 1 + count + length)).toBe(true);
      expect<string>(hexAt(ROOM, 1 + count)).toBe("aa " + expected[index]);
      expect<usize>(at).toBe(ROOM + 1 + count + length);
      expect<i32>(misplaced(length, count)).toBe(0);
    }
  });
  test("a byte less is an overflow that writes nothing behind the room", () => {
    const lengths = [0, 127, 128, 16383, 16384];
    const counts = [1, 1, 2, 2, 3];
    for (let index = 0; index < lengths.length; index++) {
      const room = 1 + counts[index] + lengths[index] - 1;
      expect<bool>(put(lengths[index], room)).toBe(false);
      for (let byte = room; byte < room + 4; byte++) {
        // The body itself was put there by the spec, behind the room too.
        if (byte >= 2 + lengths[index]) expect<u8>(load<u8>(ROOM + byte)).toBe(MARK);
      }
    }
  });
  test("a body that overflowed before stays an overflow, and the bytes needed go on being counted", () => {
    memory.fill(ROOM, MARK, 512);
    open(ROOM, ROOM + 10);
    moveTo(ROOM + 2 + 300);
    putRemainingLength(ROOM + 2);
    expect<bool>(overflowed()).toBe(true);
    expect<bool>(at >= ROOM + 2 + 300).toBe(true);
    for (let byte = 10; byte < 512; byte++) expect<u8>(load<u8>(ROOM + byte)).toBe(MARK);
  });
});
