// Proves that tests are counted as they are, and that a program which crashes or counts nothing has failed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { countTests, tapFailures } from "./count.ts";
import { runProgram } from "./program.ts";

test("summary lines", () => {
  assert.deepEqual(countTests("summary", "ok x\n12 passed, 0 failed\n", 0), { passed: 12, failed: 0 });
  assert.deepEqual(countTests("summary", "1 passed, 2 failed\n12 passed, 3 failed\n", 1), { passed: 12, failed: 3 });
  assert.deepEqual(countTests("summary", "12 passed, 0 failed\n", 139), { passed: 12, failed: 1 });
  assert.deepEqual(countTests("summary", "", 0), { passed: 0, failed: 1 });
  assert.deepEqual(countTests("summary", "12 passed, 0 failed\n", null), { passed: 12, failed: 1 });
});

test("TAP totals", () => {
  const tap = (pass: number, fail: number, cancelled: number): string => `ok 1 - x\n# tests 9\n# pass ${pass}\n# fail ${fail}\n# cancelled ${cancelled}\n`;
  assert.deepEqual(countTests("tap", tap(9, 0, 0), 0), { passed: 9, failed: 0 });
  assert.deepEqual(countTests("tap", tap(6, 2, 1), 1), { passed: 6, failed: 3 });
  assert.deepEqual(countTests("tap", "TAP version 13\n", 1), { passed: 0, failed: 1 });
});

test("as-pect's coloured summary", () => {
  const summary = "    [Tests]: \u001b[32m4\u001b[39m / 5\n";
  assert.deepEqual(countTests("aspect", summary, 1), { passed: 4, failed: 1 });
  assert.deepEqual(countTests("aspect", "ERROR TS2304\n", 1), { passed: 0, failed: 1 });
});

test("failures of a TAP text are told without the suites around them", () => {
  const tap = ["not ok 1 - suite", "  ---", "  failureType: 'subtestsFailed'", "  ...", "    not ok 1 - case", "      ---", "      duration_ms: 1", "      error: |-", "        it broke", "      ..."].join("\n");
  assert.deepEqual(tapFailures(tap), ["not ok 1 - case\n      error: |-\n        it broke"]);
});

test("a program that hangs has failed when its time is up, though what it started still holds its output", { timeout: 60_000 }, async () => {
  // The grandchild ends by itself: nobody here knows it.
  const hangs = `const { spawn } = require("node:child_process"); spawn(process.execPath, ["--eval", "setTimeout(() => {}, 20_000)"], { stdio: "inherit" });
    console.log("1 passed, 0 failed"); setInterval(() => {}, 1000);`;
  const beganMs = Date.now();
  const { output, exitCode } = await runProgram(process.execPath, ["--eval", hangs], ".", 2000);
  assert.ok(Date.now() - beganMs < 15_000, "it was waited for");
  assert.match(output, /ended after 2 s/);
  assert.deepEqual(countTests("summary", output, exitCode).failed, 1);
});
