// Reads numbers around the edges of 64 bits and of the exponent; what they mean is arithmetic.

import { JsonType } from "../../../assembly/abi";
import { exponent, mantissa, readNumber } from "../../../assembly/json/number";

const TEXT = memory.data(64);

function read(text: string): i32 {
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, TEXT);
  return readNumber(TEXT, text.length);
}

describe("readNumber", () => {
  test("whole numbers that fit 64 bits are exact", () => {
    const values: i64[] = [0, 1, -1, 10, 922337203685477579, 922337203685477580, 922337203685477581, 9223372036854775799, 9223372036854775800, i64.MAX_VALUE, i64.MIN_VALUE];
    for (let index = 0; index < values.length; index++) {
      expect<i32>(read(values[index].toString())).toBe(JsonType.Integer, values[index].toString());
      expect<i64>(mantissa).toBe(values[index]);
    }
  });
  test("one more than fits is handed on as text", () => {
    expect<i32>(read("9223372036854775808")).toBe(JsonType.Number);
    expect<i32>(read("-9223372036854775809")).toBe(JsonType.Number);
    expect<i32>(read("18446744073709551616")).toBe(JsonType.Number);
  });
  test("fractions keep mantissa and exponent", () => {
    expect<i32>(read("-0.05")).toBe(JsonType.Decimal);
    expect<i64>(mantissa).toBe(-5);
    expect<i32>(exponent).toBe(-2);
    expect<i32>(read("1.5e-10")).toBe(JsonType.Decimal);
    expect<i64>(mantissa).toBe(15);
    expect<i32>(exponent).toBe(-11);
  });
  test("a whole value is an integer however it is written", () => {
    expect<i32>(read("1.50e2")).toBe(JsonType.Integer);
    expect<i64>(mantissa).toBe(150);
    expect<i32>(read("42.000")).toBe(JsonType.Integer);
    expect<i64>(mantissa).toBe(42);
  });
});
