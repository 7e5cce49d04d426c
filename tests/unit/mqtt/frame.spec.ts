// Walks through every first byte and every form of the remaining length: MQTT 3.1.1, sections 2.2.1 to 2.2.3.

import { Status } from "../../../assembly/abi";
import { body, bodyEnd, readHeader } from "../../../assembly/mqtt/frame";

const BYTES = memory.data(8);

/** First bytes that a server may send to a client that subscribes at QoS 0 and 1 only. */
function mayBegin(first: i32): bool {
  if (first == 0x20 || first == 0x40 || first == 0x90 || first == 0xb0 || first == 0xd0) return true;
  return first == 0x30 || first == 0x31 || first == 0x32 || first == 0x33 || first == 0x3a || first == 0x3b;
}

/** The remaining length that a type has; -1 = any. */
function fixedLength(first: i32): i32 {
  switch (first) {
    case 0x20: case 0x40: case 0xb0: return 2;
    case 0x90: return 3;
    case 0xd0: return 0;
  }
  return -1;
}

/** Writes a length in so many bytes, which may be more than it needs. */
function putLength(value: u32, count: i32): void {
  for (let at = 1; at <= count; at++) {
    store<u8>(BYTES + at, (value & 0x7f) | (at < count ? 0x80 : 0));
    value >>= 7;
  }
}

describe("readHeader", () => {
  test("every first byte with every length of one byte", () => {
    let wrong = 0;
    for (let first = 0; first < 256; first++) {
      for (let length = 0; length < 128; length++) {
        store<u8>(BYTES, first);
        store<u8>(BYTES, length, 1);
        const fixed = fixedLength(first);
        const isGood = mayBegin(first) && (fixed < 0 || fixed == length);
        if (readHeader(BYTES, BYTES + 2) != (isGood ? <i32>Status.Ok : <i32>Status.Malformed)) wrong++;
        if (isGood && (body != BYTES + 2 || bodyEnd != body + length)) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("the edges of each number of length bytes [MQTT 3.1.1, table 2.4]", () => {
    const edges: u32[] = [0, 127, 128, 16383, 16384, 2097151, 2097152, 268435455];
    store<u8>(BYTES, 0x30);
    for (let index = 0; index < edges.length; index++) {
      const count = (index >> 1) + 1;
      putLength(edges[index], count);
      expect<i32>(readHeader(BYTES, BYTES + count + 1)).toBe(Status.Ok);
      expect<i32>(<i32>(bodyEnd - body)).toBe(<i32>edges[index]);
      expect<usize>(body).toBe(BYTES + count + 1);
      for (let available = 0; available <= count; available++) expect<i32>(readHeader(BYTES, BYTES + available)).toBe(Status.MoreBytes);
    }
  });
  test("more bytes than the length needs, and a fifth byte", () => {
    store<u8>(BYTES, 0x30);
    for (let count = 2; count <= 4; count++) {
      putLength(5, count);
      expect<i32>(readHeader(BYTES, BYTES + count + 1)).toBe(Status.Malformed);
    }
    store<u32>(BYTES, 0xffffffff, 1);
    expect<i32>(readHeader(BYTES, BYTES + 5)).toBe(Status.Malformed);
  });
});
