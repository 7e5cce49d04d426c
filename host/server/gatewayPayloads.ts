// Reads what a gateway publishes. A wrong shape of the whole message closes the connection in every version (spec 3, 11.21, 11.28).

import { readFlag, readInt, readText } from "./gson.ts";
import { type Json, type JsonObject, parseLenientJson, printJson } from "./json.ts";
import { UncheckedError, UnconvertibleError } from "./outcome.ts";

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
  return entries;
}

export function isArray(json: Json): json is Json[] {
  return Array.isArray(json);
}

export function isObject(json: Json): json is JsonObject {
  return json instanceof Map;
}

/** Of connect and disconnect, which alone ask for a name that is not empty; elsewhere such a device cannot be made. */
export function readDeviceName(message: JsonObject): string {
  const name = shaped(() => readText(message.get("device"), "device"));
  if (name === "") throw new GatewayShapeError("the device name is empty");
  return name;
}

/** `type` is optional; null is the default profile. */
export function readType(message: JsonObject): string | undefined {
  const type = message.get("type");
  return type == null ? undefined : shaped(() => readText(type, "type"));
}

export interface ChildAttributesRequest {
  readonly id: number;
  readonly name: string;
  readonly isClientScope: boolean;
  readonly keys: ReadonlySet<string>;
}

export function readChildAttributesRequest(payload: Buffer): ChildAttributesRequest {
  const message = readGatewayObject(payload);
  return shaped(() => ({
    id: readInt(message.get("id"), "id"),
    name: readText(message.get("device"), "device"),
    isClientScope: readFlag(message.get("client"), "client"),
    keys: new Set(message.has("key") ? [readText(message.get("key"), "key")] : readKeys(message.get("keys"))),
  }));
}

function readKeys(json: Json | undefined): string[] {
  if (!Array.isArray(json)) throw new GatewayShapeError('"key" or "keys" is missing');
  return json.map((key) => readText(key, "keys"));
}

export interface ChildRpcReply {
  readonly id: number;
  readonly name: string;
  /** JSON text. */
  readonly data: string;
}

export function readChildRpcReply(payload: Buffer): ChildRpcReply {
  const message = readGatewayObject(payload);
  const data = message.get("data");
  if (data === undefined) throw new GatewayShapeError('"data" is missing');
  return shaped(() => ({ name: readText(message.get("device"), "device"), id: readInt(message.get("id"), "id"), data: printJson(data) }));
}

/** For the message as a whole all wrong members are alike, R2 and R4. */
function shaped<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof UncheckedError || error instanceof UnconvertibleError) throw new GatewayShapeError(error.message);
    throw error;
  }
}
