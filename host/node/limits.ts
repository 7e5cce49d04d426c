// What the server allows a session, as its answer to getSessionLimits tells (ThingsBoard, MQTT device API).

import type { JsonValue } from "./values.ts";

/** Rates as the server writes them: `count:seconds`, separated by commas; null = none. */
export interface RateLimits {
  readonly messages: string | null;
  readonly telemetryMessages: string | null;
  readonly telemetryDataPoints: string | null;
}

export interface SessionLimits {
  /** Bytes of the largest packet; Infinity when the server does not say. */
  readonly maxPayloadSize: number;
  readonly maxInflightMessages: number;
  readonly rateLimits: RateLimits;
  /** Of a gateway: what holds for its children together. */
  readonly gatewayRateLimits: RateLimits | null;
}

/** Fields may be missing, as older servers leave them out; null for an answer that is none. */
export function sessionLimits(answer: JsonValue): SessionLimits | null {
  const object = asObject(answer);
  if (object === null) return null;
  const number = (value: JsonValue | undefined): number => (typeof value === "number" && value > 0 ? value : Infinity);
  const gateway = asObject(object["gatewayRateLimits"]);
  return {
    maxPayloadSize: number(object["maxPayloadSize"]),
    maxInflightMessages: number(object["maxInflightMessages"]),
    rateLimits: rates(asObject(object["rateLimits"] ?? object["rateLimit"])),
    gatewayRateLimits: gateway && rates(gateway),
  };
}

/** The smallest count of a rate: one message with more can never pass. */
export function smallestCount(rate: string | null | undefined): number {
  const counts = (rate ?? "").split(/[,;]/).map((bucket) => Number(/^\s*(\d+):\d+\s*$/.exec(bucket)?.[1] ?? 0));
  return Math.min(...counts.filter((count) => count > 0), Infinity);
}

function rates(object: Record<string, JsonValue> | null): RateLimits {
  const text = (value: JsonValue | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);
  return {
    messages: text(object?.["messages"]),
    telemetryMessages: text(object?.["telemetryMessages"]),
    telemetryDataPoints: text(object?.["telemetryDataPoints"]),
  };
}

function asObject(value: JsonValue | undefined): Record<string, JsonValue> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
}
