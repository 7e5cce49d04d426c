// What the gateway API refuses, and how that ends by version of MQTT and server: devices, limits, faults (spec 3, 11).

import assert from "node:assert/strict";
import { telemetry, attributes, startGateway, child, latest, withChild } from "./gateway.ts";
import { connectBytes, publish, rawConnect, rawLogin, rest, test } from "./harness.ts";

test("the device limit and other refusals are PUBACK reasons; on 3.1.1 they look like success", async (t) => {
  const server = await startGateway(t, { bounds: { devices: 2 } });
  const client = await rawLogin(t, server, 5);
  client.send(
    publish("v1/gateway/connect", '{"device":"a"}', 1, 1),
    publish("v1/gateway/connect", '{"device":"b"}', 1, 2),
    publish(telemetry, '{"b":[{"p":1}],"a":[{"p":1}]}', 1, 3),
    publish("v1/gateway/attributes/request", '{"id":1,"device":"b","client":true,"key":"k"}', 1, 4),
  );
  await client.expectBytes("40 02 00 01 40 04 00 02 97 00 40 04 00 03 97 00 40 04 00 04 83 00");
  assert.deepEqual(latest(server, "a"), { p: 1n });
  const old = await rawLogin(t, server);
  old.send(publish("v1/gateway/connect", '{"device":"b"}', 1, 1), publish(telemetry, '{"a":[{"p":2}]}', 1, 2));
  await old.expectBytes("40 02 00 01 40 02 00 02");
});

test("a failure to make a device is remembered for five minutes", async (t) => {
  let nowMs = 0;
  const server = await startGateway(t, { bounds: { devices: 2 }, now: () => nowMs, inactivityTimeoutMs: 1e9 });
  const other = server.addDevice({ name: "other", token: "OTHER" });
  const client = await rawLogin(t, server, 5);
  const connect = (id: number): ReturnType<typeof publish> => publish("v1/gateway/connect", '{"device":"a"}', 1, id);
  client.send(connect(1));
  await client.expectBytes("40 04 00 01 97 00");
  // Room was made in the meantime.
  server.devices.remove(other);
  nowMs = 299_999;
  client.send(connect(2));
  await client.expectBytes("40 04 00 02 97 00");
  nowMs = 300_000;
  client.send(connect(3));
  await client.expectBytes("40 02 00 03");
});

test("a device that cannot be made for another reason is 0x80", async (t) => {
  const server = await startGateway(t);
  const client = await rawLogin(t, server, 5);
  client.send(publish("v1/gateway/connect", `{"device":"${"x".repeat(256)}"}`, 1, 1));
  await client.expectBytes("40 04 00 01 80 00");
});

test("children over the limit: by version of MQTT, QoS and server", async (t) => {
  const limits = { gateway: { telemetryMessages: "1:1000" } };
  const spend = '{"Boiler 7":[{"p":1}]}';
  const over = '{"Boiler 7":[{"over":1}]}';
  const cases: [what: string, version: 4 | 5, qos: 0 | 1, serverVersion: string, bytes: string, closes: boolean][] = [
    ["3.1.1 QoS 1: looks delivered, then closed", 4, 1, "4.4", "40 02 00 07", true],
    ["MQTT 5 QoS 1: 0x97, closed without DISCONNECT", 5, 1, "4.2.1", "40 04 00 07 97 00", true],
    ["3.1.1 QoS 0: closed", 4, 0, "4.4", "", true],
    ["MQTT 5 QoS 0: dropped in silence", 5, 0, "4.4", "", false],
    ["3.1.1 before 4.2.1: closed", 4, 1, "4.2", "", true],
  ];
  for (const [what, version, qos, serverVersion, bytes, closes] of cases) {
    const server = await startGateway(t, { serverVersion, now: () => 0 });
    const client = await withChild(t, server, version);
    server.limiter.configure(limits);
    client.send(publish(telemetry, spend, 1, 6), publish(telemetry, over, qos, 7));
    await client.expectBytes(`40 02 00 06 ${bytes}`).catch((error: Error) => assert.fail(`${what}: ${error.message}`));
    client.packets.length = 0;
    if (closes) await client.expectClose();
    else await client.expectNothing();
    assert.equal(child(server, "Boiler 7").latest.has("over"), false, what);
  }
  const server = await startGateway(t, { serverVersion: "4.2", now: () => 0 });
  const client = await withChild(t, server, 5);
  server.limiter.configure(limits);
  client.send(publish(telemetry, spend, 1, 6), publish(telemetry, over, 1, 7));
  assert.equal((await client.next()).cmd, "puback");
  const notice = await client.nextPublish();
  assert.deepEqual([notice.topic, notice.text, notice.qos], ["v1/gateway/disconnect", '{"device":"Boiler 7","reason":150}', 1]);
  client.received = Buffer.alloc(0);
  await client.expectClose();
});

test("requests and replies over the limit: PUBACK 0x97, or 0x83 at QoS 0; unknown children end with 0x8B; all close", async (t) => {
  const request = '{"id":1,"device":"Boiler 7","client":true,"key":"k"}';
  const reply = '{"device":"Boiler 7","id":0,"data":1}';
  const cases: [messages: string, packet: ReturnType<typeof publish>, goodbye: string][] = [
    ["1:1000", publish("v1/gateway/attributes/request", request), "40 04 00 07 97 00"],
    ["1:1000", publish("v1/gateway/rpc", reply), "40 04 00 07 97 00"],
    ["1:1000", publish("v1/gateway/attributes/request", request, 0), "e0 02 83 00"],
    ["1:1000", publish("v1/gateway/rpc", reply, 0), "e0 02 83 00"],
    ["1:1000", publish("v1/gateway/connect", '{"device":"new"}'), "e0 02 8b 00"],
    ["1:1000", publish(telemetry, '{"new":[{"p":1}],"Boiler 7":[{"p":1}]}'), "e0 02 8b 00"],
  ];
  for (const [messages, packet, goodbye] of cases) {
    const server = await startGateway(t, { now: () => 0 });
    const client = await withChild(t, server, 5);
    server.limiter.configure({ gateway: { messages } });
    client.send(publish("v1/gateway/rpc", '{"device":"Boiler 7","id":0,"data":1}', 1, 6), packet);
    await client.expectBytes(`40 02 00 06 ${goodbye}`);
    await client.expectClose();
    assert.equal(child(server, "Boiler 7").latest.size, 0);
  }
});

test("registering a child costs two messages; without the second it hears of nothing", async (t) => {
  const server = await startGateway(t, { now: () => 0, rateLimits: { gateway: { messages: "3:1000" }, gatewayDevice: { messages: "100:1" } } });
  const client = await rawLogin(t, server, 5);
  client.send(publish("v1/gateway/connect", '{"device":"a"}', 1, 1), publish("v1/gateway/connect", '{"device":"b"}', 1, 2));
  await client.expectBytes("40 02 00 01 40 02 00 02");
  client.packets.length = 0;
  await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${child(server, "b").id}/SHARED_SCOPE`, '{"x":1}');
  await client.expectNothing();
  await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${child(server, "a").id}/SHARED_SCOPE`, '{"x":1}');
  assert.equal((await client.nextPublish()).text, '{"device":"a","data":{"x":1}}');
  // What the gateway sends for itself has buckets of its own.
  client.send(publish("v1/devices/me/telemetry", "{}", 1, 3));
  assert.equal((await client.next()).cmd, "puback");
});

test("before 4.2.1 every device of a message has its own PUBACK", async (t) => {
  const server = await startGateway(t, { serverVersion: "4.2" });
  const client = await rawLogin(t, server);
  client.send(publish(telemetry, '{"a":[{"p":1}],"b":[{"p":1}],"c":[]}', 1, 1), publish("v1/gateway/connect", '{"device":"a"}', 1, 2));
  await client.expectBytes("40 02 00 01 40 02 00 01 40 02 00 02");
});

test("MQTT 5 at QoS 0: all is stored, and all devices but one bring a notice that means nothing", async (t) => {
  const server = await startGateway(t);
  const client = await rawLogin(t, server, 5);
  client.send(publish(telemetry, '{"a":[{"p":1}],"b":[{"p":1}]}', 0));
  const notice = await client.nextPublish();
  assert.deepEqual([notice.topic, notice.text], ["v1/gateway/disconnect", '{"device":"a","reason":129}']);
  await client.expectNothing();
  assert.deepEqual([latest(server, "a"), latest(server, "b")], [{ p: 1n }, { p: 1n }]);
  // The one that is spared is the last to be stored: with a bad entry there is none, and the bad one is not named.
  client.send(publish(telemetry, '{"a":[1],"b":[{"p":2}]}', 0));
  assert.equal((await client.nextPublish()).text, '{"device":"b","reason":129}');
  await client.expectNothing();
  const old = await rawLogin(t, server);
  old.send(publish(telemetry, '{"a":[{"p":1}],"b":[{"p":1}]}', 0));
  await old.expectNothing();
});

test("faults on gateway traffic: refused child, close on rate, lost publish, lost answer, notice", async (t) => {
  const server = await startGateway(t);
  const client = await withChild(t, server, 5);
  assert.equal((await rest(server, "POST", "/api/mote/faults", '{"refuseChild":1}')).status, 200);
  client.send(publish("v1/gateway/connect", '{"device":"new"}', 1, 2), publish("v1/gateway/connect", '{"device":"new"}', 1, 3));
  await client.expectBytes("40 04 00 02 97 00 40 02 00 03");
  client.packets.length = 0;
  await rest(server, "POST", "/api/mote/faults", '{"notifyChild":{"device":"Boiler 7","reason":128}}');
  assert.equal((await client.nextPublish()).text, '{"device":"Boiler 7","reason":128}');
  assert.ok(child(server, "Boiler 7").session !== null);
  assert.equal((await rest(server, "POST", "/api/mote/faults", '{"notifyChild":{"device":"Boiler 7"}}')).status, 400);
  server.faults.dropPublish(1);
  client.send(publish(telemetry, '{"Boiler 7":[{"lost":1}]}', 1, 4));
  server.faults.dropResponse(1);
  client.send(publish("v1/gateway/attributes/request", '{"id":1,"device":"Boiler 7","client":true,"key":"k"}', 0));
  await client.expectNothing();
  assert.equal(child(server, "Boiler 7").latest.has("lost"), false);
  server.faults.exceedRate(1);
  client.send(publish(telemetry, '{"Boiler 7":[{"over":1}]}', 1, 5));
  await client.expectBytes("40 04 00 05 97 00");
  await client.expectClose();
});

test("only connect and disconnect ask for a name; elsewhere a device without one cannot be made, and the others are stored", async (t) => {
  const server = await startGateway(t);
  const client = await rawLogin(t, server, 5);
  const cases: [topic: string, payload: string, puback: string][] = [
    [telemetry, '{"":[{"p":1}],"a":[{"p":1}]}', "80"],
    [attributes, '{"":{"p":1}}', "80"],
    ["v1/gateway/claim", '{"":{}}', "80"],
    ["v1/gateway/rpc", '{"device":"","id":0,"data":1}', "80"],
    ["v1/gateway/attributes/request", '{"id":1,"device":"","client":true,"key":"k"}', "83"],
    ["v1/gateway/connect", '{"device":"  "}', "80"],
    ["v1/gateway/connect", '{"device":"a\\u0000b"}', "80"],
  ];
  for (const [topic, payload, puback] of cases) {
    client.send(publish(topic, payload));
    await client.expectBytes(`40 04 00 07 ${puback} 00`).catch((error: Error) => assert.fail(`${topic} ${payload}: ${error.message}`));
  }
  assert.deepEqual(latest(server, "a"), { p: 1n });
  assert.deepEqual([...server.devices].map(({ name }) => name), ["gate", "a"]);
});

test("an unknown child over the limit, named before CONNACK: the exception is swallowed and holds the queue", async (t) => {
  const server = await startGateway(t, { now: () => 0, rateLimits: { gateway: { messages: "1:1000" } } });
  const client = await rawConnect(t, server, 5);
  client.send(
    connectBytes("DEMO_TOKEN", { protocolVersion: 5 }),
    publish("v1/gateway/connect", '{"device":"a"}', 1, 1),
    publish("v1/gateway/connect", '{"device":"b"}', 1, 2),
    publish("a/b", "", 1, 3),
  );
  await client.expectBytes("20 03 00 00 00 40 02 00 01");
  client.send(Buffer.from("c000", "hex"));
  await client.expectBytes("40 04 00 03 90 00 d0 00");
  client.send(publish("v1/gateway/connect", '{"device":"b"}', 1, 4));
  await client.expectBytes("e0 02 8b 00");
  await client.expectClose();
});
