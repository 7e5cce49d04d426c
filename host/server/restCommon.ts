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
  const device = devices.byId(id);
  if (device === undefined) throw new RestError(404, `there is no device with id ${id}`);
  return device;
}

export function requireObject(body: unknown): JsonObject {
  if (body instanceof Map) return body as JsonObject;
  throw new RestError(400, "the body must be a JSON object");
}

/** `keys=a,b`; undefined when the parameter is absent. */
export function readKeysParameter(keys: string | undefined): string[] | undefined {
  return keys?.split(",").filter((key) => key !== "");
}

/** A member that must be a text where it is there; null counts as absent. */
export function readText(body: JsonObject, name: string): string | undefined {
  const value = body.get(name) ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw new RestError(400, `"${name}" must be a text`);
}
