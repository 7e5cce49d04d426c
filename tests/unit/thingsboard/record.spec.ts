// Looks at the first members of records, of the right and of other types and keys.

import { Member, MemberField, Status } from "../../../assembly/abi";
import { utf8 } from "../../../assembly/base/text";
import { firstMember, namesChild } from "../../../assembly/thingsboard/record";
import { configure, staging } from "../device";
import { putText } from "../host";

const KEY = utf8("method");

/** Begins a record with a value of this type and one member behind it. */
function begin(outer: i32, type: i32, key: string, number: i64): void {
  const at = staging();
  store<u64>(at, <u64>outer);
  store<u32>(at, 0, 8);
  store<u32>(at, <u32>type | (key.length << 16), 12);
  store<i64>(at, number, 12 + MemberField.Number);
  putText(at + 24, key);
}

describe("firstMember", () => {
  test("a staging area", () => {
    expect<i32>(configure('{"mqtt_host":"h"}')).toBe(Status.Ok);
  });
  test("is the one with this type and key", () => {
    begin(Member.ObjectBegin, Member.Text, "method", 3);
    expect<usize>(firstMember(Member.Text, KEY)).toBe(staging() + 12);
    expect<usize>(firstMember(Member.Integer, KEY)).toBe(0);
    begin(Member.ObjectBegin, Member.Text, "methods", 3);
    expect<usize>(firstMember(Member.Text, KEY)).toBe(0);
    begin(Member.ArrayBegin, Member.Text, "method", 3);
    expect<usize>(firstMember(Member.Text, KEY)).toBe(0);
  });
});

test("a child has a name that is not empty", () => {
  begin(Member.ObjectBegin, Member.Text, "device", 1);
  expect<bool>(namesChild()).toBe(true);
  begin(Member.ObjectBegin, Member.Text, "device", 0);
  expect<bool>(namesChild()).toBe(false);
  begin(Member.ObjectBegin, Member.Integer, "device", 1);
  expect<bool>(namesChild()).toBe(false);
});
