// Hostile lives without a fault, each alike when lived again, and broken variants of the module that must not survive.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventKind, EventKindNames } from "../../build/generated/abi.ts";
import { compileBroken } from "../broken-module.ts";
import { live, profileOf } from "./life.ts";
import { MUTANTS } from "./mutants.ts";

const SEEDS = 2000;
/** A broken variant that lives so long without a fault counts as not caught. */
const MUTANT_SEEDS = 2000;
/** What has to have happened, or the lives were not worth living. */
const REACHED = [
  EventKind.Connected, EventKind.Disconnected, EventKind.Refused, EventKind.Unstable, EventKind.Delivered, EventKind.Message, EventKind.MessageAborted, EventKind.MessageTooLarge, EventKind.InvalidMessage,
  EventKind.RpcRequest, EventKind.SharedAttributes, EventKind.SessionLimits, EventKind.RequestTimeout, EventKind.OtaProgress, EventKind.OtaFailed, EventKind.ChildRpcRequest, EventKind.ChildDisconnected,
];

test(`${SEEDS} lives between a hostile server and a careless application`, () => {
  const failed: string[] = [];
  const reached = new Set<number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { fault, events } = live(seed);
    for (const kind of events.keys()) reached.add(kind);
    if (fault !== undefined) failed.push(`npm run fuzz -- --seeds 1 --first ${seed} --trace    # ${fault}`);
  }
  assert.deepEqual(failed, []);
  assert.deepEqual(REACHED.filter((kind) => !reached.has(kind)).map((kind) => EventKindNames[kind]), []);
});

test("the same seed lives the same life", () => {
  for (const seed of [7, 4294967293]) assert.deepEqual(live(seed), live(seed));
});

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`caught: ${mutant.what}`, async () => {
    const broken = await compileBroken(mutant.profile, mutant);
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) if (profileOf(seed) === mutant.profile && live(seed, broken).fault !== undefined) return;
    assert.fail(`${MUTANT_SEEDS} lives of "${name}" without a fault`);
  });
}
