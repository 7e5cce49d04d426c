// The device API through the client, against the local server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { RequestTimeoutError, type ClientOptions, type DeviceClient } from "../../host/node/index.ts";
import { demoDevice, startServer, type LocalServer } from "../../host/server/server.ts";
import type { Device } from "../../host/server/device.ts";
import { client, nextEvent, PATIENCE_MS } from "./harness.ts";

async function start(t: TestContext): Promise<{ server: LocalServer; device: Device; client: DeviceClient }> {
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  const made = client(t, server.mqttPort, { access_token: demoDevice.token, rpc: true, shared_attributes: true });
  await made.connect();
  return { server, device: server.devices.byToken(demoDevice.token)!, client: made };
}

async function post(server: LocalServer, path: string, body: unknown): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server.restUrl}${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return { status: response.status, text: await response.text() };
}

test("telemetry is stored, with its time", async (t) => {
  const { device, client } = await start(t);
  await client.sendTelemetry({ ts: 1700000000000, values: { temperature: 25.5, humidity: 60, enabled: true, fw: "v1.2.2" } });
  assert.deepEqual(device.latest.get("temperature"), { tsMs: 1700000000000, value: { type: "double", value: 25.5 } });
  assert.deepEqual([...device.latest.keys()], ["temperature", "humidity", "enabled", "fw"]);
});

test("the counters of messages count publishes, not subscriptions", async (t) => {
  const { client } = await start(t);
  await client.requestAttributes();
  const { messagesQueued, messagesSent, messagesDelivered } = client.stats;
  await client.sendTelemetry({ a: 1 });
  const after = client.stats;
  assert.equal(messagesSent, messagesQueued);
  assert.deepEqual([after.messagesQueued - messagesQueued, after.messagesSent - messagesSent, after.messagesDelivered - messagesDelivered], [1, 1, 1]);
});

test("client attributes are stored and can be asked for, by name and all", async (t) => {
  const { server, device, client } = await start(t);
  await client.sendAttributes({ serial: "A1", size: 7 });
  await post(server, `/api/plugins/telemetry/DEVICE/${device.id}/attributes/SHARED_SCOPE`, { rate: 45 });
  assert.deepEqual(await client.requestAttributes({ client: ["serial"] }), { client: { serial: "A1" }, shared: {} });
  assert.deepEqual(await client.requestAttributes({ client: ["size"], shared: ["rate"] }), { client: { size: 7 }, shared: { rate: 45 } });
  assert.deepEqual((await client.requestAttributes()).client, { serial: "A1", size: 7 });
});

test("requests at once get their own answers, also more than the module has room for", async (t) => {
  const { client } = await start(t);
  await client.sendAttributes(Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`k${index}`, index])));
  const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => client.requestAttributes({ client: [`k${index}`] })));
  assert.deepEqual(answers.map(({ client: values }) => values), Array.from({ length: 8 }, (_, index) => ({ [`k${index}`]: index })));
});

test("a request without an answer rejects in time", async (t) => {
  const { server, client } = await start(t);
  server.faults.dropResponse();
  await assert.rejects(client.requestAttributes({ client: ["a"], timeoutMs: 50 }), RequestTimeoutError);
});

test("shared attributes arrive by iteration, updates and deletions", async (t) => {
  const { server, device, client } = await start(t);
  const updates = client.sharedAttributes();
  await client.requestAttributes({ shared: ["none"] });
  const path = `/api/plugins/telemetry/DEVICE/${device.id}/attributes/SHARED_SCOPE`;
  await post(server, path, { rate: 45, mode: "eco" });
  assert.deepEqual((await updates.next()).value, { values: { rate: 45, mode: "eco" }, deleted: [] });
  await fetch(`${server.restUrl}/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE?keys=rate`, { method: "DELETE" });
  assert.deepEqual((await updates.next()).value, { values: {}, deleted: ["rate"] });
});

test("subscribed attributes, of one key and of all: the values now, what changes, what is deleted, and after an outage what differs", async (t) => {
  const { server, device, client } = await start(t);
  const path = `/api/plugins/telemetry/DEVICE/${device.id}`;
  const write = (values: object): Promise<unknown> => post(server, `${path}/attributes/SHARED_SCOPE`, values);
  const erase = (key: string): Promise<unknown> => fetch(`${server.restUrl}${path}/SHARED_SCOPE?keys=${key}`, { method: "DELETE" });
  await write({ rate: 45, mode: "eco", limits: { high: 80 } });
  const one = client.subscribeAttributes(["rate", "none"]);
  const all = client.subscribeAttributes();
  const next = async (updates: typeof one): Promise<unknown> => (await updates.next()).value;
  assert.deepEqual(await next(one), { values: { rate: 45 }, deleted: [] });
  assert.deepEqual(await next(all), { values: { rate: 45, mode: "eco", limits: { high: 80 } }, deleted: [] });

  await write({ mode: "max" });
  assert.deepEqual(await next(all), { values: { mode: "max" }, deleted: [] });
  await write({ rate: 46 });
  assert.deepEqual(await next(one), { values: { rate: 46 }, deleted: [] });
  assert.deepEqual(await next(all), { values: { rate: 46 }, deleted: [] });
  await erase("mode");
  assert.deepEqual(await next(all), { values: {}, deleted: ["mode"] });
  await erase("rate");
  assert.deepEqual(await next(one), { values: {}, deleted: ["rate"] });
  assert.deepEqual(await next(all), { values: {}, deleted: ["rate"] });

  await write({ rate: 47 });
  assert.deepEqual([await next(one), await next(all)], Array(2).fill({ values: { rate: 47 }, deleted: [] }));
  await client.disconnect();
  await write({ none: true });
  await erase("limits");
  await client.connect();
  assert.deepEqual(await next(one), { values: { none: true }, deleted: [] }, "the rate is as it was");
  assert.deepEqual(await next(all), { values: { none: true }, deleted: ["limits"] });
  await client.disconnect();
  await erase("rate");
  await client.connect();
  assert.deepEqual([await next(one), await next(all)], Array(2).fill({ values: {}, deleted: ["rate"] }));

  one.unsubscribe();
  assert.deepEqual(await one.next(), { value: undefined, done: true });
  await write({ rate: 48 });
  assert.deepEqual(await next(all), { values: { rate: 48 }, deleted: [] });
});

test("RPC: the handler's result, its exception, its promise", async (t) => {
  const { server, device, client } = await start(t);
  const asked: unknown[] = [];
  client.onRpc(async ({ method, params }) => {
    asked.push([method, params]);
    if (method === "fail") throw new Error("out of order");
    return method === "list" ? [1, { a: 2n }] : { ok: true };
  });
  const call = (method: string, params: unknown): Promise<{ status: number; text: string }> =>
    post(server, `/api/rpc/twoway/${device.id}`, { method, params, timeout: PATIENCE_MS });
  await client.requestAttributes();
  assert.deepEqual(await call("setLed", { on: true }), { status: 200, text: '{"ok":true}' });
  assert.deepEqual(await call("fail", "now"), { status: 200, text: '{"error":"out of order"}' });
  assert.deepEqual(await call("list", [1]), { status: 200, text: '[1,{"a":2}]' });
  client.onRpc(null);
  assert.deepEqual(await call("list", [2]), { status: 200, text: '{"error":"no handler"}' });
  assert.deepEqual(asked, [["setLed", { on: true }], ["fail", "now"], ["list", [1]]]);
});

test("RPC by iteration, with the reply when it suits", async (t) => {
  const { server, device, client } = await start(t);
  const requests = client.rpcRequests();
  await client.requestAttributes();
  const answer = post(server, `/api/rpc/twoway/${device.id}`, { method: "a\"b", params: { n: 1 }, timeout: PATIENCE_MS });
  const { value: request } = await requests.next();
  assert.equal(request.method, 'a"b');
  assert.equal(request.paramsText, '{"n":1}');
  await request.reply({ done: 1 });
  assert.deepEqual(await answer, { status: 200, text: '{"done":1}' });
});

test("RPC without anybody who answers says so", async (t) => {
  const { server, device, client } = await start(t);
  await client.requestAttributes();
  assert.deepEqual(await post(server, `/api/rpc/twoway/${device.id}`, { method: "m", params: {}, timeout: PATIENCE_MS }), { status: 200, text: '{"error":"no handler"}' });
});

test("an RPC reply that is too large for the outbox says so", async (t) => {
  const { server, device, client } = await start(t);
  client.onRpc(() => ({ text: "x".repeat(5000) }));
  await client.requestAttributes();
  const { text } = await post(server, `/api/rpc/twoway/${device.id}`, { method: "m", params: {}, timeout: PATIENCE_MS });
  assert.match((JSON.parse(text) as { error: string }).error, /does not fit/);
});

test("nothing is lost when the server breaks every session", async (t) => {
  const { server, device, client } = await start(t);
  const sent: Promise<void>[] = [];
  for (let sequence = 1; sequence <= 60; sequence++) {
    sent.push(client.sendTelemetry({ ts: sequence, values: { sequence } }));
    if (sequence % 20 === 0) {
      await sent[sequence - 15];
      server.faults.killSessions();
    }
  }
  await Promise.all(sent);
  assert.deepEqual(device.history.get("sequence")!.map(({ tsMs }) => tsMs), Array.from({ length: 60 }, (_, index) => index + 1));
  assert.ok(client.stats.disconnects >= 1);
});

test("telemetry above the server's rate of data points is cut and paced, so that no session ends", async (t) => {
  const server = await startServer({ mqttPort: 0, restPort: 0, rateLimits: { device: { telemetryDataPoints: "10:1" } } });
  t.after(() => server.close());
  const made = client(t, server.mqttPort, { access_token: demoDevice.token, session_limits: true });
  const events = made.events();
  await made.connect();
  await nextEvent(events, "SessionLimits");
  const values = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`key${index}`, index]));
  await made.sendTelemetry(values);
  assert.deepEqual([...server.devices.byToken(demoDevice.token)!.latest.keys()], Object.keys(values));
  assert.equal(made.stats.disconnects, 0);
});

test("the first program of the README connects, sends and answers", async (t) => {
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  const program = spawn(process.execPath, ["--import", "tsx", "host/node/first.ts", "127.0.0.1", String(server.mqttPort), demoDevice.token], {
    cwd: fileURLToPath(new URL("../../", import.meta.url)), stdio: "inherit",
  });
  t.after(() => program.kill());
  const ended = once(program, "exit");
  const { device } = await server.events.next("telemetry", (event) => event.key === "temperature", PATIENCE_MS);
  const reply = await post(server, `/api/rpc/twoway/${device.id}`, { method: "setLed", params: { on: true }, timeout: PATIENCE_MS });
  assert.deepEqual(reply, { status: 200, text: '{"ok":true}' });
  assert.deepEqual(await ended, [0, null]);
});

test("a configured rate of data points holds until the server has told its own; splitPoints comes first", async (t) => {
  const server = await startServer({ mqttPort: 0, restPort: 0, rateLimits: { device: { telemetryDataPoints: "10:1" } } });
  t.after(() => server.close());
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k${index}`, index]));
  const messages = async (configuration: object, options: ClientOptions, isTold: boolean): Promise<number> => {
    const made = client(t, server.mqttPort, { access_token: demoDevice.token, telemetry_points_rate_limit: "4:1", ...configuration }, options);
    const events = made.events();
    await made.connect();
    if (isTold) await nextEvent(events, "SessionLimits");
    let count = 0;
    await made.sendTelemetry(ten, { onAppended: () => { count++; } });
    await made.stop();
    return count;
  };
  assert.equal(await messages({ session_limits: false }, {}, false), 3);
  assert.equal(await messages({ session_limits: true }, {}, true), 1);
  assert.equal(await messages({ session_limits: true }, { splitPoints: 5 }, true), 2);
});
