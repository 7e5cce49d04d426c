// What a seed decides about a life before it begins: whether it is that of a gateway; and what the lives of each profile have of their own.

import type { RateLimitOptions } from "../../host/server/rateLimits.ts";
import { Random } from "./random.ts";

/** The profiles whose modules live. */
export const KINDS = ["device", "gateway", "minimal"] as const;
export type Kind = (typeof KINDS)[number];

/** Of a hundred lives so many are those of a gateway. */
const GATEWAYS = 30;
const LIMITED = 60;
/** The buckets of the limits fill in so many seconds: so long that what the network holds back and brings at once stays within the margin that the client keeps. */
const FILL_S = 30;

export function kindOf(seed: number): Kind {
  // Of its own, so that the lives of devices are what they would be without gateways.
  return new Random(~seed).percent(GATEWAYS) ? "gateway" : "device";
}

/** What a device subscribes to by itself. */
export function ownFilters(kind: Kind, hasRpc: boolean): readonly string[] {
  return [...(hasRpc ? ["v1/devices/me/rpc/request/+"] : []), ...(kind === "minimal" ? [] : ["v1/devices/me/attributes"])];
}

/** What the server allows a gateway and its children; nothing is limited in some lives. */
export function limitsOf(random: Random): RateLimitOptions {
  if (!random.percent(LIMITED)) return {};
  const rate = (count: number): string => `${count}:${FILL_S}`;
  return {
    gatewayDevice: { messages: rate(90), telemetryMessages: rate(60), telemetryDataPoints: rate(300) },
    gateway: { messages: rate(random.pick([24, 40])), telemetryMessages: rate(random.pick([18, 40])), telemetryDataPoints: rate(random.pick([100, 200])) },
  };
}

/** What the configuration of a gateway has besides that of a device. */
export function gatewaySettings(random: Random, isLimited: boolean): { readonly children_buffer: number; readonly [key: string]: unknown } {
  const settings = { children_buffer: random.pick([64, 128, 1024]), child_keep_alive_s: random.pick([0, 60, 300]) };
  if (!isLimited) return { ...settings, send_buffer: random.pick([1000, 1500, 4000]) };
  // So much may leave at once that it would be too much, and the answer to the question for the limits can be read.
  return { ...settings, send_buffer: 4000, max_inflight: random.pick([4, 64]), session_limits: true, receive_buffer: random.pick([512, 1024]) };
}

/** What the configuration of the least profile has besides that of a device, whose other keys it passes over. */
export function minimalSettings(random: Random): Readonly<Record<string, unknown>> {
  return { ignore_missing_features: true, rpc: random.percent(90), send_buffer: random.pick([256, 700, 3000]) };
}

/** A boot knows nothing of what was spent before it: by then the server has missed the session and filled its buckets. */
export const LIMITED_RESTART_MS = 60_000 + FILL_S * 1000;
