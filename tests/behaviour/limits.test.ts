// A server with rate limits closes the connection on the first message too many; a client that asked for them is never closed.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import type { LevelLimits } from "../../host/server/rateLimits.ts";
import type { Driver, Engine } from "./driver.ts";
import { behaviour, online, type Site } from "./harness.ts";

/**
 * The client takes four fifths: 96 at once, then 24 a second. A server that is busy for a second when the first ones come still
 * has room for them and those behind them.
 */
const RATE = "120:4";
const MESSAGES = 144;

type Test = Parameters<typeof online>[0];

/** A client that knows the limits of its server. */
async function limited(t: Test, engine: Engine, device: LevelLimits, more: object = {}): Promise<{ site: Site; driver: Driver }> {
  const found = await online(t, engine, { session_limits: true, send_buffer: 16_384, ...more }, { rateLimits: { device } });
  const { reason_name, payload } = await found.driver.event("SessionLimits");
  assert.equal(reason_name, "Ok");
  const { rateLimits } = JSON.parse(payload!) as { rateLimits: LevelLimits };
  for (const [name, rate] of Object.entries(device)) assert.equal(rateLimits[name as keyof LevelLimits], rate);
  return found;
}

/** Sends messages at QoS 1 all at once; their keys. */
async function send(driver: Driver, count: number, points = 1): Promise<string[]> {
  const keys: string[] = [];
  for (let message = 0; message < count; message++) {
    const own = [...Array(points).keys()].map((point) => `m${message}p${point}`);
    await driver.run("telemetry", JSON.stringify(Object.fromEntries(own.map((key) => [key, 1]))), 1);
    keys.push(...own);
  }
  return keys;
}

behaviour("session limits", Feature.Requests, (check) => {
  check("messages beyond the limit wait instead of ending the session", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { telemetryMessages: RATE });
    const beginMs = performance.now();
    await site.stored(...await send(driver, MESSAGES));
    // 48 of them have to wait.
    assert.ok(performance.now() - beginMs > 1500, "they were paced");
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("without the question as many messages end the session", async (t, engine) => {
    const { driver } = await online(t, engine, { send_buffer: 16_384 }, { rateLimits: { device: { telemetryMessages: "120:600" } } });
    await send(driver, MESSAGES);
    await driver.event("Disconnected");
  });

  check("data points have a limit of their own", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { telemetryDataPoints: "400:4" });
    await site.stored(...await send(driver, 48, 10));
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("of two buckets the slower one counts", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { telemetryMessages: `1000:1,${RATE}` });
    await site.stored(...await send(driver, MESSAGES));
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("requests and what else is no telemetry share the third limit", async (t, engine) => {
    const { driver } = await limited(t, engine, { messages: "80:4" });
    for (let request = 0; request < 96; request++) {
      await driver.run("request_attributes", "a", "", 30_000);
      await driver.event("AttributesResponse");
    }
    assert.deepEqual(driver.of("Disconnected"), []);
    assert.deepEqual(driver.of("RequestTimeout"), []);
  });

  check("a backlog leaves within the limits after an outage", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { messages: "400:4", telemetryMessages: RATE });
    await site.stop();
    await driver.event("Disconnected");
    const keys = await send(driver, MESSAGES);
    const before = driver.of("Disconnected").length;
    await site.start();
    await driver.event("SessionLimits");
    await site.stored(...keys);
    const ends = driver.of("Disconnected").slice(before).filter(({ reason_name }) => reason_name !== "ConnectionRefused");
    assert.deepEqual(ends, []);
    for (const key of keys) assert.equal(site.counts.get(key), 1);
  });

  check("a server that does not know the question says so, and the session works", async (t, engine) => {
    const { site, driver } = await online(t, engine, { session_limits: true }, { serverVersion: "3.7", clientRpcTimeoutMs: 50 });
    const answer = await driver.event("SessionLimits");
    assert.deepEqual([answer.reason_name, answer.payload], ["RemoteError", '{"error":"timeout"}']);
    await site.stored(...await send(driver, 3));
  });
});
