// Answers attribute requests (spec 2.4, 11.20) and prints attribute maps and shared-attribute updates (spec 2.5).

import type { Attribute, Device } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import { type Json, JsonNumber, printString } from "./json.ts";
import { UnconvertibleError } from "./outcome.ts";
import { printValue, type Value } from "./values.ts";

interface AttributeRequest {
  /** null: the member was absent. */
  readonly clientKeys: readonly string[] | null;
  readonly sharedKeys: readonly string[] | null;
}

export function readAttributeRequest(json: Json): AttributeRequest {
  if (!(json instanceof Map)) throw new UnconvertibleError("an attribute request must be an object");
  return { clientKeys: readKeys(json.get("clientKeys")), sharedKeys: readKeys(json.get("sharedKeys")) };
}

/** One comma-joined text; Gson's getAsString also takes a number, a boolean and an array of one (spec 2.4). */
function readKeys(json: Json | undefined): string[] | null {
  if (json === undefined) return null;
  if (Array.isArray(json) && json.length === 1) return readKeys(json[0]);
  if (typeof json === "boolean") return splitKeys(String(json));
  if (json instanceof JsonNumber) return splitKeys(json.text);
  if (typeof json === "string") return splitKeys(json);
  throw new UnconvertibleError("attribute keys must be one text");
}

/** Java's split: trailing empty keys vanish, so "," is no key at all, while "" is the one key "". */
function splitKeys(text: string): string[] {
  if (text === "") return [""];
  const keys = text.split(",");
  while (keys.at(-1) === "") keys.pop();
  return keys;
}

/** `{"client":{...},"shared":{...}}` with found keys only; no keys in either scope asks for everything (spec 11.20). */
export function printAttributeResponse(device: Device, request: AttributeRequest): string {
  const asksForAll = !request.clientKeys?.length && !request.sharedKeys?.length;
  const scopes = [
    ["client", device.attributes.CLIENT_SCOPE, request.clientKeys],
    ["shared", device.attributes.SHARED_SCOPE, request.sharedKeys],
  ] as const;
  const members = scopes.flatMap(([name, attributes, keys]) => {
    const found = [...attributes].filter(([key]) => asksForAll || keys?.includes(key));
    return found.length === 0 ? [] : [`"${name}":${printAttributes(found)}`];
  });
  return `{${members.join(",")}}`;
}

function printAttributes(attributes: Iterable<readonly [string, Attribute]>): string {
  return printValues([...attributes].map(([key, attribute]) => [key, attribute.value]));
}

/** Values as one compact object: the body of a shared-attribute update. */
export function printValues(values: Iterable<readonly [string, Value]>): string {
  return `{${[...values].map(([key, value]) => `${printString(key)}:${printValue(value)}`).join(",")}}`;
}

export function printDeleted(keys: readonly string[]): string {
  return `{"deleted":[${keys.map(printString).join(",")}]}`;
}

/** Attributes a device wrote itself. */
export function storeClientAttributes(
  device: Device,
  members: readonly (readonly [key: string, value: Value])[],
  { now, events }: { readonly now: () => number; readonly events: ServerEvents },
): void {
  const scope = "CLIENT_SCOPE";
  for (const [key, value] of members) {
    const isStored = device.storeAttribute(scope, key, { value, lastUpdateTsMs: now() });
    if (isStored) events.emit("attribute", { device, scope, key, value });
  }
}
