// Plays vectors in V8 in a process of its own, at the orders of v8.test.ts: node's test runner follows each promise of its process, which takes
// as long as the playing.

import { readVectors } from "./files.ts";
import type { Profile } from "./parse.ts";
import { cutsOf, playVector } from "./runner.ts";
import { V8Device } from "./v8-device.ts";

/** A vector by its place in the list that everybody reads. */
export interface Order { readonly place: number; readonly profile: Profile }

/** What differed, if anything did. */
export interface Played { readonly difference?: string }

/** An ordinary clock, and two whose 32-bit half changes its sign or wraps within the vector. */
const CLOCKS = [1000n, 2n ** 31n - 5000n, 2n ** 32n - 5000n];

const VECTORS = readVectors();

/** Whole, byte by byte, and cut everywhere. */
async function play({ place, profile }: Order): Promise<Played> {
  const vector = VECTORS[place]!;
  for (const cut of ["whole", "bytes", ...cutsOf(vector)] as const) {
    const clocks = typeof cut === "object" ? CLOCKS.slice(0, 1) : CLOCKS;
    for (const clock of clocks) {
      const difference = await playVector(vector, profile, new V8Device(profile), cut, clock);
      if (difference) return { difference: `cut ${JSON.stringify(cut)}, clock ${clock}:\n${difference}` };
    }
  }
  return {};
}

process.on("message", (order: Order) => {
  void play(order).catch((error: Error) => ({ difference: String(error.stack) })).then((played) => process.send!(played));
});
