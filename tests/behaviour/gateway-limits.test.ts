// What a gateway sends for its children has limits of its own. Past them the server acknowledges the message in MQTT 3.1.1, throws it away and closes: only a
// gateway that paces loses nothing (spec 3.8, 11.7, 11.30).

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import type { LevelLimits } from "../../host/server/rateLimits.ts";
import { demoDevice } from "../../host/server/server.ts";
import { Driver, type Engine } from "./driver.ts";
import { behaviour, configuration, Site, started } from "./harness.ts";

/** The client takes four fifths: 96 at once, then 24 a second. */
const RATE = "120:4";
const MESSAGES = 144;
const CHILDREN = 30;

/** A gateway that knows the limits of its children. */
async function limited(t: TestContext, engine: Engine, limits: LevelLimits, more: object = {}): Promise<{ site: Site; driver: Driver }> {
  const site = await Site.open(t, { devices: [{ ...demoDevice, isGateway: true }], rateLimits: { gateway: limits } });
  const driver = await started(t, engine, site.port, { session_limits: true, send_buffer: 24_000, children_buffer: 2048, ...more }, "gateway");
  const { payload } = await driver.event("SessionLimits");
  const { gatewayRateLimits } = JSON.parse(payload!) as { gatewayRateLimits: LevelLimits };
  for (const [name, rate] of Object.entries(limits)) assert.equal(gatewayRateLimits[name as keyof LevelLimits], rate);
  return { site, driver };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Child ${index}`);
}

/** Messages at QoS 1 all at once, to the children in turn; their keys. */
async function send(driver: Driver, verb: string, children: string[], count: number, points = 1): Promise<string[]> {
  const keys: string[] = [];
  for (let message = 0; message < count; message++) {
    const own = Array.from({ length: points }, (_, point) => `m${message}p${point}`);
    await driver.run(verb, children[message % children.length]!, JSON.stringify(Object.fromEntries(own.map((key) => [key, 1]))), 1);
    keys.push(...own);
  }
  return keys;
}

function attributesOf(site: Site, name: string): ReadonlyMap<string, unknown> {
  return site.server.devices.byName(name)?.attributes.CLIENT_SCOPE ?? new Map<string, unknown>();
}

behaviour("limits of children", Feature.Gateway, (check) => {
  check("telemetry of children beyond the limit waits instead of being thrown away", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { telemetryMessages: RATE });
    await driver.run("gateway_connect", "Boiler 7", "", 1);
    const beginMs = performance.now();
    await site.stored(...await send(driver, "gateway_telemetry", ["Boiler 7"], MESSAGES));
    assert.ok(performance.now() - beginMs > 1500, "they were paced");
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("in the first session nothing leaves for them before the limits are known", async (t, engine) => {
    const site = await Site.open(t, { devices: [{ ...demoDevice, isGateway: true }], rateLimits: { gateway: { telemetryMessages: "60:6" } } });
    const driver = new Driver(t, engine, "gateway");
    await driver.run("init", configuration(site.port, { session_limits: true, send_buffer: 24_000, max_inflight: 72 }));
    const keys = await send(driver, "gateway_telemetry", ["Boiler 7"], 72);
    await driver.run("start");
    await site.stored(...keys);
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("their data points have a limit of their own", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { telemetryDataPoints: "400:4" });
    await site.stored(...await send(driver, "gateway_telemetry", ["Boiler 7", "Boiler 8"], 48, 10));
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("their attributes spend the same as their telemetry", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { telemetryMessages: RATE, telemetryDataPoints: "1000:1" });
    const keys = await send(driver, "gateway_attributes", ["Boiler 7"], MESSAGES, 2);
    await driver.until("the acknowledgements", () => driver.of("Delivered").length === MESSAGES);
    for (const key of keys) assert.ok(attributesOf(site, "Boiler 7").has(key), key);
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("what the gateway sends for itself is not held back by them, nor they by it", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { telemetryMessages: "1:3600" });
    for (let message = 0; message < 48; message++) await driver.run("telemetry", `{"own${message}":1}`, 1);
    await site.stored(...Array.from({ length: 48 }, (_, message) => `own${message}`));
    assert.deepEqual(driver.of("Disconnected"), []);
  });

  check("requests for children share the third limit, in which each new child costs two", async (t, engine) => {
    const { driver } = await limited(t, engine, { messages: "80:4" });
    const children = names(CHILDREN);
    for (let request = 0; request < 2 * CHILDREN; request++) {
      await driver.run("gateway_request_attributes", children[request % CHILDREN]!, "shared", "a", 30_000);
      await driver.event("ChildAttributesResponse");
    }
    assert.deepEqual(driver.of("Disconnected"), []);
    assert.deepEqual(driver.of("RequestTimeout"), []);
  });

  check(`${CHILDREN} children are announced again within the limit, and each is heard`, async (t, engine) => {
    const { site, driver } = await limited(t, engine, { messages: "80:4" });
    const isOpen = (): string[] => names(CHILDREN).filter((name) => site.server.devices.byName(name)?.session?.isSubscribedToRpc === true);
    for (const name of names(CHILDREN)) await driver.run("gateway_connect", name, "", 1);
    await site.until("all children", () => isOpen().length === CHILDREN);
    for (const round of [1, 2]) {
      const ended = site.server.events.next("childDisconnected", ({ device }) => device.name === `Child ${CHILDREN - 1}`);
      site.server.faults.killSessions(site.device.id);
      await ended;
      await site.until("all children again", () => isOpen().length === CHILDREN);
      assert.equal(driver.of("Disconnected").length, round, "the only end is the one that the test made");
    }
  });

  check("what children have to say after an outage leaves within the limits, the children with it", async (t, engine) => {
    const { site, driver } = await limited(t, engine, { messages: "80:4", telemetryMessages: RATE });
    const children = names(CHILDREN);
    for (const name of children) await driver.run("gateway_connect", name, "", 1);
    await driver.until("the acknowledgements", () => driver.of("Delivered").length === CHILDREN);
    await driver.run("stop");
    const keys = await send(driver, "gateway_telemetry", children, MESSAGES);
    await driver.run("start");
    await site.stored(...keys);
    assert.deepEqual(driver.of("Disconnected"), []);
    await driver.until("the acknowledgements", () => driver.of("Delivered").length >= CHILDREN + MESSAGES);
    for (const key of keys) assert.equal(site.counts.get(key), 1);
  });
});
