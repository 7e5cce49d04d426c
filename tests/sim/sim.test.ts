// A thousand lives without a fault, each alike when lived again, and broken variants of the module that must not survive.

import assert from "node:assert/strict";
import { test } from "node:test";
import { profileModule } from "../../host/node/instance.ts";
import { MUTANTS, mutate } from "./mutants.ts";
import { live } from "./world.ts";

const SEEDS = 1000;
/** A broken variant that lives so long without a fault counts as not caught. */
const MUTANT_SEEDS = 100;

const shipped = { device: profileModule("device"), gateway: profileModule("gateway") };

test(`${SEEDS} lives end as they should`, () => {
  const failed: string[] = [];
  let reconnects = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = live(shipped, seed);
    reconnects += outcome.reconnects;
    if (outcome.faults.length > 0) failed.push(`npm run sim -- --seeds 1 --first ${seed} --trace    # ${outcome.faults.join("; ")}`);
  }
  assert.deepEqual(failed, []);
  // A storm that nobody notices proves nothing.
  assert.ok(reconnects > 10 * SEEDS, `only ${reconnects} reconnects`);
});

test("the same seed lives the same life", () => {
  for (const seed of [7, 4294967295]) {
    assert.deepEqual(live(shipped, seed, { isTraced: true }), live(shipped, seed, { isTraced: true }));
  }
});

for (const [name, { what }] of Object.entries(MUTANTS)) {
  test(`caught: ${what}`, async () => {
    const broken = await mutate(name);
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) if (live(broken, seed).faults.length > 0) return;
    assert.fail(`${MUTANT_SEEDS} lives of "${name}" without a fault`);
  });
}
