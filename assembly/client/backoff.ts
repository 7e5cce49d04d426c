// Decides how long to wait before the next attempt to connect: exponentially longer, with full jitter.
import { random_u32 } from "../host";
import { setting, Setting } from "./settings";

/** The present ceiling, 0 before the configuration is in place, and the least share of it that is waited: half after a refusal. */
export let ceilingMs: u32 = 0;
let leastMs: u32 = 0;

export function resetBackoff(): void {
  ceilingMs = min<u32>(setting(Setting.ReconnectMinMs), setting(Setting.ReconnectMaxMs));
}

/** `configure` succeeded. */
// @ts-ignore: decorator
@inline
export function isConfigured(): bool {
  return ceilingMs != 0;
}

/** The configuration is in place. */
export function setConfigured(): void {
  resetBackoff();
}

/** What the server refused does not go away within seconds. */
export function slowDown(): void {
  ceilingMs = setting(Setting.ReconnectMaxMs);
  leastMs = ceilingMs >> 1;
}

/** It may after all: any share of the ceiling will do. */
// @ts-ignore: decorator
@inline
export function permitAny(): void {
  leastMs = 0;
}

/** The next wait. */
// @ts-ignore: decorator
@inline
export function nextDelayMs(): u32 {
  // Full jitter, so that a fleet does not come back in step.
  const delayMs = leastMs + <u32>random_u32() % (ceilingMs - leastMs + 1);
  leastMs = 0;
  ceilingMs = min<u32>(ceilingMs * 2, setting(Setting.ReconnectMaxMs));
  return delayMs;
}
