// A gateway and its children: what they send, ask and are asked, and that every session announces them again.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import { demoDevice } from "../../host/server/server.ts";
import type { Device } from "../../host/server/device.ts";
import { plainValue } from "../../host/server/values.ts";
import type { Driver, Engine } from "./driver.ts";
import { behaviour, Site, started } from "./harness.ts";

const CHILDREN = 50;
const FILTERS = ["v1/gateway/attributes", "v1/gateway/attributes/response", "v1/gateway/rpc"];

/** A gateway whose subscriptions the local server has. */
async function gateway(t: TestContext, engine: Engine, more: object = {}): Promise<{ site: Site; driver: Driver }> {
  const site = await Site.open(t, { devices: [{ ...demoDevice, isGateway: true }] });
  const driver = await started(t, engine, site.port, { children_buffer: 4096, ...more }, "gateway");
  await subscribed(driver);
  return { site, driver };
}

async function subscribed(driver: Driver): Promise<void> {
  for (const filter of FILTERS) await driver.event("Subscribed", ({ topic }) => topic === filter);
}

/** A child that the server knows of. */
async function child(site: Site, driver: Driver, name: string, type = ""): Promise<Device> {
  await driver.run("gateway_connect", name, type, 1);
  await driver.event("Delivered");
  const device = site.server.devices.byName(name);
  assert.ok(device, `no device ${name}`);
  return device;
}

function latest(device: Device, key: string): unknown {
  const found = device.latest.get(key);
  return found && [found.tsMs, plainValue(found.value)];
}

behaviour("gateway", Feature.Gateway, (check) => {
  check("a child is made with its type, sends telemetry, and goes", async (t, engine) => {
    const { site, driver } = await gateway(t, engine);
    const boiler = await child(site, driver, 'Boiler "7" \u00e4', "boiler");
    assert.equal(boiler.type, "boiler");
    await driver.run("gateway_telemetry", boiler.name, '[{"ts":1760000000000,"values":{"p":2.1}},{"ts":1760000000001,"values":{"p":2.2}}]', 1);
    await driver.event("Delivered");
    assert.deepEqual(latest(boiler, "p"), [1760000000001, 2.2]);
    assert.equal(boiler.history.get("p")!.length, 2);
    await driver.run("gateway_telemetry", boiler.name, '{"q":7}', 1);
    await driver.event("Delivered");
    assert.equal((latest(boiler, "q") as unknown[])[1], 7);
    assert.equal((await driver.ask("gateway_telemetry", boiler.name, "[]", 1)).result < 0, true, "an empty list closes the connection at the server");
    await driver.run("gateway_disconnect", boiler.name, 1);
    await driver.event("Delivered");
    assert.equal(boiler.session, null);
  });

  check("what a child sent as its attributes can be asked for, beside shared ones", async (t, engine) => {
    const { site, driver } = await gateway(t, engine);
    const boiler = await child(site, driver, "Boiler 7");
    await driver.run("gateway_attributes", "Boiler 7", '{"sn":"A77","model":{"rev":2}}', 1);
    await driver.event("Delivered");
    await site.rest("POST", `/api/plugins/telemetry/DEVICE/${boiler.id}/SHARED_SCOPE`, { setpoint: 60 });
    const update = await driver.event("ChildAttributes");
    assert.deepEqual([update.topic, update.value], ["Boiler 7", '{"setpoint":60}']);
    const one = await driver.run("gateway_request_attributes", "Boiler 7", "client", "sn", 15_000);
    const single = await driver.event("ChildAttributesResponse");
    assert.deepEqual([single.id, single.topic, single.value], [one, "Boiler 7", '"A77"']);
    const two = await driver.run("gateway_request_attributes", "Boiler 7", "client", "sn,model", 15_000);
    const both = await driver.event("ChildAttributesResponse");
    assert.deepEqual([both.id, JSON.parse(both.value)], [two, { sn: "A77", model: { rev: 2 } }]);
    const shared = await driver.run("gateway_request_attributes", "Boiler 7", "shared", "setpoint", 15_000);
    const last = await driver.event("ChildAttributesResponse");
    assert.deepEqual([last.id, last.value], [shared, "60"]);
  });

  check("a request for a child's attributes that nobody answers times out", async (t, engine) => {
    const { site, driver } = await gateway(t, engine);
    await child(site, driver, "Boiler 7");
    site.server.faults.dropResponse();
    const id = await driver.run("gateway_request_attributes", "Boiler 7", "shared", "a", 300);
    assert.equal((await driver.event("RequestTimeout")).id, id);
  });

  check("an RPC reaches the child it is for, and its reply the one who asked", async (t, engine) => {
    const { site, driver } = await gateway(t, engine);
    const boiler = await child(site, driver, "Boiler 7");
    await child(site, driver, "Boiler 8");
    const answer = site.rest("POST", `/api/rpc/twoway/${boiler.id}`, { method: "purge", params: { s: 5 } });
    const request = await driver.event("ChildRpcRequest");
    assert.deepEqual([request.topic, request.name, JSON.parse(request.value)], ["Boiler 7", "purge", { s: 5 }]);
    await driver.run("gateway_rpc_reply", "Boiler 7", request.id, '{"done":true}', 1);
    assert.deepEqual(await answer, { status: 200, text: '{"done":true}' });
  });

  check("a child claims by its own name", async (t, engine) => {
    const { site, driver } = await gateway(t, engine);
    await child(site, driver, "Boiler 7");
    await driver.run("gateway_claim", "Boiler 7", "k", 60_000, 1);
    await driver.event("Delivered");
    assert.match((await site.rest("POST", "/api/customer/device/Boiler%207/claim", { secretKey: "k" })).text, /"response":"SUCCESS"/);
  });

  check("a reconnect announces the children that are left, and they can be reached again", async (t, engine) => {
    const { site, driver } = await gateway(t, engine);
    const boiler = await child(site, driver, "Boiler 7");
    const gone = await child(site, driver, "Boiler 8");
    await driver.run("gateway_disconnect", "Boiler 8", 1);
    await driver.event("Delivered");
    const again = site.server.events.next("childConnected", () => true, 15_000);
    site.server.faults.killSessions(site.device.id);
    await driver.event("Disconnected");
    assert.equal((await again).device.name, "Boiler 7");
    await subscribed(driver);
    const answer = site.rest("POST", `/api/rpc/twoway/${boiler.id}`, { method: "ping", params: {} });
    const request = await driver.event("ChildRpcRequest");
    await driver.run("gateway_rpc_reply", "Boiler 7", request.id, "1", 1);
    assert.equal((await answer).text, "1");
    assert.equal(gone.session, null, "it was not announced");
  });

  check(`${CHILDREN} children are announced again after each of two reconnects, and each is heard`, async (t, engine) => {
    const { site, driver } = await gateway(t, engine, { send_buffer: 4096 });
    const names = Array.from({ length: CHILDREN }, (_, index) => `Child ${String(index).padStart(2, "0")}`);
    for (const name of names) await child(site, driver, name, "meter");
    const connected: string[] = [];
    site.server.events.on("childConnected", ({ device }) => connected.push(device.name));
    for (const round of [1, 2]) {
      connected.length = 0;
      site.server.faults.killSessions(site.device.id);
      await driver.event("Disconnected");
      await driver.event("Connected", (event) => driver.of("Connected").indexOf(event) === round);
      await site.until("all children", () => connected.length >= CHILDREN);
      assert.deepEqual([...connected].sort(), names, "each of them once");
    }
    for (const [index, name] of names.entries()) await driver.run("gateway_telemetry", name, `{"n":${index}}`, 0);
    await site.until("telemetry of all", () => names.every((name) => site.server.devices.byName(name)!.latest.has("n")));
    names.forEach((name, index) => assert.equal((latest(site.server.devices.byName(name)!, "n") as unknown[])[1], index));
    assert.equal((await driver.stats()).traps, 0);
  });
});
