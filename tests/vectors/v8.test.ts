// Plays every vector in V8: whole, byte by byte, cut at every position, and with clocks that wrap on the way.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readVectors } from "./files.ts";
import { cutsOf, playVector } from "./runner.ts";
import { V8Device } from "./v8-device.ts";

/** An ordinary clock, and two whose 32-bit half changes its sign or wraps within the vector. */
const CLOCKS = [1000n, 2n ** 31n - 5000n, 2n ** 32n - 5000n];

for (const vector of readVectors()) {
  describe(`${vector.file}: ${vector.title}`, () => {
    for (const profile of vector.profiles) {
      test(`${profile}, whole and cut everywhere`, async () => {
        for (const cut of ["whole", "bytes", ...cutsOf(vector)] as const) {
          const clocks = typeof cut === "object" ? CLOCKS.slice(0, 1) : CLOCKS;
          for (const clock of clocks) {
            const difference = await playVector(vector, profile, new V8Device(profile), cut, clock);
            if (difference) assert.fail(`cut ${JSON.stringify(cut)}, clock ${clock}:\n${difference}`);
          }
        }
      });
    }
  });
}
