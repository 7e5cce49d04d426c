// Plays every vector of the profiles `device` and `gateway` through the C host, under wasm3 and ahead of time: the same log, and the same bytes, as in V8.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CDevice, CRunner } from "./c-device.ts";
import { readVectors } from "./files.ts";
import type { Vector } from "./parse.ts";
import { cutsOf, playVector, serverBytes, type Cut } from "./runner.ts";

/** Each byte is a conversation with another process: long messages take minutes, and V8 plays them. */
const BYTEWISE_MAX = 2000;

const VECTORS = readVectors();

for (const [profile, engine] of [["device", "wasm3"], ["device", "aot"], ["gateway", "wasm3"], ["gateway", "aot"]] as const) {
  const name = profile === "device" ? `vector_runner-${engine}` : `vector_runner_${profile}-${engine}`;
  const program = fileURLToPath(new URL(`../../build/tests/${name}`, import.meta.url));
  describe(`vectors of ${profile} under ${engine}`, () => {
    let runner: CRunner | undefined;
    after(() => runner?.end());
    test("the vector runner is built", () => assert.ok(existsSync(program), `${program} is missing: cmake --build build/tests`));
    for (const vector of VECTORS.filter((each) => each.profiles.includes(profile) && !misusesModule(each))) {
      test(`${vector.file}: ${vector.title}`, async () => {
        runner ??= new CRunner(program);
        // V8 has every position; here the first, the middle and the last of each packet.
        const bytewise: Cut[] = serverBytes(vector) <= BYTEWISE_MAX ? ["bytes"] : [];
        const cuts: Cut[] = ["whole", ...bytewise, ...thin(cutsOf(vector))];
        for (const cut of cuts) {
          const difference: string | undefined = await playVector(vector, profile, new CDevice(runner), cut, 1000n).catch((error: Error) => {
            runner = undefined;
            return error.message;
          });
          if (difference) assert.fail(`cut ${JSON.stringify(cut)}:\n${difference}`);
        }
      });
    }
  });
}

/** The C host builds a new instance for each configuration and has no verbs without one: what the bare module answers there, V8 shows. */
function misusesModule(vector: Vector): boolean {
  const configures = vector.steps.findIndex((step) => step.input.text.startsWith("configure "));
  return configures > 0 || (configures === 0 && vector.steps.length > 1);
}

function thin(cuts: Cut[]): Cut[] {
  return cuts.length <= 3 ? cuts : [cuts[0]!, cuts[cuts.length >> 1]!, cuts.at(-1)!];
}
