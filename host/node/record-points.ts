// Counts the data points of an app's message as the server does: one with more than it ever takes is refused instead of being lost there.

import { Member, MemberField } from "../../build/generated/abi.ts";

const decoder = new TextDecoder();
const padded = (length: number): number => (length + 3) & ~3;

/** What there is of a record; what is no record is left to the module, which refuses it. */
function* membersOf(record: Uint8Array): Generator<{ readonly type: number; readonly key: string; readonly text: string }> {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  for (let at = 0; at + MemberField.Key <= record.length;) {
    const type = view.getUint8(at + MemberField.Type);
    const key = at + MemberField.Key;
    const keyLength = view.getUint16(at + MemberField.KeyLength, true);
    const text = key + padded(keyLength);
    const length = type === Member.Text || type === Member.Json ? view.getUint32(at + MemberField.Number, true) : 0;
    if (text + length > record.length) return;
    yield { type, key: decoder.decode(record.subarray(key, key + keyLength)), text: type === Member.Json ? decoder.decode(record.subarray(text, text + length)) : "" };
    at = text + length + (-length & 3);
  }
}

/** An object with both `ts` and `values` is an entry with a time: its data points are those of `values`. */
function countEntry(entry: unknown): number {
  if (typeof entry !== "object" || entry === null) return 0;
  if (!("ts" in entry && "values" in entry)) return Object.keys(entry).length;
  return typeof entry.values === "object" && entry.values !== null ? Object.keys(entry.values).length : 0;
}

function countValue(value: unknown): number {
  return Array.isArray(value) ? value.reduce<number>((sum, entry) => sum + countEntry(entry), 0) : countEntry(value);
}

function countText(text: string, isOfChildren: boolean): number {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 0;
  }
  if (!isOfChildren) return countValue(value);
  return Object.values(value ?? {}).reduce<number>((sum, child) => sum + countValue(child), 0);
}

export function countRecordPoints(record: Uint8Array, isOfChildren: boolean): number {
  let points = 0;
  let depth = 0;
  /** Where the members of the open entry stand, and those of its `values`; 0 = nowhere. */
  let entryDepth = 0;
  let valuesDepth = 0;
  let members = 0;
  let values = 0;
  let keys = new Set<string>();
  for (const { type, key, text } of membersOf(record)) {
    if (type === Member.End) {
      if (depth === 0) break;
      if (depth === valuesDepth) valuesDepth = 0;
      if (depth === entryDepth) {
        points += keys.has("ts") && keys.has("values") ? values : members;
        entryDepth = 0;
      }
      depth--;
      continue;
    }
    if (entryDepth > 0) {
      if (depth === valuesDepth) values++;
      if (depth === entryDepth) {
        members++;
        keys.add(key);
        if (key === "values" && type === Member.ObjectBegin) valuesDepth = depth + 1;
        if (key === "values" && type === Member.Json) values += countText(`[{"ts":0,"values":${text}}]`, false);
      }
    } else if (isOfChildren && depth === 0) {
      if (type === Member.Json) points += countText(text, true);
    } else if (type === Member.ObjectBegin) {
      keys = new Set();
      members = values = 0;
      entryDepth = depth + 1;
    } else if (type === Member.Json) {
      points += countText(text, false);
    }
    if (type === Member.ObjectBegin || type === Member.ArrayBegin) depth++;
  }
  return points;
}
