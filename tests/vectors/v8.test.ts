// Plays every vector in V8: whole, byte by byte, cut at every position, and with clocks that wrap on the way.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readVectors } from "./files.ts";
import type { Order, Played } from "./player.ts";

const player = fork(fileURLToPath(new URL("player.ts", import.meta.url)));
const ended = once(player, "exit").then(([code, signal]) => assert.fail(`the player ended: ${signal ?? code}`));
after(() => {
  ended.catch(() => {});
  player.disconnect();
});

async function play(order: Order): Promise<Played> {
  const answer = once(player, "message");
  player.send(order, () => {}); // that it cannot be sent, the end of the player says
  return ((await Promise.race([answer, ended])) as [Played])[0];
}

for (const [place, vector] of readVectors().entries()) {
  describe(`${vector.file}: ${vector.title}`, () => {
    for (const profile of vector.profiles) {
      test(`${profile}, whole and cut everywhere`, async () => {
        const { difference } = await play({ place, profile });
        if (difference) assert.fail(difference);
      });
    }
  });
}
