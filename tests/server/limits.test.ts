// Rate limits: what spends tokens, how they refill, what happens past them, and what getSessionLimits says (spec 2.6, 2.7, 5, 11.30).

import assert from "node:assert/strict";
import type { ServerOptions } from "../../host/server/server.ts";
import { connectBytes, onlyDevice, publish, rawConnect, rawLogin, rest, start, subscribe, test } from "./harness.ts";

const telemetry = "v1/devices/me/telemetry";
const attributes = "v1/devices/me/attributes";

/** A server whose clock stands until the test moves it. */
async function startAt(t: Parameters<typeof start>[0], options: ServerOptions) {
  const clock = { ms: 1_000_000 };
  const server = await start(t, { now: () => clock.ms, ...options });
  return { server, clock };
}

test("telemetry and attributes spend one message and their data points; past the limit nothing is stored and the connection closes", async (t) => {
  const limits = { telemetryMessages: "3:30", telemetryDataPoints: "100:1,8:60" };
  const { server, clock } = await startAt(t, { rateLimits: { device: limits } });
  const device = onlyDevice(server);
  for (const [version, goodbye] of [[4, ""], [5, "e0 02 83 00"]] as const) {
    server.limiter.configure({ device: limits });
    const client = await rawLogin(t, server, version);
    client.send(publish(telemetry, '[{"a":1,"b":2},{"a":3,"n":null}]', 1, 1), publish(attributes, '{"c":1}', 1, 2), publish(telemetry, '{"d":1}', 1, 3));
    await client.expectBytes("40 02 00 01 40 02 00 02 40 02 00 03");
    client.send(publish(telemetry, "{}", 1, 4), publish(telemetry, `{"over${version}":1}`, 1, 5));
    await client.expectBytes(`40 02 00 04 ${goodbye}`);
    await client.expectClose();
    assert.equal(device.latest.has(`over${version}`), false);
  }
  // One message comes back every ten seconds; of the eight data points three are left, and one more every 7.5 s.
  clock.ms += 9_999;
  const early = await rawLogin(t, server);
  early.send(publish(telemetry, '{"e":1}', 1, 1));
  await early.expectClose();
  clock.ms += 1;
  const later = await rawLogin(t, server);
  later.send(publish(telemetry, '{"e":1,"f":1,"g":1}', 1, 1), publish(telemetry, '{"h":1}', 1, 2));
  await later.expectBytes("40 02 00 01");
  await later.expectClose();
});

test("more data points than the bucket holds never pass", async (t) => {
  const { server, clock } = await startAt(t, { rateLimits: { device: { telemetryDataPoints: "3:1" } } });
  clock.ms += 3_600_000;
  const client = await rawLogin(t, server);
  client.send(publish(telemetry, '{"a":1,"b":1,"c":1,"d":1}'));
  await client.expectClose();
});

test("everything else is a message: connecting and going, filters, requests, replies", async (t) => {
  const { server } = await startAt(t, { rateLimits: { device: { messages: "100:1" } } });
  const cases: [what: string, count: number, packets: Parameters<Awaited<ReturnType<typeof rawLogin>>["send"]>][] = [
    ["subscribe", 2, [subscribe(1, [attributes, 1], ["v1/devices/me/rpc/request/+", 1], ["v1/devices/me/rpc/response/+", 1])]],
    ["unsubscribe", 1, [subscribe(1, ["v2/a/res/+", 1]), { cmd: "unsubscribe", messageId: 2, unsubscriptions: ["v2/a"] }, subscribe(3, ["v2/a", 1])]],
    ["attribute request", 1, [publish(`${attributes}/request/1`, "{}")]],
    ["RPC reply", 1, [publish("v1/devices/me/rpc/response/9", "{}")]],
    ["claim", 1, [publish("v1/devices/me/claim", "")]],
    ["client RPC", 1, [publish("v1/devices/me/rpc/request/9", '{"method":"m"}')]],
    ["empty telemetry", 2, [publish(telemetry, "{}", 1, 1), publish(telemetry, '{"a":null}', 1, 2)]],
    ["free of charge", 0, [publish("a/b", ""), publish("v1/devices/me/rpc/request/9", '{"method":"getSessionLimits"}', 1, 8), { cmd: "pingreq" }]],
    ["OTA without a package", 1, [publish("v2/fw/request/1/chunk/0", "1")]],
  ];
  for (const [what, count, packets] of cases) {
    // Exactly enough for CONNECT, the packets and the goodbye: one more session would be too many.
    server.limiter.configure({ device: { messages: `${count + 2}:1000` } });
    const client = await rawLogin(t, server);
    client.send(...packets);
    const ended = server.events.next("disconnected");
    client.send({ cmd: "disconnect" });
    await ended;
    const refused = await rawConnect(t, server);
    refused.send(connectBytes());
    await refused.expectBytes("20 02 00 03").catch((error: Error) => assert.fail(`${what} cost less: ${error.message}`));
    server.limiter.configure({ device: { messages: `${count + 3}:1000` } });
    const again = await rawLogin(t, server);
    again.send(...packets);
    const endedAgain = server.events.next("disconnected");
    again.send({ cmd: "disconnect" });
    await endedAgain;
    await rawLogin(t, server).catch((error: Error) => assert.fail(`${what} cost more: ${error.message}`));
    const gone = server.events.next("disconnected");
    server.faults.killSessions();
    await gone;
  }
});

test("a CONNECT over the limit is refused with 3, and 0x9F on MQTT 5", async (t) => {
  const { server } = await startAt(t, { rateLimits: { tenant: { messages: "1:1" } } });
  await rawLogin(t, server);
  const cases = [[4, "20 02 00 03"], [5, "20 03 00 9f 00 e0 02 96 00"]] as const;
  for (const [protocolVersion, bytes] of cases) {
    const client = await rawConnect(t, server, protocolVersion);
    client.send(connectBytes("DEMO_TOKEN", { protocolVersion }));
    await client.expectBytes(bytes);
    await client.expectClose();
  }
});

test("a subscription over the limit is granted in SUBACK and dropped in silence", async (t) => {
  const { server } = await startAt(t, { rateLimits: { device: { messages: "2:1" } } });
  const client = await rawLogin(t, server);
  client.send(subscribe(1, ["v1/devices/me/rpc/request/+", 1], [attributes, 1]));
  await client.expectBytes("90 04 00 01 01 01");
  client.packets.length = 0;
  const path = `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}/SHARED_SCOPE`;
  await rest(server, "POST", path, '{"rate":1}');
  await client.expectNothing();
  await rest(server, "POST", `/api/rpc/oneway/${onlyDevice(server).id}`, '{"method":"m"}');
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/rpc/request/0");
});

test("getSessionLimits answers what is configured; an older server lets it time out", async (t) => {
  const limits = { messages: "20:1,600:60", telemetryMessages: "10:1", telemetryDataPoints: "" };
  const { server } = await startAt(t, { rateLimits: { device: limits } });
  const ask = publish("v1/devices/me/rpc/request/1", '{"method":"getSessionLimits","params":{}}', 0);
  const client = await rawLogin(t, server);
  client.send(ask);
  assert.deepEqual(JSON.parse((await client.nextPublish()).text), {
    maxPayloadSize: 65536,
    maxInflightMessages: 100,
    rateLimits: { messages: "20:1,600:60", telemetryMessages: "10:1", telemetryDataPoints: null },
  });
  server.limiter.configure({ gateway: { messages: "5:1" }, gatewayDevice: { messages: "7:1" } });
  server.addDevice({ name: "gate", token: "GATE", isGateway: true });
  const gateway = await rawConnect(t, server);
  gateway.send(connectBytes("GATE"), ask);
  assert.equal((await gateway.next()).cmd, "connack");
  const none = { messages: null, telemetryMessages: null, telemetryDataPoints: null };
  const { rateLimits, gatewayRateLimits } = JSON.parse((await gateway.nextPublish()).text);
  assert.deepEqual([rateLimits, gatewayRateLimits], [{ ...none, messages: "7:1" }, { ...none, messages: "5:1" }]);
  const old = await start(t, { serverVersion: "3.7.2", clientRpcTimeoutMs: 20 });
  const oldClient = await rawLogin(t, old);
  oldClient.send(ask);
  assert.equal((await oldClient.nextPublish()).text, '{"error":"timeout"}');
});

test("limits over REST: read, replaced, and a wrong one is named", async (t) => {
  const server = await start(t);
  const post = (body: string): Promise<{ status: number; text: string }> => rest(server, "POST", "/api/mote/limits", body);
  const wrong: [body: string, name: RegExp][] = [
    ['{"device":{"messages":"20"}}', /device\.messages.*20:1,600:60/],
    ['{"device":{"messages":"20:0"}}', /device\.messages/],
    ['{"device":{"messages":20}}', /device\.messages/],
    ['{"device":{"points":"1:1"}}', /device\.points/],
    ['{"devices":{}}', /devices/],
    ['{"device":"1:1"}', /device/],
    ["[]", /object/],
  ];
  for (const [body, name] of wrong) {
    const { status, text } = await post(body);
    assert.equal(status, 400, body);
    assert.match(text, name);
  }
  assert.equal((await post('{"device":{"messages":"2:1","telemetryMessages":null},"gateway":null}')).status, 200);
  const limits = JSON.parse((await rest(server, "GET", "/api/mote/limits")).text);
  assert.deepEqual([limits.device.messages, limits.device.telemetryMessages, limits.tenant.messages], ["2:1", null, null]);
  await post("{}");
  assert.equal(JSON.parse((await rest(server, "GET", "/api/mote/limits")).text).device.messages, null);
  await assert.rejects(start(t, { rateLimits: { device: { messages: "x" } } }), /device\.messages/);
  await assert.rejects(start(t, { serverVersion: "four" }), /server version/);
});
