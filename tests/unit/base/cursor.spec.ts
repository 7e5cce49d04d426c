// Writes into rooms of every size around what is needed: nothing may be written outside, and what is needed is counted all the same.

import { at, limit, moveTo, open, overflowed, putByte, putBytes, putU16, storeU16 } from "../../../assembly/base/cursor";
import { bytes } from "../../../assembly/base/text";
import { hexAt } from "../host";

const ROOM = memory.data(32, 8);
const BYTES: usize = memory.data<u8>([1, 2, 3, 4, 5]);
const WORD = bytes("abc");

function begin(room: usize): void {
  memory.fill(ROOM, 0xaa, 32);
  open(ROOM, ROOM + room);
}

describe("open", () => {
  test("the next byte goes to the beginning, and an empty place is not overflowed", () => {
    begin(0);
    expect<usize>(at).toBe(ROOM);
    expect<usize>(limit).toBe(ROOM);
    expect<bool>(overflowed()).toBe(false);
  });
  test("opening again forgets an overflow", () => {
    begin(0);
    putByte(1);
    expect<bool>(overflowed()).toBe(true);
    open(ROOM, ROOM + 1);
    expect<bool>(overflowed()).toBe(false);
  });
});

describe("writing", () => {
  test("each kind writes its bytes one behind the other", () => {
    begin(32);
    putByte(0x1ff);
    putU16(0x11234);
    putBytes(BYTES, 5);
    putBytes(WORD, 3);
    putBytes(BYTES, 0);
    expect<string>(hexAt(ROOM, 12)).toBe("ff 12 34 01 02 03 04 05 61 62 63 aa");
    expect<usize>(at).toBe(ROOM + 11);
    expect<bool>(overflowed()).toBe(false);
  });
  test("rooms of every size: nothing outside, and the bytes needed are counted", () => {
    for (let room = 0; room <= 12; room++) {
      begin(room);
      putByte(0xff);
      putU16(0x1234);
      putBytes(BYTES, 5);
      putBytes(WORD, 3);
      expect<usize>(at).toBe(ROOM + 11);
      expect<bool>(overflowed()).toBe(room < 11);
      for (let byte = room; byte < 32; byte++) {
        if (byte >= 11 || room < 11) expect<u8>(load<u8>(ROOM + byte)).toBe(0xaa);
      }
    }
  });
  test("bytes that fit exactly are written, bytes that do not are left out whole", () => {
    begin(5);
    putBytes(BYTES, 5);
    expect<string>(hexAt(ROOM, 6)).toBe("01 02 03 04 05 aa");
    begin(4);
    putBytes(BYTES, 5);
    expect<string>(hexAt(ROOM, 5)).toBe("aa aa aa aa aa");
  });
  test("16 bits across the limit leave the first byte", () => {
    begin(1);
    putU16(0x1234);
    expect<string>(hexAt(ROOM, 2)).toBe("12 aa");
    expect<bool>(overflowed()).toBe(true);
  });
  test("after an overflow nothing more is written", () => {
    begin(2);
    putBytes(BYTES, 3);
    putByte(7);
    expect<string>(hexAt(ROOM, 4)).toBe("aa aa aa aa");
    expect<usize>(at).toBe(ROOM + 4);
  });
});

describe("moveTo and storeU16", () => {
  test("what follows goes to the new place", () => {
    begin(8);
    moveTo(ROOM + 3);
    putByte(9);
    expect<string>(hexAt(ROOM, 5)).toBe("aa aa aa 09 aa");
  });
  test("moving behind the limit is an overflow, moving to it is none", () => {
    begin(8);
    moveTo(ROOM + 8);
    expect<bool>(overflowed()).toBe(false);
    moveTo(ROOM + 9);
    expect<bool>(overflowed()).toBe(true);
  });
  test("storing 16 bits writes two bytes, high byte first, and leaves the cursor", () => {
    begin(8);
    storeU16(ROOM + 1, 0x1fe02);
    expect<string>(hexAt(ROOM, 4)).toBe("aa fe 02 aa");
    expect<usize>(at).toBe(ROOM);
  });
});
