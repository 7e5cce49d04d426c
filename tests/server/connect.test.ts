// CONNECT and CONNACK: codes, session-present, silent closes, the queue before CONNACK, takeover, idle close (spec 1.1 to 1.4).

import assert from "node:assert/strict";
import type { Packet } from "mqtt-packet";
import { startServer } from "../../host/server/server.ts";
import { connectBytes, mqttJs, onlyDevice, publish, rawConnect, rawLogin, start, subscribe, test } from "./harness.ts";

test("CONNACK of MQTT 3.1 and 3.1.1 follows the table of spec 1.3", async (t) => {
  const server = await start(t);
  const cases: [string, Buffer, string][] = [
    ["token, clean", connectBytes(), "20 02 00 00"],
    ["token, not clean: session-present", connectBytes("DEMO_TOKEN", { clean: false }), "20 02 01 00"],
    ["password and client id are ignored", connectBytes("DEMO_TOKEN", { password: "x", clientId: "y" }), "20 02 00 00"],
    ["MQTT 3.1", connectBytes("DEMO_TOKEN", { protocolId: "MQIsdp", protocolVersion: 3 }), "20 02 00 00"],
    ["unknown token", connectBytes("WRONG"), "20 02 00 05"],
    ["unknown token, not clean", connectBytes("WRONG", { clean: false }), "20 02 01 05"],
    ["unknown token and password", connectBytes("WRONG", { password: "x" }), "20 02 00 05"],
    ["client id only", connectBytes(null), "20 02 00 02"],
    ["nothing", connectBytes(null, { clientId: "" }), "20 02 00 05"],
    // An empty user name was given all the same; only one that is absent makes it a matter of the client id.
    ["empty user name", Buffer.from("100f00044d5154540482003c000163 0000".replaceAll(" ", ""), "hex"), "20 02 00 05"],
    ["empty user name and password", Buffer.from("101200044d51545404c2003c000163 0000 000178".replaceAll(" ", ""), "hex"), "20 02 00 05"],
    ["blank client id", connectBytes(null, { clientId: "  " }), "20 02 00 05"],
    ["password without user name", Buffer.from("101000044d5154540442003c000163000178", "hex"), "20 02 00 05"],
  ];
  for (const [name, connect, connack] of cases) {
    const client = await rawConnect(t, server);
    client.send(connect);
    await client.expectBytes(connack).catch((error: Error) => assert.fail(`${name}: ${error.message}`));
    if (!connack.endsWith("00")) await client.expectClose();
    client.socket.destroy();
  }
});

test("a CONNECT that cannot be decoded closes the connection without a byte", async (t) => {
  const server = await start(t);
  const cases: [string, string | Buffer][] = [
    ["level 6", "100d00044d51545406020000000163"],
    ["wrong protocol name", "100d00044d51545804020000000163"],
    ["MQIsdp with level 4", "100f00064d514973647004020000000163"],
    ["reserved flag", "100d00044d51545404030000000163"],
    ["3.1 client id of 24 characters", connectBytes("DEMO_TOKEN", { protocolId: "MQIsdp", protocolVersion: 3, clientId: "a".repeat(24) })],
  ];
  for (const [name, bytes] of cases) {
    const client = await rawConnect(t, server);
    client.send(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, "hex"));
    await client.expectClose().catch((error: Error) => assert.fail(`${name}: ${error.message}`));
  }
});

test("what is sent before CONNACK is handled after it, in order", async (t) => {
  const server = await start(t);
  const client = await rawConnect(t, server);
  client.send(
    subscribe(1, ["v1/devices/me/attributes", 1]),
    connectBytes(),
    publish("v1/devices/me/telemetry", '{"a":1}', 1, 2),
    subscribe(3, ["v1/devices/me/rpc/request/+", 1]),
    publish("v1/devices/me/telemetry", '{"a":2}', 1, 4),
  );
  await client.expectBytes("20 02 00 00   90 03 00 01 01   40 02 00 02   90 03 00 03 01   40 02 00 04");
  assert.deepEqual(onlyDevice(server).latest.get("a")?.value, { type: "long", value: 2n });
});

test("the queue before CONNACK holds 100 packets; one more closes the connection", async (t) => {
  const server = await start(t);
  const pings = (count: number): Buffer => Buffer.from("c000".repeat(count), "hex");
  const patient = await rawConnect(t, server);
  patient.send(pings(100), connectBytes());
  await patient.expectBytes("20 02 00 00" + "d0 00".repeat(100));
  const hasty = await rawConnect(t, server);
  hasty.send(pings(101), connectBytes());
  await hasty.expectClose();
});

test("a Remaining Length of 65,536 passes and 65,537 closes the connection", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  const topic = "v1/devices/me/telemetry";
  const body = (remainingLength: number): string => `{"k":"${"x".repeat(remainingLength - 2 - topic.length - 2 - 8)}"}`;
  client.send(publish(topic, body(65_536), 1, 1));
  await client.expectBytes("40 02 00 01");
  client.send(publish(topic, body(65_537), 1, 2));
  await client.expectClose();
});

test("a second connection takes the device over and the older one is closed", async (t) => {
  const server = await start(t);
  const older = await rawLogin(t, server);
  const newer = await rawLogin(t, server);
  await older.expectClose();
  newer.send(publish("v1/devices/me/telemetry", '{"a":1}'));
  await newer.expectBytes("40 02 00 07");
});

test("a second CONNECT on one connection is a new login", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(connectBytes("DEMO_TOKEN", { clean: false }), publish("v1/devices/me/telemetry", "{}"));
  await client.expectBytes("20 02 01 00   40 02 00 07");
  client.send(connectBytes("WRONG"));
  await client.expectBytes("20 02 00 05");
  await client.expectClose();
});

test("a session without activity is closed, whatever keep-alive it asked for", async (t) => {
  let nowMs = 1_000_000;
  const server = await start(t, { now: () => nowMs, inactivityTimeoutMs: 600_000, inactivityCheckMs: 10 });
  const client = await rawLogin(t, server);
  nowMs += 599_000;
  await client.expectNothing();
  nowMs += 599_000;
  client.send(publish("nobody/knows", "x"));
  await client.expectBytes("40 02 00 07");
  assert.equal(client.isClosed, false);
  const gone = server.events.next("disconnected");
  nowMs += 1_000;
  assert.equal((await gone).cause, "no activity");
  await client.expectClose();
});

test("events tell of logins, refusals and goodbyes", async (t) => {
  const server = await start(t);
  const connected = server.events.next("connected");
  const client = await mqttJs(t, server, { clientId: "bench-7" });
  const event = await connected;
  assert.deepEqual([event.device.name, event.clientId, event.protocolVersion], ["Demo device", "bench-7", 4]);
  const disconnected = server.events.next("disconnected");
  await client.endAsync();
  assert.equal((await disconnected).cause, "the client disconnected");
  const refused = server.events.next("refused");
  await assert.rejects(mqttJs(t, server, { username: "WRONG" }), /Not authorized/);
  assert.deepEqual([(await refused).what, (await refused).reason], ["connect", "unknown access token"]);
});

test("thousands of packets in one write are all answered, in order", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  const count = 3000;
  client.send(...Array.from({ length: count }, (_, i) => publish("v1/devices/me/telemetry", `{"n":${i}}`, 1, i + 1)));
  const acks = Array.from({ length: count }, (_, i) => `4002${(i + 1).toString(16).padStart(4, "0")}`);
  await client.expectBytes(acks.join(""));
});

test("a taken port is an error, and nothing stays behind", async (t) => {
  const server = await start(t);
  await assert.rejects(startServer({ mqttPort: 0, restPort: server.restPort }), { code: "EADDRINUSE" });
  await assert.rejects(startServer({ mqttPort: server.mqttPort, restPort: 0 }), { code: "EADDRINUSE" });
});

test("the log says what it is, and warns when it is not on loopback", async (t) => {
  const lines: string[] = [];
  const server = await start(t, { log: (line) => lines.push(line) });
  assert.match(lines.join(), new RegExp(`^Development server.*${server.mqttUrl}.*${server.restUrl}$`));
  await start(t, { host: "0.0.0.0", log: (line) => lines.push(line) });
  assert.match(lines.at(-1) ?? "", /0\.0\.0\.0/);
});

test("connections that say nothing, half a packet or no MQTT do not keep others waiting", async (t) => {
  const server = await start(t);
  // "GET /" begins like a PUBACK of 69 bytes.
  const texts = ["", "\x10", "\x10\x0d\0\x04MQTT\x04\x02", "GET / HTTP/1.1\r\n\r\n"];
  const quiet = await Promise.all(texts.map(async (text) => {
    const client = await rawConnect(t, server);
    client.send(Buffer.from(text, "latin1"));
    return client;
  }));
  const device = await rawLogin(t, server);
  await device.expectNothing();
  for (const client of quiet) assert.deepEqual([client.isClosed, client.received.length], [false, 0]);
});

test("MQTT 5: more than 100 packets between CONNECT and CONNACK are told as 0x97", async (t) => {
  const server = await start(t);
  const client = await rawConnect(t, server, 5);
  client.send(connectBytes("DEMO_TOKEN", { protocolVersion: 5 }), Buffer.from("c000".repeat(101), "hex"));
  await client.expectBytes("e0 02 97 00");
  await client.expectClose();
});

test("what holds off the idle close, and what does not", async (t) => {
  let nowMs = 0;
  const server = await start(t, { now: () => nowMs, inactivityTimeoutMs: 600_000, inactivityCheckMs: 5 });
  const silentDevice = server.addDevice({ name: "silent", token: "SILENT" });
  const image = server.packages.add({ type: "FIRMWARE", title: "app", version: "1", tag: null, url: null });
  server.packages.upload(image, Buffer.from("123"), "CRC32");
  server.assignPackage(onlyDevice(server), "FIRMWARE", image);
  const telemetry = "v1/devices/me/telemetry";
  const rpcFilter = "v1/devices/me/rpc/request/+";
  const cases: [what: string, holds: boolean, packet: Packet][] = [
    ["PINGREQ", true, { cmd: "pingreq" }],
    ["SUBSCRIBE", true, subscribe(9, [rpcFilter, 1])],
    ["SUBSCRIBE that is refused", true, subscribe(9, ["#", 1])],
    ["UNSUBSCRIBE", true, { cmd: "unsubscribe", messageId: 9, unsubscriptions: ["v2/a"] }],
    ["telemetry", true, publish(telemetry, '{"a":1}')],
    ["an attribute request", true, publish("v1/devices/me/attributes/request/1", "{}")],
    ["a late RPC reply", true, publish("v1/devices/me/rpc/response/99", "{}")],
    ["a client-side RPC", true, publish("v1/devices/me/rpc/request/1", '{"method":"m"}')],
    ["a claim", true, publish("v1/devices/me/claim", "")],
    ["getSessionLimits", false, publish("v1/devices/me/rpc/request/1", '{"method":"getSessionLimits"}')],
    ["an OTA chunk request", false, publish("v2/fw/request/1/chunk/0", "3")],
    ["a rejected publish", false, publish(telemetry, "{")],
    ["the first PUBACK of an RPC", true, { cmd: "puback", messageId: 1 }],
    ["another PUBACK", false, { cmd: "puback", messageId: 77 }],
  ];
  for (const [what, holds, packet] of cases) {
    nowMs += 10_000_000;
    const [client, silent] = [await rawConnect(t, server, 5), await rawConnect(t, server)];
    silent.send(connectBytes("SILENT"));
    await silent.expectBytes("20 02 00 00");
    client.send(connectBytes("DEMO_TOKEN", { protocolVersion: 5 }));
    await client.expectBytes("20 03 00 00 00");
    client.packets.length = 0;
    const { rpcs } = onlyDevice(server);
    if (packet.cmd === "puback" && packet.messageId === 1) {
      client.send(subscribe(1, [rpcFilter, 1]));
      await client.next();
      rpcs.submit({ method: "m", params: "null", isOneWay: false, isPersistent: true, expiresAtMs: nowMs + 60_000, additionalInfo: null });
      assert.equal((await client.nextPublish()).messageId, 1);
    }
    nowMs += 599_999;
    // getSessionLimits is answered and refreshes nothing: its answer tells that the packet before was handled.
    client.send(packet, publish("v1/devices/me/rpc/request/1000", '{"method":"getSessionLimits"}', 0));
    for (let next = await client.next(); next.cmd !== "publish" || !next.topic.endsWith("/1000"); next = await client.next());
    nowMs += 1;
    await silent.expectClose();
    assert.equal(silentDevice.session, null);
    assert.equal(onlyDevice(server).session !== null, holds, what);
    client.socket.destroy();
    while (onlyDevice(server).session !== null) await new Promise(setImmediate);
  }
});

test("a last will is never published, and nothing is retained", async (t) => {
  const server = await start(t);
  const will = { topic: "v1/devices/me/telemetry", payload: Buffer.from('{"will":1}'), qos: 1, retain: true };
  const gone = server.events.next("disconnected");
  const client = await rawConnect(t, server);
  const retained: Packet = { ...publish("v1/devices/me/attributes", '{"a":1}', 1, 1), retain: true } as Packet;
  client.send(connectBytes("DEMO_TOKEN", { will }), retained, subscribe(2, ["v1/devices/me/attributes", 1]));
  await client.expectBytes("20 02 00 00 40 02 00 01 90 03 00 02 01");
  client.packets.length = 0;
  await client.expectNothing();
  client.socket.destroy();
  await gone;
  const next = await rawLogin(t, server);
  next.send(subscribe(2, ["v1/devices/me/attributes", 1]));
  await next.expectBytes("90 03 00 02 01");
  next.packets.length = 0;
  await next.expectNothing();
  assert.equal(onlyDevice(server).latest.size, 0);
});
