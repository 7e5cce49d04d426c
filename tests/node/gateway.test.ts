// The gateway against the local server: children, their data, RPC and attributes, and what a reconnect must bring back.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { FullError, GatewayClient, RequestTimeoutError, TooLargeError, type Configuration } from "../../host/node/index.ts";
import { startServer, type LocalServer, type ServerOptions } from "../../host/server/server.ts";
import { freePort } from "../behaviour/harness.ts";
import { listen, nextEvent, PATIENCE_MS, withStatus } from "./harness.ts";

const TOKEN = "GATEWAY_TOKEN";

function gateway(t: TestContext, port: number, configuration: Partial<Configuration> = {}): GatewayClient {
  const made = new GatewayClient({
    mqtt_host: "127.0.0.1", mqtt_port: port, access_token: TOKEN, rpc: false, shared_attributes: false, session_limits: false, ignore_missing_features: true,
    reconnect_min_ms: 1, reconnect_max_ms: 20, send_buffer: 4096, staging_buffer: 4096, receive_buffer: 1024, children_buffer: 4096, ...configuration,
  });
  t.after(() => made.stop());
  return made;
}

async function start(
  t: TestContext, configuration: Partial<Configuration> = {}, options: Partial<ServerOptions> = {},
): Promise<{ server: LocalServer; gateway: GatewayClient }> {
  const server = await startServer({ mqttPort: 0, restPort: 0, ...options });
  t.after(() => server.close());
  server.addDevice({ name: "gate", token: TOKEN, isGateway: true });
  const made = gateway(t, server.mqttPort, configuration);
  await made.connect();
  return { server, gateway: made };
}

function child(server: LocalServer, name: string): NonNullable<ReturnType<LocalServer["devices"]["byName"]>> {
  const device = server.devices.byName(name);
  assert.ok(device, `no device ${name}`);
  return device;
}

async function post(server: LocalServer, path: string, body: unknown): Promise<string> {
  const response = await fetch(`${server.restUrl}${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return response.text();
}

test("a child is made with its type, sends telemetry and attributes, and goes", async (t) => {
  const { server, gateway } = await start(t);
  const boiler = await gateway.connectChild('Boiler "7" ä', "boiler");
  assert.equal(child(server, 'Boiler "7" ä').type, "boiler");
  await boiler.sendTelemetry({ ts: 1760000000000, values: { p: 2.5 } });
  await boiler.sendTelemetry([{ q: 1 }, { ts: new Date(5), values: { q: 2 } }]);
  await boiler.sendAttributes({ sn: "A77" });
  const device = child(server, boiler.name);
  assert.deepEqual(device.latest.get("p"), { tsMs: 1760000000000, value: { type: "double", value: 2.5 } });
  assert.deepEqual(device.history.get("q")!.map(({ value }) => Number((value as { value: bigint }).value)).sort(), [1, 2]);
  assert.deepEqual(await boiler.requestAttributes({ scope: "client", keys: ["sn"] }), { sn: "A77" });
  assert.deepEqual([...gateway.children()], [boiler]);
  assert.equal(await gateway.connectChild(boiler.name), boiler);
  await gateway.disconnectChild(boiler.name);
  assert.equal(gateway.child(boiler.name), undefined);
  assert.equal(device.session, null);
});

test("telemetry of more children than the limits let pass at once goes in several messages, and all of it is stored", async (t) => {
  const limits = { telemetryMessages: "20:1", messages: "50:1" };
  const server = await startServer({ mqttPort: 0, restPort: 0, rateLimits: { gateway: limits } });
  t.after(() => server.close());
  server.addDevice({ name: "gate", token: TOKEN, isGateway: true });
  const made = gateway(t, server.mqttPort, { session_limits: true });
  const told = nextEvent(made.events(), "SessionLimits");
  await made.connect();
  await told;
  const names = Array.from({ length: 45 }, (_, index) => `child ${index}`);
  await made.sendChildTelemetry(names.map((name, index) => [name, [{ n: index }]]));
  await made.sendChildAttributes(names.map((name, index) => [name, { m: index }]));
  for (const [index, name] of names.entries()) {
    assert.deepEqual(child(server, name).latest.get("n")?.value, { type: "long", value: BigInt(index) }, name);
    assert.deepEqual(child(server, name).attributes.CLIENT_SCOPE.get("m")?.value, { type: "long", value: BigInt(index) }, name);
  }
});

test("latencies of a connector reach the gateway's own telemetry", async (t) => {
  const { server, gateway } = await start(t, {}, { gatewayMetricsIntervalMs: 20 });
  const boiler = await gateway.connectChild("boiler");
  const report = server.events.next("telemetry", ({ key }) => key === "gatewayMetrics");
  await boiler.sendTelemetry({ ts: 1000, values: { p: 1 }, metadata: { connector: "modbus", receivedTs: 1000, publishedTs: new Date(1250) } });
  const { device, value } = await report;
  assert.equal(device.name, "gate");
  assert.equal(value.type === "json" && (JSON.parse(value.text) as { modbus: { avgGwLatency: number } }).modbus.avgGwLatency, 250);
  assert.deepEqual([...child(server, "boiler").latest.keys()], ["p"]);
});

test("attribute requests: one key, several, none found, no answer", async (t) => {
  const { server, gateway } = await start(t);
  const one = await gateway.connectChild("one");
  await post(server, `/api/plugins/telemetry/DEVICE/${child(server, "one").id}/attributes/SHARED_SCOPE`, { setpoint: 60, mode: "eco" });
  assert.deepEqual(await one.requestAttributes({ scope: "shared", keys: ["setpoint"] }), { setpoint: 60 });
  assert.deepEqual(await one.requestAttributes({ scope: "shared", keys: ["setpoint", "mode"] }), { setpoint: 60, mode: "eco" });
  assert.deepEqual(await one.requestAttributes({ scope: "client", keys: ["setpoint"] }), {});
  await assert.rejects(one.requestAttributes({ scope: "shared", keys: [] }), withStatus("InvalidValue"));
  server.faults.dropResponse();
  await assert.rejects(one.requestAttributes({ scope: "shared", keys: ["mode"], timeoutMs: 50 }), RequestTimeoutError);
});

test("an answer that does not say whose value it has is none to a question for two", async (t) => {
  const broker = await listen(t);
  const made = gateway(t, broker.port);
  await made.connect();
  const link = await broker.link();
  const child = await made.connectChild("c");
  for (const [id, keys] of [[1, ["a"]], [2, ["a", "b"]]] as const) {
    const asked = child.requestAttributes({ scope: "shared", keys });
    link.publish("v1/gateway/attributes/response", `{"id":${id},"device":"c","value":7}`);
    if (keys.length === 1) assert.deepEqual(await asked, { a: 7 });
    else await assert.rejects(asked, withStatus("Malformed"));
  }
});

test("shared attributes and RPC find their child, and those who listen for all", async (t) => {
  const { server, gateway } = await start(t);
  const [one, two] = await Promise.all([gateway.connectChild("one"), gateway.connectChild("two")]);
  const ofOne = one!.subscribeAttributes(["rate"]);
  const all = gateway.childAttributes();
  const write = (name: string, values: object): Promise<string> =>
    post(server, `/api/plugins/telemetry/DEVICE/${child(server, name).id}/attributes/SHARED_SCOPE`, values);
  await write("two", { rate: 1 });
  await write("one", { mode: "x" });
  await write("one", { rate: 2 });
  assert.deepEqual((await all.next()).value, { child: "two", values: { rate: 1 }, deleted: [] });
  assert.deepEqual((await ofOne.next()).value, { values: { rate: 2 }, deleted: [] });
  ofOne.unsubscribe();
  assert.equal((await ofOne.next()).done, true);

  one!.onRpc(({ method, params }) => ({ by: "one", method, params }));
  gateway.onChildRpc(({ child: name }) => ({ by: name }));
  const call = (name: string): Promise<string> =>
    post(server, `/api/rpc/twoway/${child(server, name).id}`, { method: "purge", params: { s: 5 }, timeout: PATIENCE_MS });
  assert.equal(await call("one"), '{"by":"one","method":"purge","params":{"s":5}}');
  assert.equal(await call("two"), '{"by":"two"}');
  gateway.onChildRpc(null);
  two!.onRpc(() => { throw new Error("stuck"); });
  assert.equal(await call("two"), '{"error":"stuck"}');
  two!.onRpc(null);
  assert.equal(await call("two"), '{"error":"no handler"}');
});

test("RPC to children by iteration, with the reply when it suits, and the end of a child as an event", async (t) => {
  const broker = await listen(t);
  const made = gateway(t, broker.port);
  await made.connect();
  const link = await broker.link();
  const requests = made.childRpcRequests();
  const events = made.events();
  link.publish("v1/gateway/rpc", '{"device":"one","data":{"id":0,"method":"purge","params":{"s":5}}}');
  link.publish("v1/gateway/rpc", '{"device":"two","data":{"id":3,"method":"stop","params":null}}');
  const [first, second] = [(await requests.next()).value!, (await requests.next()).value!];
  assert.deepEqual([first.child, first.method, first.params, second.child, second.method, second.params], ["one", "purge", { s: 5 }, "two", "stop", null]);
  await second.reply("stopped");
  await first.reply({ done: true });
  const replies = link.of("publish").filter(({ topic }) => topic === "v1/gateway/rpc").map(({ payload }) => JSON.parse(payload.toString()) as unknown);
  assert.deepEqual(replies, [{ device: "two", id: 3, data: "stopped" }, { device: "one", id: 0, data: { done: true } }]);
  link.publish("v1/gateway/disconnect", '{"device":"one","reason":150}');
  const { child: name, reason } = await nextEvent(events, "ChildDisconnected");
  assert.deepEqual([name, reason], ["one", 150]);
});

test("what the server allows the gateway and its children is there to read, and a gateway speaks for itself as a device does", async (t) => {
  const { server, gateway: made } = await start(t, { session_limits: true }, { rateLimits: { gatewayDevice: { messages: "7:1" }, gateway: { telemetryMessages: "5:1" } } });
  if (made.sessionLimits === null) await nextEvent(made.events(), "SessionLimits");
  assert.equal(made.sessionLimits!.rateLimits.messages, "7:1");
  assert.equal(made.sessionLimits!.gatewayRateLimits!.telemetryMessages, "5:1");
  await made.sendAttributes({ own: 1 });
  assert.deepEqual(child(server, "gate").attributes.CLIENT_SCOPE.get("own")?.value, { type: "long", value: 1n });
});

test("after a reconnect children are there again, their RPC answered, and keys asked for that changed meanwhile", async (t) => {
  const { server, gateway } = await start(t);
  const one = await gateway.connectChild("one", "t");
  one.onRpc(() => 1);
  const updates = one.subscribeAttributes(["rate"]);
  const events = gateway.events();
  server.faults.killSessions();
  await nextEvent(events, "Disconnected");
  await nextEvent(events, "Connected");
  await post(server, `/api/plugins/telemetry/DEVICE/${child(server, "one").id}/attributes/SHARED_SCOPE`, { rate: 7 });
  assert.deepEqual((await updates.next()).value, { values: { rate: 7 }, deleted: [] });
  assert.equal(await post(server, `/api/rpc/twoway/${child(server, "one").id}`, { method: "m", params: {}, timeout: PATIENCE_MS }), "1");
});

test("a child that was connected before there is a connection is announced by the first one", async (t) => {
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  server.addDevice({ name: "gate", token: TOKEN, isGateway: true });
  const made = gateway(t, server.mqttPort);
  const one = await made.connectChild("one", "meter");
  await made.connect();
  await one.sendTelemetry({ a: 1 });
  assert.equal(child(server, "one").type, "meter");
  assert.ok(child(server, "one").latest.has("a"));
});

test("children that were connected before the server was there: their table is bounded, and all of it is announced", async (t) => {
  const port = await freePort();
  // Each child takes the bytes of {"device":"child N"} and two more.
  const made = gateway(t, port, { children_buffer: 3 * (20 + 2) });
  made.start();
  for (const name of ["child 1", "child 2", "child 3"]) await made.connectChild(name);
  const tooMany = withStatus("Full", FullError);
  await assert.rejects(made.connectChild("child 4"), (error) => tooMany(error) && (error as FullError).text === "children_buffer");
  assert.equal(made.child("child 4"), undefined);
  // Nobody waits behind a child that there is no room for.
  const sent = made.child("child 1")!.sendTelemetry({ a: 1 });
  await made.disconnectChild("child 2");
  await made.connectChild("child 5");
  const server = await startServer({ mqttPort: port, restPort: 0 });
  t.after(() => server.close());
  server.addDevice({ name: "gate", token: TOKEN, isGateway: true });
  await sent;
  await made.connectChild("child 6").catch(() => {});
  await made.child("child 5")!.sendTelemetry({ b: 1 });
  assert.deepEqual(["child 1", "child 2", "child 3", "child 4", "child 5", "child 6"].map((name) => server.devices.byName(name)?.session != null),
    [true, false, true, false, true, false]);
});

test("what does not fit receive_buffer is told, and ends the request that it answers", async (t) => {
  const { server, gateway } = await start(t, { receive_buffer: 256 });
  const one = await gateway.connectChild("one");
  const events = gateway.events();
  await post(server, `/api/plugins/telemetry/DEVICE/${child(server, "one").id}/attributes/SHARED_SCOPE`, { large: "x".repeat(300) });
  assert.equal((await nextEvent(events, "MessageTooLarge")).topic, "v1/gateway/attributes");
  await assert.rejects(one.requestAttributes({ scope: "shared", keys: ["large"] }), withStatus("TooLarge", TooLargeError));
  one.onRpc(() => { throw new Error("it never came"); });
  const answer = post(server, `/api/rpc/twoway/${child(server, "one").id}`, { method: "m", params: "x".repeat(300), timeout: 5000 });
  const { topic, bytesNeeded } = await nextEvent(events, "MessageTooLarge");
  assert.equal(topic, "v1/gateway/attributes/response", "of the request above");
  const request = await nextEvent(events, "MessageTooLarge");
  assert.equal(request.topic, "v1/gateway/rpc");
  assert.ok(bytesNeeded > 300 && request.bytesNeeded > 300);
  await answer;
  assert.equal(gateway.state, "Connected");
});

test("telemetry of many children is cut by bytes, never with an empty list", async (t) => {
  const broker = await listen(t);
  const made = gateway(t, broker.port, { send_buffer: 600 });
  await made.connect();
  const link = await broker.link();
  await made.sendChildTelemetry(Array.from({ length: 40 }, (_, index) => [`child ${index}`, index % 5 === 0 ? [] : [{ index }, { text: "x".repeat(20) }]] as const));
  const messages = link.of("publish").filter(({ topic }) => topic.endsWith("/telemetry")).map(({ payload }) => JSON.parse(payload.toString()) as Record<string, object[]>);
  assert.ok(messages.length > 1);
  assert.ok(messages.every((message) => Object.values(message).every(({ length }) => length > 0)));
  const names = new Set(messages.flatMap((message) => Object.keys(message)));
  assert.equal(names.size, 32);
  for (const name of names) assert.deepEqual(messages.flatMap((message) => message[name] ?? []), [{ index: Number(name.slice(6)) }, { text: "x".repeat(20) }]);
  await assert.rejects(made.sendChildTelemetry([["a", []]]), withStatus("InvalidValue"));
});

test("a child claims by its own name", async (t) => {
  const broker = await listen(t);
  const made = gateway(t, broker.port);
  await made.connect();
  const link = await broker.link();
  await (await made.connectChild("Boiler 7")).claim({ secretKey: "k", durationMs: 60000 });
  const claim = link.of("publish").at(-1)!;
  assert.deepEqual([claim.topic, claim.payload.toString()], ["v1/gateway/claim", '{"Boiler 7":{"secretKey":"k","durationMs":60000}}']);
});

test("1,000 children connect, and all are announced again after a reconnect", { timeout: 120_000 }, async (t) => {
  const { server, gateway } = await start(t, { children_buffer: 65536, send_buffer: 16384 });
  const names = Array.from({ length: 1000 }, (_, index) => `meter ${index}`);
  await Promise.all(names.map((name) => gateway.connectChild(name, "meter")));
  const events = gateway.events();
  server.faults.killSessions();
  await nextEvent(events, "Disconnected");
  await nextEvent(events, "Connected");
  await Promise.all(names.map((name, index) => gateway.child(name)!.sendTelemetry({ index })));
  const last = gateway.child("meter 999")!;
  last.onRpc(() => "here");
  assert.equal(await post(server, `/api/rpc/twoway/${child(server, last.name).id}`, { method: "m", params: {}, timeout: PATIENCE_MS }), '"here"');
  for (const name of names) assert.ok(child(server, name).latest.has("index"), name);
  assert.equal([...gateway.children()].length, 1000);
});
