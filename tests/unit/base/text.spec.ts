// Compares at every length around the steps of four and eight bytes, and reads numbers around the limits of 31, 32 and 28 bits.

import { bytes, equals, isLiteral, marksOf, readDigits, utf8 } from "../../../assembly/base/text";
import { putText, textAt } from "../host";

const A = memory.data(64, 8);
const B = memory.data(64, 8);
const WORD = utf8("caf\u00e9");
const EMPTY = utf8("");
const RAW = bytes("\0A");

function digits(text: string): i32 {
  return readDigits(A, putText(A, text));
}

/** The place of the first of eight bytes that cannot stand in a JSON string as it is; 8 when all can. */
function placeOfMark(text: usize): usize {
  const marks = marksOf(load<u64>(text));
  return marks ? <usize>ctz(marks) >> 3 : 8;
}

function isWord(text: string): bool {
  return isLiteral(A, putText(A, text), WORD);
}

describe("literals", () => {
  test("utf8 has its length in bytes in front", () => {
    expect<u8>(load<u8>(WORD)).toBe(5);
    expect<string>(textAt(WORD + 1, 5)).toBe("caf\u00e9");
    expect<u8>(load<u8>(EMPTY)).toBe(0);
  });
  test("bytes has the text alone", () => {
    expect<u8>(load<u8>(RAW)).toBe(0);
    expect<u8>(load<u8>(RAW, 1)).toBe(0x41);
  });
});

describe("equals", () => {
  test("one byte that differs at each place of each length up to 33, and behind the end", () => {
    let wrong = 0;
    for (let length = 0; length <= 33; length++) {
      for (let place = 0; place < 40; place++) {
        for (let byte = 0; byte < 40; byte++) {
          store<u8>(A + byte, byte);
          store<u8>(B + byte, byte);
        }
        store<u8>(B + place, 0xff);
        if (equals(A, B, length) != place >= length) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
});

describe("marksOf", () => {
  test("every byte at each of eight places, at each distance from a multiple of eight", () => {
    let wrong = 0;
    for (let byte = 0; byte < 256; byte++) {
      const isPlain = byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5c;
      for (let place = 0; place < 8; place++) {
        const text = A + (byte & 7);
        memory.fill(A, 0x41, 64);
        store<u8>(text + place, byte);
        if (placeOfMark(text) != (isPlain ? 8 : place)) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("the first of several", () => {
    const bytes: u32[] = [0x00, 0x1f, 0x22, 0x5c, 0x80, 0xff];
    let wrong = 0;
    for (let first = 0; first < bytes.length; first++) {
      for (let second = 0; second < bytes.length; second++) {
        for (let place = 0; place < 7; place++) {
          memory.fill(A, 0x7f, 64);
          store<u8>(A + place, bytes[first]);
          for (let behind = place + 1; behind < 16; behind++) store<u8>(A + behind, bytes[second]);
          if (placeOfMark(A) != place) wrong++;
        }
      }
    }
    expect<i32>(wrong).toBe(0);
  });
});

describe("isLiteral", () => {
  test("a text that is the literal", () => expect<bool>(isWord("caf\u00e9")).toBe(true));
  test("a text that goes on behind it", () => expect<bool>(isWord("caf\u00e9s")).toBe(false));
  test("a text that ends before it, though memory goes on alike", () => {
    putText(A, "caf\u00e9");
    for (let length = 0; length < 5; length++) expect<bool>(isLiteral(A, length, WORD)).toBe(false);
  });
  test("another text of the same length", () => expect<bool>(isWord("cafes")).toBe(false));
  test("only the empty text is the empty literal", () => {
    expect<bool>(isLiteral(A, 0, EMPTY)).toBe(true);
    expect<bool>(isLiteral(A, 1, EMPTY)).toBe(false);
  });
});

describe("readDigits", () => {
  test("numbers from 0 to 2147483647", () => {
    expect<i32>(digits("0")).toBe(0);
    expect<i32>(digits("7")).toBe(7);
    expect<i32>(digits("65535")).toBe(65535);
    expect<i32>(digits("268435455")).toBe(268435455);
    expect<i32>(digits("268435456")).toBe(268435456);
    expect<i32>(digits("2147483647")).toBe(2147483647);
    expect<i32>(digits("00000000000012")).toBe(12);
  });
  test("greater numbers are none, however long", () => {
    const texts = ["2147483648", "2684354559", "2684354560", "4294967295", "4294967296", "4294967297", "9999999999", "10000000000", "42949672961", "18446744073709551617"];
    for (let index = 0; index < texts.length; index++) expect<bool>(digits(texts[index]) < 0).toBe(true);
  });
  test("what is no digit is no number, wherever it stands", () => {
    const texts = ["", "-1", "+1", "1.5", "1 ", " 1", "1e3", "0x10", "/", ":", "12a"];
    for (let index = 0; index < texts.length; index++) expect<bool>(digits(texts[index]) < 0).toBe(true);
  });
});
