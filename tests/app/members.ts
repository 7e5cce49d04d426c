// Values as the members of a message record (ABI.md section 7), and back.

import assert from "node:assert/strict";
import { Member, MemberField } from "../../build/generated/abi.ts";
import { packMember } from "../vectors/record.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json } | Ready;
/** Ready text. */
export class Ready {
  constructor(readonly text: string) {}
}

/** The members of a value; those that end the value included. */
export function members(value: Json, key = ""): Buffer[] {
  const end = packMember(Member.End, "");
  if (value === null) return [packMember(Member.Null, key)];
  if (typeof value === "boolean") return [packMember(value ? Member.True : Member.False, key)];
  if (typeof value === "number") return [Number.isInteger(value) ? packMember(Member.Integer, key, BigInt(value)) : packMember(Member.Decimal, key, BigInt(Math.round(value * 100)), 2)];
  if (typeof value === "string") return [packMember(Member.Text, key, Buffer.from(value))];
  if (value instanceof Ready) return [packMember(Member.Json, key, Buffer.from(value.text))];
  if (Array.isArray(value)) return [packMember(Member.ArrayBegin, key), ...value.flatMap((each) => members(each)), end];
  return [packMember(Member.ObjectBegin, key), ...Object.entries(value).flatMap(([name, each]) => members(each, name)), end];
}

export const sizeOf = (value: Json): number => Buffer.concat(members(value)).length;
export const plain = (value: Json): unknown => JSON.parse(JSON.stringify(value, (_key, each: unknown) => (each instanceof Ready ? JSON.parse(each.text) : each)));

/** The value of a record. */
export function decoded(record: Buffer): unknown {
  let at = 0;
  const padded = (length: number): number => (length + 3) & ~3;
  const read = (): { type: number; key: string; value: unknown } => {
    const type = record.readUInt8(at);
    const keyLength = record.readUInt16LE(at + MemberField.KeyLength);
    const number = record.readBigInt64LE(at + MemberField.Number);
    const key = record.toString("utf8", at + MemberField.Key, at + MemberField.Key + keyLength);
    const digits = record.readUInt8(at + MemberField.Digits);
    at += MemberField.Key + padded(keyLength);
    const text = (): string => {
      const found = record.toString("utf8", at, at + Number(number));
      at += padded(Number(number));
      return found;
    };
    const nested = (): { key: string; value: unknown }[] => {
      const found = [];
      for (let each = read(); each.type !== Member.End; each = read()) found.push(each);
      return found;
    };
    switch (type) {
      case Member.Null: return { type, key, value: null };
      case Member.False: return { type, key, value: false };
      case Member.True: return { type, key, value: true };
      case Member.Integer: return { type, key, value: Number(number) };
      case Member.Decimal: return { type, key, value: Number(number) / 10 ** digits };
      case Member.Text: return { type, key, value: text() };
      case Member.Json: return { type, key, value: JSON.parse(text()) };
      case Member.ObjectBegin: return { type, key, value: Object.fromEntries(nested().map((each) => [each.key, each.value])) };
      case Member.ArrayBegin: return { type, key, value: nested().map(({ value }) => value) };
      case Member.End: return { type, key, value: undefined };
      default: throw new Error(`a member of type ${type}`);
    }
  };
  const { value } = read();
  assert.equal(at, record.length, "the record is one value");
  return value;
}
