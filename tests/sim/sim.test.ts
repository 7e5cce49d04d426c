// Lives of devices, gateways and the least profile without a fault, each alike when lived again, and broken variants of the module that must not survive.

import assert from "node:assert/strict";
import { test } from "node:test";
import { profileModule } from "../../host/node/instance.ts";
import { MUTANTS, mutate } from "./mutants.ts";
import { live, type Modules } from "./world.ts";

/** A broken variant that lives so long without a fault counts as not caught. */
const MUTANT_SEEDS = 100;

/** What lives, how often, and the option of the command that lives it again. */
const LIVES: readonly (readonly [modules: Modules, seeds: number, option: string])[] = [
  [{ device: profileModule("device"), gateway: profileModule("gateway") }, 1000, ""],
  [{ minimal: profileModule("minimal") }, 150, " --profile minimal"],
];

for (const [modules, seeds, option] of LIVES) {
  const who = Object.keys(modules).join(" and ");
  test(`${seeds} lives of ${who} end as they should`, () => {
    const failed: string[] = [];
    let reconnects = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const outcome = live(modules, seed);
      reconnects += outcome.reconnects;
      if (outcome.faults.length > 0) failed.push(`npm run sim -- --seeds 1 --first ${seed} --trace${option}    # ${outcome.faults.join("; ")}`);
    }
    assert.deepEqual(failed, []);
    // A storm that nobody notices proves nothing.
    assert.ok(reconnects > 10 * seeds, `only ${reconnects} reconnects`);
  });

  test(`the same seed lives the same life of ${who}`, () => {
    for (const seed of [7, 4294967295]) {
      assert.deepEqual(live(modules, seed, { isTraced: true }), live(modules, seed, { isTraced: true }));
    }
  });
}

for (const [name, { what }] of Object.entries(MUTANTS)) {
  test(`caught: ${what}`, async () => {
    const broken = await mutate(name);
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) if (live(broken, seed).faults.length > 0) return;
    assert.fail(`${MUTANT_SEEDS} lives of "${name}" without a fault`);
  });
}
