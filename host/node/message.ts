// Lays a JavaScript value out as the packed message record of ABI.md, section 7.

import { JSON_DEPTH_MAX, Member, MemberField, Status } from "../../build/generated/abi.ts";
import { isText } from "./check.ts";
import { errorOf } from "./errors.ts";
import { isTimed, JsonText, type ConnectorMetadata, type Entry, type MessageValue, type MessageValues, type Telemetry } from "./values.ts";

const KEY_BYTES_MAX = 0xffff;
const INTEGER_MIN = -(2n ** 63n);
const INTEGER_MAX = 2n ** 63n - 1n;
/** Numbers with more decimals ThingsBoard stores as text. */
const DECIMALS_MAX = 16;
const FIRST_BYTES = 256;
const encoder = new TextEncoder();

/** The record of any JSON value. */
export function messageRecord(value: MessageValue): Uint8Array {
  const record = new RecordWriter();
  record.value("", value, 0);
  return record.bytes();
}

/** Bytes in a message record, and of the JSON text that the module makes of it. */
export interface Cost {
  readonly recordBytes: number;
  readonly jsonBytes: number;
}

/** What a value takes in a record and in its JSON text. */
export function valueCost(value: MessageValue): Cost {
  const record = new RecordWriter();
  record.value("", value, 0);
  return { recordBytes: record.bytes().length, jsonBytes: record.jsonBytes };
}

/** What a member takes, the key and its comma counted. */
export function memberCost(key: string, value: MessageValue): Cost {
  const record = new RecordWriter();
  record.value(key, value, 2);
  // The key has quotes, a colon, and a comma before it.
  return { recordBytes: record.bytes().length, jsonBytes: record.jsonBytes + textBytes(encode(key)) + 2 };
}

/** The value of a telemetry message: plain values, values with a time stamp, ready JSON, or a list of the first two. */
export function telemetryValue(telemetry: Telemetry): MessageValue {
  if (telemetry instanceof JsonText) return telemetry;
  return Array.isArray(telemetry) ? (telemetry as readonly Entry[]).map(entryValue) : entryValue(telemetry as Entry);
}

export function entryValue(entry: Entry): MessageValues {
  if (typeof entry !== "object" || entry === null) throw errorOf(Status.InvalidValue, "telemetry", { text: "not an object" });
  if (!isTimed(entry)) return entry;
  const timed = { ts: unixMs("ts", entry.ts), values: entry.values };
  return entry.metadata === undefined ? timed : { ...timed, metadata: metadataValue(entry.metadata) };
}

/** ThingsBoard closes the connection when one of the three is missing. */
function metadataValue(metadata: ConnectorMetadata | JsonText): MessageValue {
  if (metadata instanceof JsonText) return metadata;
  const { connector, receivedTs, publishedTs } = metadata;
  if (typeof connector !== "string") throw errorOf(Status.InvalidValue, "message", { text: "connector" });
  return { connector, receivedTs: unixMs("receivedTs", receivedTs), publishedTs: unixMs("publishedTs", publishedTs) };
}

/** A Date would print as text, where the platform takes milliseconds; for a time that is no number it closes the connection. */
function unixMs(name: string, time: number | bigint | Date): number | bigint {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms !== "number" && typeof ms !== "bigint" || !(ms >= INTEGER_MIN && ms <= INTEGER_MAX)) throw errorOf(Status.InvalidNumber, "message", { text: name });
  return ms;
}

function encode(text: string): Uint8Array {
  if (typeof text !== "string") throw errorOf(Status.InvalidValue, "message", { text: "not a text" });
  if (!isText(text)) throw errorOf(Status.InvalidUtf8, "message", { text: "half of a surrogate pair" });
  return encoder.encode(text);
}

/** Grows a buffer; a record holds what one message needs, so there is nothing to set free. */
class RecordWriter {
  #buffer = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  /** Bytes of the JSON text that the module writes from the values; separators are not counted. */
  jsonBytes = 0;

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  value(key: string, value: MessageValue, depth: number): void {
    this.#plain(key, plain(value), depth);
  }

  #plain(key: string, value: MessageValue, depth: number): void {
    if (value === null || isLeftOut(value)) this.#word(Member.Null, key, 4);
    else if (typeof value === "boolean") this.#word(value ? Member.True : Member.False, key, value ? 4 : 5);
    else if (typeof value === "bigint") this.#integer(key, value);
    else if (Number.isInteger(value)) this.#integer(key, BigInt(value as number));
    else if (typeof value === "number") this.#fraction(key, value);
    else if (typeof value === "string") this.#text(Member.Text, key, value);
    else if (value instanceof JsonText) this.#text(Member.Json, key, value.text);
    else if (Array.isArray(value)) this.#array(key, value as readonly MessageValue[], depth + 1);
    else this.#object(key, value as MessageValues, depth + 1);
  }

  #word(type: number, key: string, length: number, number = 0n, digits = 0): void {
    this.#member(type, key, number, digits);
    this.jsonBytes += length;
  }

  #object(key: string, values: MessageValues, depth: number): void {
    checkDepth(depth);
    this.#member(Member.ObjectBegin, key);
    let members = 0;
    for (const [name, given] of Object.entries(values)) {
      const value = plain(given);
      if (isLeftOut(value)) continue;
      this.#plain(name, value, depth);
      this.jsonBytes += textBytes(encode(name)) + 1;
      members++;
    }
    this.jsonBytes += 2 + Math.max(0, members - 1);
    this.#member(Member.End, "");
  }

  #array(key: string, values: readonly MessageValue[], depth: number): void {
    checkDepth(depth);
    this.#member(Member.ArrayBegin, key);
    for (const value of values) this.value("", value, depth);
    this.jsonBytes += 2 + Math.max(0, values.length - 1);
    this.#member(Member.End, "");
  }

  /** Beyond 64 bits ThingsBoard stores the digits as text. */
  #integer(key: string, value: bigint): void {
    const text = value.toString();
    if (value < INTEGER_MIN || value > INTEGER_MAX) this.#text(Member.Text, key, text);
    else this.#word(Member.Integer, key, text.length, value);
  }

  /** The digits of JSON.stringify, as far as ThingsBoard takes them for a number; what JSON lacks and what only further digits hold is text. */
  #fraction(key: string, value: number): void {
    const [digits, exponent] = String(value).split("e");
    if (exponent !== undefined) {
      const decimals = (digits!.split(".")[1]?.length ?? 0) - Number(exponent);
      this.#text(decimals > DECIMALS_MAX ? Member.Text : Member.Json, key, String(value));
    } else if (!Number.isFinite(value)) {
      this.#text(Member.Text, key, String(value));
    } else {
      const rounded = digits!.split(".")[1]!.length > DECIMALS_MAX ? value.toFixed(DECIMALS_MAX).replace(/0+$/, "") : digits!;
      const [whole, fraction] = rounded.split(".") as [string, string];
      this.#word(Member.Decimal, key, rounded.length, BigInt(whole + fraction), fraction.length);
    }
  }

  #text(type: number, key: string, text: string): void {
    const bytes = encode(text);
    this.#member(type, key, BigInt(bytes.length));
    this.#append(bytes);
    this.jsonBytes += type === Member.Json ? bytes.length : textBytes(bytes);
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

/** Bytes of a JSON string with its quotes, as the module escapes it: control characters by six bytes each. */
function textBytes(bytes: Uint8Array): number {
  let length = bytes.length + 2;
  for (const byte of bytes) length += byte < 0x20 ? 5 : byte === 0x22 || byte === 0x5c ? 1 : 0;
  return length;
}

/** As JSON.stringify does: `toJSON` is asked once, whatever it answers. */
function plain(value: MessageValue): MessageValue {
  const isAsked = typeof value === "object" && value !== null && typeof (value as Date).toJSON === "function";
  return isAsked ? ((value as Date).toJSON() as MessageValue) : value;
}

/** As JSON.stringify does: such members are left out, such elements become null. */
export function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === "function" || typeof value === "symbol";
}

/** Checked here too, because a cycle would never reach the module's own check. */
function checkDepth(depth: number): void {
  if (depth > JSON_DEPTH_MAX) throw errorOf(Status.TooDeep, "message");
}
