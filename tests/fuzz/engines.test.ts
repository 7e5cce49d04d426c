// Hostile lives once more, under wasm3 and ahead of time in the C host: whatever is done to it, each engine does what V8 did.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { EventKind } from "../../build/generated/abi.ts";
import { CDevice, CRunner } from "../vectors/c-device.ts";
import type { Poll, VectorDevice } from "../vectors/device.ts";
import { live, profileOf, type Deed } from "./life.ts";

const SEEDS = 120;

async function repeat(device: VectorDevice, { name, args }: Deed): Promise<unknown> {
  return (device[name] as (...args: unknown[]) => unknown)(...args);
}

/** The C host then looks into the limits by way of the staging area, in which a careless call finds something else than in V8. */
function tellsLimits({ name, outcome }: Deed): boolean {
  return name === "poll" && (outcome as Poll).event?.kind === EventKind.SessionLimits;
}

for (const [profile, engine] of [["device", "wasm3"], ["device", "aot"], ["gateway", "wasm3"], ["gateway", "aot"]] as const) {
  describe(`hostile lives of ${profile} under ${engine}`, () => {
    const program = profile === "device" ? `vector_runner-${engine}` : `vector_runner_${profile}-${engine}`;
    const runner = new CRunner(fileURLToPath(new URL(`../../build/tests/${program}`, import.meta.url)));
    after(() => runner.end());
    test(`${SEEDS} seeds`, async () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        if (profileOf(seed) !== profile) continue;
        const { deeds } = live(seed);
        const device = new CDevice(runner);
        for (const [index, deed] of deeds.entries()) {
          assert.deepEqual(await repeat(device, deed), deed.outcome, `seed ${seed}, deed ${index}: ${deed.name}(${inspect(deed.args)})`);
          if (tellsLimits(deed)) break;
        }
        await device.close();
      }
    });
  });
}
