// A thousand reconnects in one run: every subscription is alive in every session, and nothing grows that is not given back.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Driver, ENGINES } from "./driver.ts";
import { configuration, Site } from "./harness.ts";

const RECONNECTS = 1000;
/** By then everything has its full size. */
const WARM_UP = 500;
/** What a leaked socket takes is more than 2 KiB, so that would be 1 MiB in the second half. */
const HEAP_GROWTH_MAX_BYTES = (RECONNECTS - WARM_UP) * 2048;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What a process holds: of a C program its pages and its own count, of this one what is reachable. */
async function held(driver: Driver): Promise<{ bytes: number; descriptors: number; allocations: unknown; sockets: string }> {
  const { arena_used, arena_allocations } = await driver.stats() as unknown as Record<string, number>;
  let bytes: number;
  if (driver.engine === "v8") {
    collectGarbage();
    bytes = process.memoryUsage().heapUsed;
  } else {
    bytes = Number(/^VmData:\s+(\d+) kB/m.exec(readFileSync(`/proc/${driver.pid}/status`, "utf8"))![1]) * 1024;
  }
  return {
    bytes, descriptors: readdirSync(`/proc/${driver.pid}/fd`).length, allocations: [arena_used, arena_allocations],
    sockets: driver.engine === "v8" ? process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).sort().join(" ") : "",
  };
}

describe("reconnects", () => {
  for (const engine of ENGINES) {
    test(`${engine}: ${RECONNECTS} in one run leave every subscription alive and nothing behind`, { timeout: 120_000 }, async (t) => {
      const site = await Site.open(t);
      const driver = new Driver(t, engine);
      await driver.run("init", configuration(site.port, { reconnect_max_ms: 4, staging_buffer: 512 }));
      await driver.run("start");
      await driver.event("Connected");

      const alive = async (round: number): Promise<void> => {
        // What was declared is asserted; then each filter hears something that nobody else says.
        await driver.until("all subscriptions", () => driver.of("Subscribed").length === 3);
        const { session, rpcs } = site.device;
        session!.sendAttributesUpdate(`{"round":${round}}`);
        rpcs.submit({ method: `alive${round}`, params: "null", isOneWay: true, isPersistent: false, expiresAtMs: Date.now() + 60_000, additionalInfo: null });
        await driver.run("request_attributes", "round", "", 30_000);
        assert.equal((await driver.event("SharedAttributes")).payload, `{"round":${round}}`);
        assert.equal((await driver.event("RpcRequest")).name, `alive${round}`);
        await driver.event("AttributesResponse");
      };

      await alive(0);
      let warm: Awaited<ReturnType<typeof held>> | undefined;
      for (let round = 1; round <= RECONNECTS; round++) {
        driver.forget();
        site.server.faults.killSessions();
        await driver.event("Disconnected");
        await driver.event("Connected");
        await alive(round);
        if (round === WARM_UP) warm = await held(driver);
      }
      const last = await held(driver);
      assert.ok(last.bytes - warm!.bytes <= (engine === "v8" ? HEAP_GROWTH_MAX_BYTES : 0), `${warm!.bytes} bytes became ${last.bytes}`);
      assert.deepEqual({ ...last, bytes: 0 }, { ...warm!, bytes: 0 });
      const { stats } = await driver.stats();
      assert.deepEqual([stats.Connects, stats.Disconnects, stats.ConnectFailures], [RECONNECTS + 1, RECONNECTS, 0]);
    });
  }
});
