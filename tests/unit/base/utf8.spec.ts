// Walks through every sequence of up to three bytes, and the edges of four, against the table of RFC 3629, section 4.

import { isUtf8 } from "../../../assembly/base/utf8";

const TEXT = memory.data(16);

function tail(byte: u32): bool {
  return byte >= 0x80 && byte <= 0xbf;
}

/** Bytes of the well-formed character at `at`, 0 when there is none: the table of RFC 3629, row by row. */
function characterLength(at: usize, left: i32): i32 {
  const a: u32 = load<u8>(at);
  const b: u32 = left > 1 ? load<u8>(at, 1) : 0;
  const c: u32 = left > 2 ? load<u8>(at, 2) : 0;
  const d: u32 = left > 3 ? load<u8>(at, 3) : 0;
  if (a <= 0x7f) return 1;
  if (a >= 0xc2 && a <= 0xdf && tail(b)) return 2;
  if (a == 0xe0 && b >= 0xa0 && b <= 0xbf && tail(c)) return 3;
  if (((a >= 0xe1 && a <= 0xec) || a == 0xee || a == 0xef) && tail(b) && tail(c)) return 3;
  if (a == 0xed && b >= 0x80 && b <= 0x9f && tail(c)) return 3;
  if (a == 0xf0 && b >= 0x90 && b <= 0xbf && tail(c) && tail(d)) return 4;
  if (a >= 0xf1 && a <= 0xf3 && tail(b) && tail(c) && tail(d)) return 4;
  if (a == 0xf4 && b >= 0x80 && b <= 0x8f && tail(c) && tail(d)) return 4;
  return 0;
}

function isWellFormed(length: i32): bool {
  for (let at = 0; at < length; ) {
    const step = characterLength(TEXT + at, length - at);
    if (!step) return false;
    at += step;
  }
  return true;
}

function differences(length: i32, first: u32, last: u32): i32 {
  let count = 0;
  for (let value = first; value <= last; value++) {
    store<u32>(TEXT, value);
    if (isUtf8(TEXT, length) != isWellFormed(length)) count++;
  }
  return count;
}

describe("isUtf8", () => {
  test("no bytes are text", () => {
    expect<bool>(isUtf8(TEXT, 0)).toBe(true);
  });
  test("every sequence of one byte and of two", () => {
    expect<i32>(differences(1, 0, 0xff)).toBe(0);
    expect<i32>(differences(2, 0, 0xffff)).toBe(0);
  });
  test("every sequence of three bytes", () => {
    expect<i32>(differences(3, 0, 0xffffff)).toBe(0);
  });
  test("four bytes: every first byte with the edges of the others", () => {
    const edges: u8[] = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    let count = 0;
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < edges.length; b++) {
        for (let c = 0; c < edges.length; c++) {
          for (let d = 0; d < edges.length; d++) {
            store<u8>(TEXT, a);
            store<u8>(TEXT, edges[b], 1);
            store<u8>(TEXT, edges[c], 2);
            store<u8>(TEXT, edges[d], 3);
            if (isUtf8(TEXT, 4) != isWellFormed(4)) count++;
          }
        }
      }
    }
    expect<i32>(count).toBe(0);
  });
});
