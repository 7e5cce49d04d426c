// Lays a JavaScript value out as the packed message record of ABI.md, section 7.

import { JSON_DEPTH_MAX, Member, MemberField, Status } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";
import { isTimed, JsonText, type MessageValue, type MessageValues, type Telemetry, type TimedValues } from "./values.ts";

const KEY_BYTES_MAX = 0xffff;
const INTEGER_MIN = -(2n ** 63n);
const INTEGER_MAX = 2n ** 63n - 1n;
const DIGITS_MAX = 18;
const FIRST_BYTES = 256;
const encoder = new TextEncoder();

/** The record of any JSON value. */
export function messageRecord(value: MessageValue): Uint8Array {
  const record = new RecordWriter();
  record.value("", value ?? null, 0);
  return record.bytes();
}

/** The record of a telemetry message: plain values, values with a time stamp, ready JSON, or a list of the first two. */
export function telemetryRecord(telemetry: Telemetry): Uint8Array {
  if (telemetry instanceof JsonText) return messageRecord(telemetry);
  if (!Array.isArray(telemetry)) return messageRecord(entry(telemetry as MessageValues | TimedValues));
  return messageRecord((telemetry as readonly (MessageValues | TimedValues)[]).map(entry));
}

/** A Date would print as text, where the platform takes milliseconds. */
function entry(values: MessageValues | TimedValues): MessageValues {
  if (!isTimed(values)) return values;
  return { ts: values.ts instanceof Date ? values.ts.getTime() : values.ts, values: values.values };
}

/** As JSON.stringify prints it; what JSON lacks is refused instead of becoming null. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw errorOf(Status.InvalidNumber, "message", { text: String(value) });
  return JSON.stringify(value);
}

function encode(text: string): Uint8Array {
  // A half of a surrogate pair would silently become U+FFFD.
  if (/\p{Surrogate}/u.test(text)) throw errorOf(Status.InvalidUtf8, "message", { text: "half of a surrogate pair" });
  return encoder.encode(text);
}

/** Grows a buffer; a record holds what one message needs, so there is nothing to set free. */
class RecordWriter {
  #buffer = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  value(key: string, value: MessageValue, depth: number): void {
    if (value === null) this.#member(Member.Null, key);
    else if (typeof value === "boolean") this.#member(value ? Member.True : Member.False, key);
    else if (typeof value === "number") this.#number(key, numberText(value));
    else if (typeof value === "bigint") this.#number(key, value.toString());
    else if (typeof value === "string") this.#text(Member.Text, key, value);
    else if (value instanceof JsonText) this.#text(Member.Json, key, value.text);
    else if (Array.isArray(value)) this.#array(key, value as readonly MessageValue[], depth + 1);
    else if (typeof (value as Date).toJSON === "function") this.value(key, (value as Date).toJSON(), depth);
    else this.#object(key, value as MessageValues, depth + 1);
  }

  #object(key: string, values: MessageValues, depth: number): void {
    checkDepth(depth);
    this.#member(Member.ObjectBegin, key);
    for (const [name, value] of Object.entries(values)) {
      if (!isLeftOut(value)) this.value(name, value, depth);
    }
    this.#member(Member.End, "");
  }

  #array(key: string, values: readonly MessageValue[], depth: number): void {
    checkDepth(depth);
    this.#member(Member.ArrayBegin, key);
    for (const value of values) this.value("", isLeftOut(value) ? null : value, depth);
    this.#member(Member.End, "");
  }

  #number(key: string, text: string): void {
    const match = /^(-?\d+)(?:\.(\d+))?$/.exec(text);
    const fraction = match?.[2] ?? "";
    const mantissa = match === null ? 0n : BigInt(match[1]! + fraction);
    const fits = match !== null && fraction.length <= DIGITS_MAX && mantissa >= INTEGER_MIN && mantissa <= INTEGER_MAX;
    // An exponent, or more digits than 64 bits hold.
    if (!fits) this.#text(Member.Json, key, text);
    else this.#member(fraction === "" ? Member.Integer : Member.Decimal, key, mantissa, fraction.length);
  }

  #text(type: number, key: string, text: string): void {
    const bytes = encode(text);
    this.#member(type, key, BigInt(bytes.length));
    this.#append(bytes);
  }

  #member(type: number, key: string, number = 0n, digits = 0): void {
    const keyBytes = encode(key);
    if (keyBytes.length > KEY_BYTES_MAX) throw errorOf(Status.TooLarge, "message", { text: "a key", value: keyBytes.length });
    this.#reserve(MemberField.Key);
    const at = this.#length;
    this.#view.setUint8(at + MemberField.Type, type);
    this.#view.setUint8(at + MemberField.Digits, digits);
    this.#view.setUint16(at + MemberField.KeyLength, keyBytes.length, true);
    this.#view.setBigInt64(at + MemberField.Number, number, true);
    this.#length += MemberField.Key;
    this.#append(keyBytes);
  }

  #append(bytes: Uint8Array): void {
    const padded = (bytes.length + 3) & ~3;
    this.#reserve(padded);
    this.#buffer.set(bytes, this.#length);
    this.#length += padded;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + bytes));
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** As JSON.stringify does: such members are left out, such elements become null. */
function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === "function" || typeof value === "symbol";
}

/** Checked here too, because a cycle would never reach the module's own check. */
function checkDepth(depth: number): void {
  if (depth > JSON_DEPTH_MAX) throw errorOf(Status.TooDeep, "message");
}
