// Token buckets for what devices and gateways may send, as tenant profiles configure them (spec 5, 11.30).

import type { Json } from "./json.ts";

export const limitLevels = ["tenant", "device", "gateway", "gatewayDevice"] as const;
/** `gateway` is what a gateway sends for its children, `gatewayDevice` what it sends for itself. */
export type LimitLevel = (typeof limitLevels)[number];

export const limitClasses = ["messages", "telemetryMessages", "telemetryDataPoints"] as const;
export type LimitClass = (typeof limitClasses)[number];

/** `count:seconds,count:seconds` for each class; null or absent is unlimited, as on a fresh server. */
export type LevelLimits = Partial<Record<LimitClass, string | null>>;
export type RateLimitOptions = Partial<Record<LimitLevel, LevelLimits>>;

export class RateLimitError extends Error {}

interface Allowance {
  readonly capacity: number;
  readonly periodMs: number;
}

function readRate(name: string, text: string | null | undefined): Allowance[] {
  if (text == null || text === "") return [];
  return text.split(",").map((part) => {
    const [, count, seconds] = /^(\d{1,9}):(\d{1,9})$/.exec(part) ?? [];
    if (!Number(count) || !Number(seconds)) throw new RateLimitError(`"${name}" must be like "20:1,600:60", not "${text}"`);
    return { capacity: Number(count), periodMs: Number(seconds) * 1000 };
  });
}

/** Full at first, refilled evenly all the time; every allowance must have the tokens. */
class Bucket {
  readonly #allowances: { readonly allowance: Allowance; tokens: number }[];
  readonly #now: () => number;
  #refilledAtMs: number;

  constructor(allowances: readonly Allowance[], now: () => number) {
    this.#allowances = allowances.map((allowance) => ({ allowance, tokens: allowance.capacity }));
    this.#now = now;
    this.#refilledAtMs = now();
  }

  take(count: number): boolean {
    const nowMs = this.#now();
    const passedMs = Math.max(0, nowMs - this.#refilledAtMs);
    this.#refilledAtMs = nowMs;
    for (const each of this.#allowances) {
      const { capacity, periodMs } = each.allowance;
      each.tokens = Math.min(capacity, each.tokens + (capacity * passedMs) / periodMs);
    }
    if (this.#allowances.some(({ tokens }) => tokens < count)) return false;
    for (const each of this.#allowances) each.tokens -= count;
    return true;
  }
}

/** Buckets kept; the oldest is forgotten, which makes it full again. */
const bucketsMax = 20_000;

export class RateLimiter {
  readonly #now: () => number;
  #limits: Record<LimitLevel, Record<LimitClass, string | null>>;
  /** By level and id. */
  #buckets = new Map<string, Record<LimitClass, Bucket>>();

  constructor(options: RateLimitOptions, now: () => number) {
    this.#now = now;
    this.#limits = completeLimits(options);
  }

  /** Replaces all limits; every bucket is full again. */
  configure(options: RateLimitOptions): void {
    this.#limits = completeLimits(options);
    this.#buckets = new Map();
  }

  limits(level: LimitLevel): Readonly<Record<LimitClass, string | null>> {
    return this.#limits[level];
  }

  /** Spends for one message of a device, or of a gateway's children. With data points it is telemetry, else a plain message (spec 5). */
  spend(level: Exclude<LimitLevel, "tenant">, deviceId: string, dataPoints: number): boolean {
    // The tenant's tokens are gone even when the device's are missing (spec 11.30).
    return this.#take("tenant", "", dataPoints) && this.#take(level, deviceId, dataPoints);
  }

  #take(level: LimitLevel, id: string, dataPoints: number): boolean {
    const limits = this.#limits[level];
    if (limitClasses.every((name) => limits[name] === null)) return true;
    const buckets = this.#bucketsOf(level, id);
    if (dataPoints === 0) return buckets.messages.take(1);
    return buckets.telemetryMessages.take(1) && buckets.telemetryDataPoints.take(dataPoints);
  }

  #bucketsOf(level: LimitLevel, id: string): Record<LimitClass, Bucket> {
    const key = `${level} ${id}`;
    const found = this.#buckets.get(key);
    if (found !== undefined) return found;
    const limits = this.#limits[level];
    const bucket = (name: LimitClass): Bucket => new Bucket(readRate(name, limits[name]), this.#now);
    const made = {
      messages: bucket("messages"),
      telemetryMessages: bucket("telemetryMessages"),
      telemetryDataPoints: bucket("telemetryDataPoints"),
    };
    this.#buckets.set(key, made);
    if (this.#buckets.size > bucketsMax) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest!);
    }
    return made;
  }
}

function completeLimits(options: RateLimitOptions): Record<LimitLevel, Record<LimitClass, string | null>> {
  const complete = (level: LimitLevel): Record<LimitClass, string | null> => {
    const limits = options[level] ?? {};
    for (const name of limitClasses) readRate(`${level}.${name}`, limits[name]);
    return {
      messages: limits.messages || null,
      telemetryMessages: limits.telemetryMessages || null,
      telemetryDataPoints: limits.telemetryDataPoints || null,
    };
  };
  return { tenant: complete("tenant"), device: complete("device"), gateway: complete("gateway"), gatewayDevice: complete("gatewayDevice") };
}

/** Limits out of a REST body: `{"device":{"messages":"20:1"}}`. */
export function readRateLimits(json: Json | undefined): RateLimitOptions {
  if (!(json instanceof Map)) throw new RateLimitError("the body must be an object of levels");
  const levels = [...json].map(([level, limits]) => {
    if (!isOneOf(limitLevels, level)) throw new RateLimitError(`there is no level "${level}"; there are ${limitLevels.join(", ")}`);
    if (limits === null) return [level, {}];
    if (!(limits instanceof Map)) throw new RateLimitError(`"${level}" must be an object of classes`);
    for (const [name, rate] of limits) {
      if (!isOneOf(limitClasses, name)) throw new RateLimitError(`there is no class "${level}.${name}"; there are ${limitClasses.join(", ")}`);
      if (rate !== null && typeof rate !== "string") throw new RateLimitError(`"${level}.${name}" must be a text like "20:1,600:60"`);
    }
    return [level, Object.fromEntries(limits)];
  });
  return Object.fromEntries(levels) as RateLimitOptions;
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
