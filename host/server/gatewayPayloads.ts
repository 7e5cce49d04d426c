// Reads what a gateway publishes. A wrong shape of the whole message closes the connection in every version (spec 3, 11.21, 11.28).

import { type Json, JsonNumber, type JsonObject, parseLenientJson, printJson } from "./json.ts";

/** A wrong top-level shape, an empty payload, a missing member: PUBACK 0x83 and close. */
export class GatewayShapeError extends Error {}

export function readGatewayObject(payload: Buffer): JsonObject {
  const text = payload.toString("utf8");
  const json = text.trim() === "" ? null : parseLenientJson(text);
  if (json instanceof Map) return json;
  throw new GatewayShapeError("a gateway message must be an object");
}

/** Entries with values of the wanted kind; others are dropped, but some must be left. */
export function readEntries<Kind extends Json>(payload: Buffer, isWanted: (json: Json) => json is Kind): [name: string, value: Kind][] {
  const entries = [...readGatewayObject(payload)].flatMap(([name, value]): [string, Kind][] => (isWanted(value) ? [[name, value]] : []));
  if (entries.length === 0) throw new GatewayShapeError("there is no device in the message");
  for (const [name] of entries) requireName(name);
  return entries;
}

export function isArray(json: Json): json is Json[] {
  return Array.isArray(json);
}

export function isObject(json: Json): json is JsonObject {
  return json instanceof Map;
}

export function readDeviceName(message: JsonObject): string {
  return requireName(readText(message, "device"));
}

function requireName(name: string): string {
  if (name.trim() === "") throw new GatewayShapeError("the device name is empty");
  return name;
}

/** `type` is optional; null is the default profile. */
export function readType(message: JsonObject): string | undefined {
  return message.get("type") == null ? undefined : readText(message, "type");
}

export interface ChildAttributesRequest {
  readonly id: number;
  readonly name: string;
  readonly isClientScope: boolean;
  readonly keys: ReadonlySet<string>;
}

export function readChildAttributesRequest(payload: Buffer): ChildAttributesRequest {
  const message = readGatewayObject(payload);
  const id = readId(message);
  const name = readDeviceName(message);
  // Gson's getAsBoolean: whatever is not true is false.
  const isClientScope = String(readPrimitive(message, "client")).toLowerCase() === "true";
  const keys = message.has("key") ? [readText(message, "key")] : readKeys(message.get("keys"));
  return { id, name, isClientScope, keys: new Set(keys) };
}

function readKeys(json: Json | undefined): string[] {
  if (!Array.isArray(json)) throw new GatewayShapeError('"key" or "keys" is missing');
  return json.map((key) => {
    if (typeof key === "string") return key;
    if (key instanceof JsonNumber) return key.text;
    throw new GatewayShapeError('"keys" must hold texts');
  });
}

export interface ChildRpcReply {
  readonly id: number;
  readonly name: string;
  /** JSON text. */
  readonly data: string;
}

export function readChildRpcReply(payload: Buffer): ChildRpcReply {
  const message = readGatewayObject(payload);
  const name = readDeviceName(message);
  const id = readId(message);
  const data = message.get("data");
  if (data === undefined) throw new GatewayShapeError('"data" is missing');
  return { id, name, data: printJson(data) };
}

function readId(message: JsonObject): number {
  const id = Math.trunc(Number(readText(message, "id")));
  if (!(id >= -(2 ** 31) && id < 2 ** 31)) throw new GatewayShapeError('"id" is not a number');
  return id;
}

/** Gson's getAsString: also of a number and a boolean. */
function readText(message: JsonObject, name: string): string {
  return String(readPrimitive(message, name));
}

/** An array of one stands for its element, as Gson has it. */
function readPrimitive(message: JsonObject, name: string): string | boolean {
  const json = message.get(name);
  const value = Array.isArray(json) && json.length === 1 ? json[0] : json;
  if (value instanceof JsonNumber) return value.text;
  if (typeof value === "string" || typeof value === "boolean") return value;
  throw new GatewayShapeError(`"${name}" is missing`);
}
