// Adds children, finds them by their names, and lets the server know and forget them.

import { add, after, base, carveTable, documentOf, find, forgetChildren, isStranger, lengthOf, remove, sizeFor, tail } from "../../../assembly/client/children";
import { Limit } from "../../../assembly/client/limits";
import { carveFrom, LIMITS } from "../../../assembly/memory";
import { putText, textAt } from "../host";

const BLOCK = memory.data(512, 8);
const TEXT = memory.data(128, 8);

function put(document: string): void {
  add(TEXT, putText(TEXT, document));
}

/** The name as a JSON text has it, with the quote behind it. */
function name(text: string): i32 {
  return putText(TEXT, text + '"') - 1;
}

function found(text: string): usize {
  return find(TEXT, name(text));
}

function stranger(text: string, introduces: i32 = 0): i32 {
  return isStranger(TEXT, name(text), introduces);
}

function spent(): u32 {
  return load<u32>(LIMITS + <usize>Limit.ChildMessages * 16);
}

describe("the table of children", () => {
  test("finds each by its whole name", () => {
    carveFrom(BLOCK);
    carveTable(256);
    put('{"device":"a"}');
    put('{"device":"ab","type":"t"}');
    put('{"device":"a\\"","type":"t"}');
    expect<string>(textAt(documentOf(found("a")), lengthOf(found("a")))).toBe('{"device":"a"}');
    expect<string>(textAt(documentOf(found("ab")), lengthOf(found("ab")))).toBe('{"device":"ab","type":"t"}');
    expect<string>(textAt(documentOf(found('a\\"')), lengthOf(found('a\\"')))).toBe('{"device":"a\\"","type":"t"}');
    expect<usize>(found("b")).toBe(0);
    expect<usize>(found("abc")).toBe(0);
    expect<usize>(found("")).toBe(0);
  });
  test("an entry is its document and two bytes", () => {
    expect<usize>(sizeFor(14)).toBe(16);
    expect<usize>(after(base) - base).toBe(16);
    expect<usize>(tail - base).toBe(16 + 28 + 29);
  });
  test("a message makes the server know those whom it names, once", () => {
    expect<i32>(stranger("a")).toBe(1);
    expect<i32>(stranger("a")).toBe(1); // it was only asked
    expect<i32>(stranger("a", 1)).toBe(1);
    expect<i32>(stranger("a")).toBe(0);
    expect<i32>(stranger("a", 1)).toBe(0);
    expect<i32>(stranger("ab", 1)).toBe(1);
    expect<i32>(stranger('a\\"')).toBe(1);
    expect<i32>(lengthOf(found("a"))).toBe(14);
  });
  test("one that is not in the table is always new to it", () => {
    expect<i32>(stranger("z", 1)).toBe(1);
    expect<i32>(stranger("z", 1)).toBe(1);
  });
  test("a session that begins ends those that the server knew, a message each, and it knows none of them", () => {
    const before = spent();
    forgetChildren();
    expect<u32>(spent() - before).toBe(2);
    expect<i32>(stranger("a")).toBe(1);
    expect<i32>(stranger("ab")).toBe(1);
    forgetChildren();
    expect<u32>(spent() - before).toBe(2);
  });
  test("one that goes leaves the others as they are", () => {
    stranger('a\\"', 1);
    remove(found("a"));
    expect<usize>(found("a")).toBe(0);
    expect<i32>(stranger("ab")).toBe(1);
    expect<i32>(stranger('a\\"')).toBe(0);
    expect<usize>(tail - base).toBe(28 + 29);
  });
});
