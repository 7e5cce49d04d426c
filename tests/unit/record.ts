// Lays out message records member by member in the staging area of the device (ABI.md, section 7).

import { Member, MemberField } from "../../assembly/abi";
import { staging } from "./device";
import { putText } from "./host";

let end: usize = 0;

/** Lays out a member with a number, behind the last one. */
export function number(key: string, value: i64): void {
  memory.fill(end, 0, <i32>MemberField.Key);
  store<u8>(end, Member.Integer);
  const length = putText(end + MemberField.Key, key);
  store<u16>(end, length, MemberField.KeyLength);
  store<i64>(end, value, MemberField.Number);
  end += MemberField.Key + ((length + 3) & ~3);
}

/** Lays out a member that is a text, behind the last one. */
export function text(key: string, value: string): void {
  number(key, 0);
  const length = putText(end, value);
  const member = end - MemberField.Key - ((key.length + 3) & ~3);
  store<u8>(member, Member.Text);
  store<i64>(member, length, MemberField.Number);
  end += (length + 3) & ~3;
}

/** Lays out a member that is ready JSON text, behind the last one. */
export function json(key: string, value: string): void {
  const member = end;
  text(key, value);
  store<u8>(member, Member.Json);
}

/** Lays out what has neither key nor value, behind the last one. */
function mark(type: Member): void {
  number("", 0);
  store<u8>(end - MemberField.Key, type);
}

/** Begins the record of an object. */
export function open(): void {
  end = staging();
  mark(Member.ObjectBegin);
}

/** Ends it; the length of the record. */
export function close(): i32 {
  mark(Member.End);
  return <i32>(end - staging());
}
