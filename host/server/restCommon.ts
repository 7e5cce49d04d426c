// What all REST routes share: their context, errors, and the reading of paths and bodies.

import type { FastifyReply } from "fastify";
import type { Claims } from "./claims.ts";
import type { Device, DeviceRegistry } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import type { Faults } from "./faults.ts";
import type { JsonObject } from "./json.ts";
import type { OtaPackages } from "./ota.ts";
import type { ProfileRegistry } from "./profiles.ts";
import type { RateLimiter } from "./rateLimits.ts";

export interface RestContext {
  readonly devices: DeviceRegistry;
  readonly packages: OtaPackages;
  readonly profiles: ProfileRegistry;
  readonly faults: Faults;
  readonly limiter: RateLimiter;
  readonly claims: Claims;
  readonly now: () => number;
  /** The address listened on. */
  readonly host: string;
  readonly events: ServerEvents;
  readonly rpcDefaultTimeoutMs: number;
  readonly rpcMinTimeoutMs: number;
}

/** An answer other than 200, in ThingsBoard's own error body. */
export class RestError extends Error {
  readonly statusCode: number;
  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Sends JSON text as it is, so that "42.0" and 64-bit integers stay what they are. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("application/json").send(text);
}

export function requireDevice(devices: DeviceRegistry, id: string): Device {
  return devices.byId(id) ?? refuseId("device", id);
}

/** Says why there is nothing with this id: what is no id at all is a wrong request. */
export function refuseId(what: string, id: string): never {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw new RestError(400, `Invalid UUID string: ${id}`);
  throw new RestError(404, `there is no ${what} with id ${id}`);
}

export function requireObject(body: unknown): JsonObject {
  if (body instanceof Map) return body as JsonObject;
  throw new RestError(400, "the body must be a JSON object");
}

export interface KeysQuery {
  keys?: string;
  /** Once for each key, which then may have a comma in it. */
  key?: string[];
}

/** `keys=a,b` or `key=a&key=b`; undefined when both are absent. */
export function readKeysParameter({ keys, key }: KeysQuery): string[] | undefined {
  return (key ?? keys?.split(","))?.filter((each) => each !== "");
}

/** A parameter that must be there and be a whole number from `min` on. */
export function readCount(name: string, text: string | undefined, min: number): number {
  const count = /^\d{1,9}$/.test(text ?? "") ? Number(text) : -1;
  if (count < min) throw new RestError(400, `"${name}" must be a whole number of at least ${min}`);
  return count;
}

export interface PageQuery {
  pageSize?: string;
  page?: string;
}

/** ThingsBoard's PageData of printed entities; without a size all of them are one page. */
export function printPage(all: readonly string[], query: PageQuery): string {
  const size = query.pageSize === undefined ? Math.max(1, all.length) : readCount("pageSize", query.pageSize, 1);
  const from = (query.page === undefined ? 0 : readCount("page", query.page, 0)) * size;
  const totals = `"totalPages":${Math.ceil(all.length / size)},"totalElements":${all.length},"hasNext":${all.length > from + size}`;
  return `{"data":[${all.slice(from, from + size).join(",")}],${totals}}`;
}

/** As ThingsBoard reads a query: a parameter given more than once is one text with commas. */
export function parseQuery(text: string): Record<string, string | string[]> {
  const query = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(query.keys())].map((name) => [name, name === "key" ? query.getAll(name) : query.getAll(name).join(",")]),
  );
}

/** A member that must be a text where it is there; null counts as absent. */
export function readText(body: JsonObject, name: string): string | undefined {
  const value = body.get(name) ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw new RestError(400, `"${name}" must be a text`);
}
