// Plays every vector of the profile `device` through the C host, under wasm3 and ahead of time: the same log, and the same bytes, as in V8.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CDevice, CRunner } from "./c-device.ts";
import { readVectors } from "./files.ts";
import { cutsOf, playVector, type Cut } from "./runner.ts";

for (const engine of ["wasm3", "aot"]) {
  const program = fileURLToPath(new URL(`../../build/tests/vector_runner-${engine}`, import.meta.url));
  describe(`vectors under ${engine}`, () => {
    let runner: CRunner | undefined;
    after(() => runner?.end());
    test("the vector runner is built", () => assert.ok(existsSync(program), `${program} is missing: cmake --build build/tests`));
    for (const vector of readVectors().filter((each) => each.profiles.includes("device"))) {
      test(`${vector.file}: ${vector.title}`, async () => {
        runner ??= new CRunner(program);
        // V8 has every position; here the first, the middle and the last of each packet.
        const cuts: Cut[] = ["whole", "bytes", ...thin(cutsOf(vector))];
        for (const cut of cuts) {
          const difference: string | undefined = await playVector(vector, "device", new CDevice(runner), cut, 1000n).catch((error: Error) => {
            runner = undefined;
            return error.message;
          });
          if (difference) assert.fail(`cut ${JSON.stringify(cut)}:\n${difference}`);
        }
      });
    }
  });
}

function thin(cuts: Cut[]): Cut[] {
  return cuts.length <= 3 ? cuts : [cuts[0]!, cuts[cuts.length >> 1]!, cuts.at(-1)!];
}
