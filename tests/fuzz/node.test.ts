// Hostile lives of whole Node clients without a fault, each alike when lived again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { liveNode } from "./node-life.ts";

const SEEDS = 120;
/** What has to have happened, or the lives were not worth living: errors, warnings, and verbs that few calls reach. */
const REACHED = [
  "InvalidValueError", "TooLargeError", "FullError", "BadStateError", "DisconnectedError", "RefusedError", "SubscriptionRefusedError", "RequestTimeoutError", "TrappedError",
  "MOTE_HANDLER_FAILED", "of the application", "reply", "release", "childSendTelemetry", "childSubscribeAttributes",
];

test(`${SEEDS} lives of Node clients between a hostile server and a careless application`, async () => {
  const failed: string[] = [];
  const reached = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const life = await liveNode(seed);
    for (const what of life.reached.keys()) reached.add(what);
    if (life.fault !== undefined) failed.push(`npm run fuzz:node -- --seeds 1 --first ${seed} --trace    # ${life.fault}`);
  }
  assert.deepEqual(failed, []);
  assert.deepEqual(REACHED.filter((what) => !reached.has(what)), []);
});

test("the same seed lives the same life of a Node client", async () => {
  for (const seed of [3, 5, 4294967293]) assert.deepEqual(await liveNode(seed), await liveNode(seed));
});
