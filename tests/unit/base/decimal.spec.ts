// Compares written numbers with those of AssemblyScript's own standard library, digits behind the point by shifting the text.

import { at, open } from "../../../assembly/base/cursor";
import { putDecimal } from "../../../assembly/base/decimal";

const TEXT = memory.data(64);

function written(mantissa: i64, digits: i32): string {
  open(TEXT, TEXT + 64);
  putDecimal(mantissa, digits);
  return String.UTF8.decodeUnsafe(TEXT, at - TEXT);
}

/** The point put into the digits as text. */
function expected(mantissa: i64, digits: i32): string {
  const sign = mantissa < 0 ? "-" : "";
  const whole = mantissa == i64.MIN_VALUE ? "9223372036854775808" : (mantissa < 0 ? -mantissa : mantissa).toString();
  if (!digits) return sign + whole;
  const padded = whole.padStart(digits + 1, "0");
  return sign + padded.slice(0, padded.length - digits) + "." + padded.slice(padded.length - digits);
}

describe("putDecimal", () => {
  test("every power of ten and its neighbours, with every number of digits", () => {
    for (let power: i64 = 1, count = 0; count < 19; count++) {
      for (let offset: i64 = -1; offset <= 1; offset++) {
        for (let digits = 0; digits <= 18; digits++) {
          expect<string>(written(power + offset, digits)).toBe(expected(power + offset, digits));
          expect<string>(written(-(power + offset), digits)).toBe(expected(-(power + offset), digits));
        }
      }
      if (count < 18) power *= 10;
    }
  });
  test("the edges of 64 bits", () => {
    for (let digits = 0; digits <= 18; digits++) {
      expect<string>(written(i64.MIN_VALUE, digits)).toBe(expected(i64.MIN_VALUE, digits));
      expect<string>(written(i64.MAX_VALUE, digits)).toBe(expected(i64.MAX_VALUE, digits));
    }
  });
  test("nothing is written beyond the limit, and what is needed is counted", () => {
    for (let room = 0; room < 8; room++) {
      memory.fill(TEXT, 0xaa, 64);
      open(TEXT, TEXT + room);
      putDecimal(-1234567, 3);
      expect<i32>(<i32>(at - TEXT)).toBe(9);
      for (let byte = room; byte < 16; byte++) expect<u8>(load<u8>(TEXT + byte)).toBe(0xaa);
    }
  });
});
