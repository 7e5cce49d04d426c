// What the server allows a session, as its answer to getSessionLimits tells (ThingsBoard, MQTT device API).

import type { JsonValue } from "./values.ts";

/** Rates as the server writes them: `count:seconds`, separated by commas; null = none. */
export interface RateLimits {
  readonly messages: string | null;
  readonly telemetryMessages: string | null;
  readonly telemetryDataPoints: string | null;
}

export interface SessionLimits {
  /** Bytes of the largest packet; Infinity when the server has not said. */
  readonly maxPayloadSize: number;
  readonly maxInflightMessages: number;
  readonly rateLimits: RateLimits;
  /** Of a gateway: what holds for its children together. */
  readonly gatewayRateLimits: RateLimits | null;
}

/** What holds of the server's limits: those that are configured until it tells its own, and what an answer leaves out stays as it was. */
export class Limits {
  /** As far as the server has told them; null before its first answer. */
  told: SessionLimits | null = null;
  /** What holds for the device itself, and for the children of a gateway. */
  own: RateLimits;
  children: RateLimits;

  constructor(configured: RateLimits) {
    this.own = this.children = configured;
  }

  /** Takes an answer over; null when it is none. */
  learn(answer: JsonValue): SessionLimits | null {
    const object = asObject(answer);
    if (object === null) return null;
    const before = this.told ?? NOTHING_TOLD;
    const own = toldRates(asObject(object["rateLimits"] ?? object["rateLimit"]));
    const gateway = asObject(object["gatewayRateLimits"]);
    const children = toldRates(gateway);
    this.own = { ...this.own, ...own };
    this.children = { ...this.children, ...children };
    this.told = {
      maxPayloadSize: positive(object["maxPayloadSize"]) ?? before.maxPayloadSize,
      maxInflightMessages: positive(object["maxInflightMessages"]) ?? before.maxInflightMessages,
      rateLimits: { ...before.rateLimits, ...own },
      gatewayRateLimits: gateway === null ? before.gatewayRateLimits : { ...before.gatewayRateLimits ?? NO_RATES, ...children },
    };
    return this.told;
  }
}

const NO_RATES: RateLimits = { messages: null, telemetryMessages: null, telemetryDataPoints: null };
const NOTHING_TOLD: SessionLimits = { maxPayloadSize: Infinity, maxInflightMessages: Infinity, rateLimits: NO_RATES, gatewayRateLimits: null };

/** The smallest count of a rate: one message with more can never pass. */
export function smallestCount(rate: string | null | undefined): number {
  const counts = (rate ?? "").split(/[,;]/).map((bucket) => Number(/^\s*(\d+):\d+\s*$/.exec(bucket)?.[1] ?? 0));
  return Math.min(...counts.filter((count) => count > 0), Infinity);
}

/** Those that the answer has; an empty text is none, like null. */
function toldRates(object: Record<string, JsonValue> | null): Partial<RateLimits> {
  const entries = (Object.keys(NO_RATES) as (keyof RateLimits)[]).map((name) => [name, object?.[name]] as const);
  return Object.fromEntries(entries.filter(([, rate]) => typeof rate === "string" || rate === null).map(([name, rate]) => [name, rate || null]));
}

function positive(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}

function asObject(value: JsonValue | undefined): Record<string, JsonValue> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
}
