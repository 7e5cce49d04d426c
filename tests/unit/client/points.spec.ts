// Counts data points; what is expected is what ThingsBoard's converter stores for each document.

import { countPoints } from "../../../assembly/client/points";
import { putText } from "../host";

const TEXT = memory.data(512, 8);

function points(json: string): i32 {
  return countPoints(TEXT, TEXT + putText(TEXT, json));
}

describe("countPoints", () => {
  test("the members of an object", () => {
    expect<i32>(points("{}")).toBe(0);
    expect<i32>(points('{"a":1}')).toBe(1);
    expect<i32>(points(' { "a" : 1 , "b" : "x" , "c" : null } ')).toBe(3);
  });
  test("a value that is an object or an array is one", () => {
    expect<i32>(points('{"a":{"b":1,"c":{"d":2}},"e":[{"f":1},{"g":2}]}')).toBe(2);
  });
  test("with a time, the members of its values", () => {
    expect<i32>(points('{"ts":1,"values":{"a":1,"b":2,"c":3}}')).toBe(3);
    expect<i32>(points('{"values":{"a":{"x":1,"y":2}},"ts":1}')).toBe(1);
    expect<i32>(points('{"ts":1,"values":{},"metadata":{"m":1}}')).toBe(0);
    expect<i32>(points('{"values":{"a":1},"other":{"b":1,"c":2},"ts":1}')).toBe(1);
  });
  test("one of the two names alone is a key like any other", () => {
    expect<i32>(points('{"ts":1,"temp":2}')).toBe(2);
    expect<i32>(points('{"values":{"a":1,"b":2}}')).toBe(1);
  });
  test("a list is the sum of its objects, of both forms", () => {
    expect<i32>(points('[{"a":1},{"ts":1,"values":{"a":1,"b":2}},{"c":{"d":1}}]')).toBe(4);
    expect<i32>(points('[ {"ts":1,"values":{"a":1}} , {"ts":2,"values":{"a":1}} ]')).toBe(2);
    expect<i32>(points("[{},{}]")).toBe(0);
    expect<i32>(points('[{"ts":1,"a":1},{"values":{"b":1,"c":1}}]')).toBe(3);
  });
  test("brackets, colons and quotes in texts are text", () => {
    expect<i32>(points('{"a:b":"{\\"c\\":1,[","d\\\\":"\\\\","e\\"":"}"}')).toBe(3);
    expect<i32>(points('{"a":"ts","b":"values"}')).toBe(2);
  });
});
