// Reads telemetry in all its accepted forms (spec 2.2) into points with their times.

import type { Device } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import { readLong } from "./gson.ts";
import type { Json, JsonObject } from "./json.ts";
import { UnconvertibleError } from "./outcome.ts";
import { castDeviceMember, type Value } from "./values.ts";

export interface TelemetryEntry {
  readonly tsMs: number;
  readonly values: readonly (readonly [key: string, value: Value])[];
}

/** One entry per object of the payload. No entry at all (`[]`) is what the server never acknowledges. */
export function readTelemetry(json: Json, nowMs: number): TelemetryEntry[] {
  if (json instanceof Map) return [readEntry(json, nowMs)];
  if (!Array.isArray(json)) throw new UnconvertibleError("telemetry must be an object or an array of objects");
  return json.map((element) => {
    if (element instanceof Map) return readEntry(element, nowMs);
    throw new UnconvertibleError("an element of a telemetry array must be an object");
  });
}

/** What rate limits count. */
export function countDataPoints(entries: readonly TelemetryEntry[]): number {
  return entries.reduce((sum, { values }) => sum + values.length, 0);
}

function readEntry(object: JsonObject, nowMs: number): TelemetryEntry {
  const ts = object.get("ts");
  const values = object.get("values");
  if (ts === undefined || values === undefined) return { tsMs: nowMs, values: readMembers(object) };
  const tsMs = readLong(ts, "ts");
  if (!(values instanceof Map)) throw new UnconvertibleError('"values" must be an object');
  return { tsMs, values: readMembers(values) };
}

/** Members with their values cast; a null is skipped and the message stays good (spec 2.1). */
export function readMembers(object: JsonObject): [string, Value][] {
  const members: [string, Value][] = [];
  for (const [key, json] of object) {
    const value = castDeviceMember(json);
    if (value !== null) members.push([key, value]);
  }
  return members;
}

export function storeTelemetry(device: Device, entries: readonly TelemetryEntry[], events: ServerEvents): void {
  for (const { tsMs, values } of entries) {
    for (const [key, value] of values) {
      if (device.storePoint(key, { tsMs, value })) events.emit("telemetry", { device, key, tsMs, value });
    }
  }
}
