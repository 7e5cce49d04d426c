// Proves that no vector expects what only this project says, and that a wrong expectation would be found.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkExpectations } from "./expect.ts";
import { vectorFiles, VECTORS } from "./files.ts";

for (const name of vectorFiles()) {
  test(`the expectations of ${name} agree with mqtt-packet and JSON.parse`, () => {
    assert.deepEqual(checkExpectations(`tests/vectors/${name}`, readFileSync(join(VECTORS, name), "utf8")), []);
  });
}

test("wrong hex and wrong answers are found", () => {
  const vector = (log: string): string => ["# x", "## y", "```log", log, "```", ""].join("\n");
  const count = (log: string): number => checkExpectations("x.md", vector(log)).length;
  assert.equal(count("given: a session\ndevice sends: PUBACK id 7\n  40 02 00 07"), 0);
  assert.equal(count("given: a session\ndevice sends: PUBACK id 7\n  40 02 00 08"), 1);
  assert.equal(count('device: jsonFind {"a":1} "a"\nanswer: Number 1'), 0);
  assert.equal(count('device: jsonFind {"a":1} "a"\nanswer: Number 2'), 1);
  assert.equal(count('device: jsonFind {"a":1} "b"\nanswer: NotFound'), 0);
  assert.equal(count('device: jsonFind {"a":1} "a"\nanswer: Malformed'), 1);
  assert.equal(count('device: jsonFind "{" "a"\nanswer: NotFound'), 1);
  assert.equal(count('device: jsonText "a\\\\n" 9\nanswer: "a"'), 1);
});
