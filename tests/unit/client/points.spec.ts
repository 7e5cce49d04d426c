// Counts data points; what is expected is what ThingsBoard's converter stores for each document.

import { forgetChildren } from "../../../assembly/client/known";
import { children, countPoints, strangers } from "../../../assembly/client/points";
import { putText } from "../host";

const TEXT = memory.data(512, 8);

function points(json: string): i32 {
  return countPoints(TEXT, TEXT + putText(TEXT, json), false, 0, 0);
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

/** The points of a gateway's document. */
function ofChildren(json: string, each: i32 = 1, introduces: bool = false): i32 {
  return countPoints(TEXT, TEXT + putText(TEXT, json), true, each, <i32>introduces);
}

describe("documents of a gateway", () => {
  test("telemetry is a list for each child, attributes an object", () => {
    forgetChildren();
    expect<i32>(ofChildren('{"A":[{"a":1,"b":{"c":1}},{"ts":1,"values":{"d":1,"e":2,"f":3},"metadata":{"m":1}}]}')).toBe(5);
    expect<i32>(children).toBe(1);
    expect<i32>(ofChildren('{"A":[{"a":1}],"B":[{"a":1},{"b":1}],"values":[{"ts":1,"values":{"x":1,"y":2}}]}')).toBe(5);
    expect<i32>(children).toBe(3);
    expect<i32>(ofChildren('{"A":{"sn":"1","o":{"p":1,"q":[{"r":1}]}},"ts":{"a":1}}')).toBe(3);
    expect<i32>(children).toBe(2);
    expect<i32>(strangers).toBe(2);
  });
  test("what is about one child names it in its first text", () => {
    const documents = ['{"device":"A","type":"t"}', '{"device":"A","id":7,"data":{"x":{"y":1},"z":[1,2]}}', '{"id":5,"device":"A","client":false,"keys":["a","b"]}'];
    for (let index = 0; index < documents.length; index++) {
      expect<i32>(ofChildren(documents[index])).toBe(0);
      expect<i32>(children).toBe(1);
      expect<i32>(strangers).toBe(1);
    }
  });
  test("a message that costs only what its child does", () => {
    ofChildren('{"device":"A"}', 0);
    expect<i32>(children).toBe(0);
    expect<i32>(strangers).toBe(1);
  });
  test("the server knows whom a message that left has named, until the session ends", () => {
    ofChildren('{"A":[{"a":1}],"B":[{"a":1}],"C":[{"a":1}]}');
    expect<i32>(strangers).toBe(3);
    ofChildren('{"device":"A"}', 0, true);
    expect<i32>(strangers).toBe(1);
    ofChildren('{"A":[{"a":1}],"B":[{"a":1}],"C":[{"a":1}]}', 1, true);
    expect<i32>(strangers).toBe(2);
    ofChildren('{"A":{"a":1},"B":{"a":1},"D":{"a":1}}');
    expect<i32>(strangers).toBe(1);
    ofChildren('{"id":1,"device":"B"}');
    expect<i32>(strangers).toBe(0);
    forgetChildren();
    ofChildren('{"id":1,"device":"B"}');
    expect<i32>(strangers).toBe(1);
  });
  test("what is not of children has none", () => {
    points('{"A":[{"a":1}]}');
    expect<i32>(children).toBe(0);
    expect<i32>(strangers).toBe(0);
  });
});
