// Looks values up in one document, and in texts with a fault in front of the value, inside it and behind it.

import { JsonField, JsonType, Status } from "../../../assembly/abi";
import { find } from "../../../assembly/json/find";
import { JSON_VALUE } from "../../../assembly/memory";
import { putText, textAt } from "../host";

const TEXT = memory.data(512, 8);
const PATH = memory.data(64, 8);
const DOCUMENT = ' {"a":{"b":[10,"x",null,{"c":true}],"":false},"0":"zero","a":1,"e\\n":2,"list":[[1,2],[]]} ';

function type(text: string, path: string): i32 {
  return find(TEXT, putText(TEXT, text), PATH, putText(PATH, path));
}

/** The text of the value at a path of the document, or the Status. */
function at(path: string): string {
  const found = type(DOCUMENT, path);
  return found < 0 ? found.toString() : textAt(load<u32>(JSON_VALUE, JsonField.Text), load<i32>(JSON_VALUE, JsonField.TextLength));
}

const NOT_FOUND = (<i32>Status.NotFound).toString();

describe("find", () => {
  test("the type of each kind of value", () => {
    expect<i32>(type("null", "")).toBe(JsonType.Null);
    expect<i32>(type("false", "")).toBe(JsonType.False);
    expect<i32>(type("true", "")).toBe(JsonType.True);
    expect<i32>(type('"t"', "")).toBe(JsonType.Text);
    expect<i32>(type("-1", "")).toBe(JsonType.Number);
    expect<i32>(type("{}", "")).toBe(JsonType.Object);
    expect<i32>(type("[]", "")).toBe(JsonType.Array);
  });
  test("members and elements", () => {
    expect<string>(at("a.b.0")).toBe("10");
    expect<string>(at("a.b.2")).toBe("null");
    expect<string>(at("a.b.3")).toBe('{"c":true}');
    expect<string>(at("a.b.3.c")).toBe("true");
    expect<string>(at("list.0.1")).toBe("2");
    expect<string>(at("list.1")).toBe("[]");
  });
  test("a string comes without its quotes", () => {
    expect<string>(at("a.b.1")).toBe("x");
  });
  test("the empty path is the document without the space around it", () => {
    expect<string>(at("")).toBe(DOCUMENT.slice(1, DOCUMENT.length - 1));
  });
  test("of two members with one name the first", () => {
    expect<string>(at("a")).toBe('{"b":[10,"x",null,{"c":true}],"":false}');
  });
  test("digits name a member in an object", () => {
    expect<string>(at("0")).toBe("zero");
  });
  test("names are compared as they are written, still escaped", () => {
    expect<string>(at("e\\n")).toBe("2");
    expect<string>(at("e\n")).toBe(NOT_FOUND);
  });
  test("what is not there", () => {
    const paths = ["b", "A", "aa", "a.b.4", "a.b.99", "a.b.x", "a.b.-1", "a.c", "a.b.0.x", "0.0", "list.1.0", "a.b.4294967296"];
    for (let index = 0; index < paths.length; index++) expect<string>(at(paths[index])).toBe(NOT_FOUND);
  });
  test("nothing in a value that has no members", () => {
    expect<i32>(type("1", "a")).toBe(Status.NotFound);
    expect<i32>(type('"a"', "a")).toBe(Status.NotFound);
    expect<i32>(type("[]", "0")).toBe(Status.NotFound);
    expect<i32>(type("{}", "0")).toBe(Status.NotFound);
  });
  test("a fault in front of the value or inside it is the result", () => {
    expect<i32>(type('{"x":tru,"a":1}', "a")).toBe(Status.Malformed);
    expect<i32>(type('{"x":[1,"a":1}', "a")).toBe(Status.Malformed);
    expect<i32>(type('{"a":[1,}', "a")).toBe(Status.Malformed);
    expect<i32>(type('{"a":"x', "a")).toBe(Status.MoreBytes);
    expect<i32>(type('{"x":1', "a")).toBe(Status.MoreBytes);
    expect<i32>(type("", "")).toBe(Status.MoreBytes);
  });
  test("the text behind the value is not read", () => {
    expect<i32>(type('{"a":1,"b":tru', "a")).toBe(JsonType.Number);
  });
});
