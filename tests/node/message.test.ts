// The packed message record, against bytes written by hand from ABI.md, section 7.

import assert from "node:assert/strict";
import { test } from "node:test";
import { messageRecord, telemetryValue } from "../../host/node/message.ts";
import { JsonText, MoteError, type MessageValue } from "../../host/node/index.ts";

// Numbers of `Member` as ABI.md and abi.ts have them, written again here so that a slip in the generator shows.
const NULL = 0, FALSE = 1, TRUE = 2, INTEGER = 3, DECIMAL = 4, TEXT = 5, JSON_TEXT = 6, OBJECT = 7, ARRAY = 8, END = 9;

const padded = (text: string): number[] => {
  const bytes = [...Buffer.from(text)];
  while (bytes.length % 4 !== 0) bytes.push(0);
  return bytes;
};
const member = (type: number, key = "", number = 0n, digits = 0): number[] => {
  const head = Buffer.alloc(12);
  head[0] = type;
  head[1] = digits;
  head[2] = Buffer.byteLength(key);
  head.writeBigInt64LE(number, 4);
  return [...head, ...padded(key)];
};
const text = (type: number, key: string, value: string): number[] => [...member(type, key, BigInt(Buffer.byteLength(value))), ...padded(value)];
const object = (...members: number[][]): number[] => [...member(OBJECT), ...members.flat(), ...member(END)];

function refuses(status: string, build: () => unknown): void {
  assert.throws(build, (error: unknown) => error instanceof MoteError && error.status === status);
}

const members: [name: string, value: MessageValue, record: number[]][] = [
  ["null", null, member(NULL, "key")],
  ["true", true, member(TRUE, "key")],
  ["false", false, member(FALSE, "key")],
  ["zero", 0, member(INTEGER, "key", 0n)],
  ["minus zero, as JSON.stringify has it", -0, member(INTEGER, "key", 0n)],
  ["a negative integer", -5, member(INTEGER, "key", -5n)],
  ["an integer beyond 53 bits, to the last digit of the double", 2 ** 60, member(INTEGER, "key", 1152921504606846976n)],
  ["the largest BigInt of 64 bits", 2n ** 63n - 1n, member(INTEGER, "key", 2n ** 63n - 1n)],
  ["the smallest BigInt of 64 bits", -(2n ** 63n), member(INTEGER, "key", -(2n ** 63n))],
  ["a BigInt beyond 64 bits is text, as ThingsBoard stores it", 2n ** 63n, text(TEXT, "key", "9223372036854775808")],
  ["a BigInt below 64 bits likewise", -(2n ** 63n) - 1n, text(TEXT, "key", "-9223372036854775809")],
  ["a number beyond 64 bits likewise", -1e21, text(TEXT, "key", "-1000000000000000000000")],
  ["what JSON lacks is text", NaN, text(TEXT, "key", "NaN")],
  ["also without end", Infinity, text(TEXT, "key", "Infinity")],
  ["and below", -Infinity, text(TEXT, "key", "-Infinity")],
  ["one decimal", 25.5, member(DECIMAL, "key", 255n, 1)],
  ["a negative fraction below one", -0.5, member(DECIMAL, "key", -5n, 1)],
  ["sixteen decimals, the most that ThingsBoard takes for a number", 1 / 3, member(DECIMAL, "key", 3333333333333333n, 16)],
  ["seventeen are rounded", 0.1 + 0.2, member(DECIMAL, "key", 3n, 1)],
  ["twenty-two are rounded", -1.2345678901234567e-6, member(DECIMAL, "key", -12345678901n, 16)],
  ["a small exponent", 1.5e-7, text(JSON_TEXT, "key", "1.5e-7")],
  ["an exponent with sixteen decimals", 1.234e-13, text(JSON_TEXT, "key", "1.234e-13")],
  ["what only further decimals hold is text", 1.2345e-13, text(TEXT, "key", "1.2345e-13")],
  ["the least of all", 5e-324, text(TEXT, "key", "5e-324")],
  ["text", "v1.2.2", text(TEXT, "key", "v1.2.2")],
  ["empty text", "", text(TEXT, "key", "")],
  ["text beyond ASCII", "日本😀", text(TEXT, "key", "日本😀")],
  ["ready JSON", new JsonText("[1]"), text(JSON_TEXT, "key", "[1]")],
  ["a Date, by its toJSON", new Date(0), text(TEXT, "key", "1970-01-01T00:00:00.000Z")],
  ["an object", { a: 1 }, [...member(OBJECT, "key"), ...member(INTEGER, "a", 1n), ...member(END)]],
  ["an empty object", {}, [...member(OBJECT, "key"), ...member(END)]],
  ["a list, holes as null", [true, undefined, "x"], [...member(ARRAY, "key"), ...member(TRUE), ...member(NULL), ...text(TEXT, "", "x"), ...member(END)]],
  ["undefined is left out", undefined, []],
];

for (const [name, value, expected] of members) {
  test(`member: ${name}`, () => {
    assert.deepEqual([...messageRecord({ key: value })], object(expected));
  });
}

test("every member begins at a multiple of four, whatever the lengths", () => {
  assert.deepEqual(
    [...messageRecord({ a: "1", bb: "22", ccc: "333", dddd: "4444" })],
    object(text(TEXT, "a", "1"), text(TEXT, "bb", "22"), text(TEXT, "ccc", "333"), text(TEXT, "dddd", "4444")),
  );
});

test("a record of many members grows", () => {
  const values = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index]));
  assert.deepEqual([...messageRecord(values)], object(...Object.entries(values).map(([key, value]) => member(INTEGER, key, BigInt(value)))));
});

test("telemetry: values, values with a time, a list of both", () => {
  const a = member(INTEGER, "a", 1n);
  const timed = [...member(INTEGER, "ts", 1700000000000n), ...member(OBJECT, "values"), ...a, ...member(END)];
  assert.deepEqual([...messageRecord(telemetryValue({ a: 1 }))], object(a));
  assert.deepEqual([...messageRecord(telemetryValue({ ts: 1700000000000, values: { a: 1 } }))], object(timed));
  assert.deepEqual([...messageRecord(telemetryValue({ ts: new Date(1700000000000), values: { a: 1 } }))], object(timed));
  assert.deepEqual(
    [...messageRecord(telemetryValue([{ ts: 1700000000000n, values: { a: 1 } }, { a: 1 }]))],
    [...member(ARRAY), ...object(timed), ...object(a), ...member(END)],
  );
  assert.deepEqual([...messageRecord(telemetryValue(new JsonText("{}")))], text(JSON_TEXT, "", "{}"));
});

test("a Date that is a measurement stays text, one beside values is a time", () => {
  const epoch = "1970-01-01T00:00:00.000Z";
  assert.deepEqual([...messageRecord(telemetryValue({ ts: new Date(0), other: 1 }))], object(text(TEXT, "ts", epoch), member(INTEGER, "other", 1n)));
});

test("a message may be any JSON value", () => {
  assert.deepEqual([...messageRecord(null)], member(NULL));
  assert.deepEqual([...messageRecord(5n)], member(INTEGER, "", 5n));
  assert.deepEqual([...messageRecord("a")], text(TEXT, "", "a"));
  assert.deepEqual([...messageRecord([1, true])], [...member(ARRAY), ...member(INTEGER, "", 1n), ...member(TRUE), ...member(END)]);
});

test("what JSON cannot carry is refused by name", () => {
  refuses("InvalidUtf8", () => messageRecord({ key: "\ud800" }));
  refuses("InvalidUtf8", () => messageRecord({ "\udc00": 1 }));
  for (const ts of [new Date(NaN), NaN, Infinity, 1e19, 2n ** 63n]) refuses("InvalidNumber", () => telemetryValue([{ ts, values: {} }]));
  refuses("TooLarge", () => messageRecord({ ["k".repeat(65536)]: 1 }));
});

test("a cycle ends as TooDeep", () => {
  const cycle: Record<string, MessageValue> = {};
  cycle["self"] = cycle;
  refuses("TooDeep", () => messageRecord(cycle));
  const list: MessageValue[] = [];
  list.push(list);
  refuses("TooDeep", () => messageRecord({ list }));
});
