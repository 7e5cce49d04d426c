// Reads members by their names, at every depth, and leaves what has another name or type.

import { Status } from "../../../assembly/abi";
import { hashes } from "../../../assembly/base/text";
import { ANY_VALUE, isText, lengthAt, readMembers, TEXTS, TEXTS_AND_NUMBERS, valueAt } from "../../../assembly/json/members";
import { putText, textAt } from "../host";

const NAMES = hashes("a b longer");
const TEXT: usize = memory.data(512, 8);

function read(json: string, types: i32, behind: i32 = 0): i32 {
  return readMembers(TEXT, putText(TEXT, json), NAMES, 3, types, behind);
}

function value(place: i32): string {
  return valueAt(place) ? textAt(valueAt(place), lengthAt(place)) : "none";
}

describe("readMembers", () => {
  test("finds names at every depth, the last of each", () => {
    expect<i32>(read('{"x":{"a":"1","y":[{"b":"2"}]},"longer":"3","a":"4"}', TEXTS)).toBe(Status.Ok);
    expect<string>(value(0)).toBe("4");
    expect<string>(value(1)).toBe("2");
    expect<string>(value(2)).toBe("3");
  });
  test("takes only the types that it is asked for", () => {
    read('{"a":1.5,"b":null,"longer":true}', TEXTS);
    for (let place = 0; place < 3; place++) expect<string>(value(place)).toBe("none");
    read('{"a":1.5,"b":null,"longer":"t"}', TEXTS_AND_NUMBERS);
    expect<string>(value(0)).toBe("1.5");
    expect<string>(value(1)).toBe("none");
    expect<bool>(isText(0)).toBe(false);
    expect<bool>(isText(2)).toBe(true);
  });
  test("looks into a named object for texts alone, and takes it whole for all values", () => {
    read('{"a":{"b":"in"}}', TEXTS);
    expect<string>(value(0)).toBe("none");
    expect<string>(value(1)).toBe("in");
    read('{"a":{"b":"in"},"longer":[null]}', ANY_VALUE);
    expect<string>(value(0)).toBe('{"b":"in"}');
    expect<string>(value(1)).toBe("none");
    expect<string>(value(2)).toBe("[null]");
    expect<bool>(isText(0)).toBe(false);
  });
  test("leaves out what stands in front of a name", () => {
    read('{"xxa":"1","a":"2","":"3","x":"4"}', TEXTS, 2);
    expect<string>(value(0)).toBe("1");
    expect<string>(value(1)).toBe("none");
  });
  test("forgets what was read before", () => {
    read('{"a":"1"}', TEXTS);
    expect<i32>(read("{}", TEXTS)).toBe(Status.Ok);
    expect<string>(value(0)).toBe("none");
  });
  test("names the fault of a text, and keeps what stood before it", () => {
    expect<i32>(read('{"a":"1","b":', TEXTS)).toBe(Status.MoreBytes);
    expect<string>(value(0)).toBe("1");
    expect<i32>(read('{"a":"1"]', ANY_VALUE)).toBe(Status.Malformed);
    expect<i32>(read('[{"a":"1"}]', TEXTS)).toBe(Status.WrongType);
    expect<i32>(read("", TEXTS)).toBe(Status.MoreBytes);
  });
});
