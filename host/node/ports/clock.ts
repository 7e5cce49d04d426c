// Time and random numbers by Node's own clocks and generator.

import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { ClockPort } from "./port.ts";

export const systemClock: ClockPort = {
  nowMs: () => BigInt(Math.floor(performance.now())),
  unixMs: () => BigInt(Date.now()),
  random: () => randomBytes(4).readInt32LE(),
};
