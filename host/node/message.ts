// Lays a JavaScript value out as the packed message record of ABI.md, section 7.

import { JSON_DEPTH_MAX, Member, MEMBER_HEADER, Status } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";
import { isTimed, JsonText, type MessageValue, type MessageValues, type Telemetry, type TimedValues } from "./values.ts";

const KEY_BYTES_MAX = 0xffff;
const INTEGER_MIN = -(2n ** 63n);
const INTEGER_MAX = 2n ** 63n - 1n;
const DIGITS_MAX = 18;
const encoder = new TextEncoder();

/** The record of a telemetry message: plain values, values with a time stamp, or a list of either. */
export function telemetryRecord(telemetry: Telemetry): Uint8Array {
  const record = new RecordWriter();
  if (telemetry instanceof JsonText) record.document(telemetry.text);
  else if (Array.isArray(telemetry)) {
    if (telemetry.length === 0) throw errorOf(Status.InvalidValue, "message", { text: "an empty list is never acknowledged" });
    for (const entry of telemetry as readonly (MessageValues | TimedValues)[]) writeEntry(record, entry, true);
  } else writeEntry(record, telemetry as MessageValues | TimedValues, false);
  return record.bytes();
}

/** The record of a message that is one object, such as client attributes. */
export function objectRecord(values: MessageValues | JsonText): Uint8Array {
  const record = new RecordWriter();
  if (values instanceof JsonText) record.document(values.text);
  else record.members(values, 1);
  return record.bytes();
}

/** The record of an RPC reply, which may be any JSON value. */
export function replyRecord(value: MessageValue): Uint8Array {
  if (isPlainObject(value)) return objectRecord(value);
  const record = new RecordWriter();
  if (value instanceof JsonText) record.document(value.text);
  else if (typeof value === "number") record.document(numberText(value));
  else if (typeof value === "bigint") record.document(value.toString());
  else {
    const refuseBigInt = (_key: string, member: unknown): unknown => {
      if (typeof member === "bigint") throw errorOf(Status.InvalidNumber, "message", { text: "a BigInt inside a list" });
      return member;
    };
    record.document(JSON.stringify(value, refuseBigInt) ?? "null");
  }
  return record.bytes();
}

function writeEntry(record: RecordWriter, entry: MessageValues | TimedValues, isListed: boolean): void {
  if (isTimed(entry)) {
    record.timestamp(entry.ts);
    record.members(entry.values, 1);
  } else {
    if (isListed) record.mark(Member.Entry);
    record.members(entry, 1);
  }
}

function isPlainObject(value: MessageValue): value is MessageValues {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonText) &&
    typeof (value as { toJSON?: unknown }).toJSON !== "function";
}

/** As JSON.stringify prints it; what JSON lacks is refused instead of becoming null. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw errorOf(Status.InvalidNumber, "message", { text: String(value) });
  return JSON.stringify(value);
}

/** Grows a buffer; one record holds what one message needs, so there is nothing to set free. */
export class RecordWriter {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  members(values: MessageValues, depth: number): void {
    // Checked here too, because a cycle would never reach the module's own check.
    if (depth > JSON_DEPTH_MAX) throw errorOf(Status.TooDeep, "message");
    for (const key of Object.keys(values)) this.#member(key, values[key], depth);
  }

  timestamp(ts: number | bigint | Date): void {
    const value = ts instanceof Date ? ts.getTime() : ts;
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw errorOf(Status.InvalidNumber, "message", { text: `time stamp ${value}` });
    }
    this.#integer(Member.Timestamp, 0, "", BigInt(value));
  }

  document(text: string): void {
    this.#text(Member.Document, "", text);
  }

  mark(type: number, key = ""): void {
    this.#header(type, 0, this.#encode(key), 0);
  }

  #member(key: string, value: MessageValue, depth: number): void {
    if (value === undefined || typeof value === "function" || typeof value === "symbol") return;
    if (value === null) this.mark(Member.Null, key);
    else if (typeof value === "boolean") this.mark(value ? Member.True : Member.False, key);
    else if (typeof value === "number") this.#number(key, numberText(value));
    else if (typeof value === "bigint") this.#number(key, value.toString());
    else if (typeof value === "string") this.#text(Member.Text, key, value);
    else if (value instanceof JsonText) this.#text(Member.Json, key, value.text);
    else if (Array.isArray(value)) {
      if (depth >= JSON_DEPTH_MAX) throw errorOf(Status.TooDeep, "message");
      this.mark(Member.ArrayBegin, key);
      for (const item of value as readonly MessageValue[]) this.#member("", item === undefined ? null : item, depth + 1);
      this.mark(Member.End);
    } else if (isPlainObject(value)) {
      this.mark(Member.ObjectBegin, key);
      this.members(value, depth + 1);
      this.mark(Member.End);
    } else this.#member(key, (value as Date).toJSON(), depth);
  }

  #number(key: string, text: string): void {
    const match = /^(-?\d+)(?:\.(\d+))?$/.exec(text);
    const fraction = match?.[2] ?? "";
    const mantissa = match ? BigInt(match[1]! + fraction) : 0n;
    const fits = match !== null && fraction.length <= DIGITS_MAX && mantissa >= INTEGER_MIN && mantissa <= INTEGER_MAX;
    // An exponent, or more digits than 64 bits hold.
    if (!fits) this.#text(Member.Json, key, text);
    else if (fraction === "") this.#integer(Member.Integer, 0, key, mantissa);
    else this.#integer(Member.Decimal, fraction.length, key, mantissa);
  }

  #integer(type: number, digits: number, key: string, value: bigint): void {
    const at = this.#header(type, digits, this.#encode(key), 8);
    this.#view.setBigInt64(at, value, true);
  }

  #text(type: number, key: string, text: string): void {
    const bytes = this.#encode(text);
    const at = this.#header(type, 0, this.#encode(key), 4);
    this.#view.setUint32(at, bytes.length, true);
    this.#append(bytes);
  }

  /** Writes header, room for a value and key; answers where the value goes. */
  #header(type: number, digits: number, key: Uint8Array, valueBytes: number): number {
    if (key.length > KEY_BYTES_MAX) throw errorOf(Status.TooLarge, "message", { text: "a key", value: key.length });
    this.#reserve(MEMBER_HEADER + valueBytes);
    const at = this.#length;
    this.#view.setUint8(at, type);
    this.#view.setUint8(at + 1, digits);
    this.#view.setUint16(at + 2, key.length, true);
    this.#length += MEMBER_HEADER + valueBytes;
    this.#append(key);
    return at + MEMBER_HEADER;
  }

  #append(bytes: Uint8Array): void {
    const padded = (bytes.length + 3) & ~3;
    this.#reserve(padded);
    this.#buffer.set(bytes, this.#length);
    this.#length += padded;
  }

  #encode(text: string): Uint8Array {
    // A half of a surrogate pair would silently become U+FFFD.
    if (/\p{Surrogate}/u.test(text)) throw errorOf(Status.InvalidUtf8, "message", { text: "half of a surrogate pair" });
    return encoder.encode(text);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + bytes));
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}
