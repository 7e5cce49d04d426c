// MQTT 5: reason codes, the DISCONNECT before each close, and the short forms (spec 1.3, 2.0, 2.11, 2.13, 11.33).

import assert from "node:assert/strict";
import { connectBytes, mqttJs, onlyDevice, publish, rawConnect, rawLogin, rest, start, subscribe, test } from "./harness.ts";

const telemetry = "v1/devices/me/telemetry";

test("CONNACK has no properties; a refusal is said again in a DISCONNECT", async (t) => {
  const server = await start(t);
  const cases: [string | null, object, string][] = [
    ["DEMO_TOKEN", {}, "20 03 00 00 00"],
    ["DEMO_TOKEN", { clean: false }, "20 03 01 00 00"],
    ["WRONG", {}, "20 03 00 86 00 e0 02 86 00"],
    [null, {}, "20 03 00 85 00 e0 02 85 00"],
    [null, { clientId: "" }, "20 03 00 87 00 e0 02 87 00"],
  ];
  for (const [username, more, bytes] of cases) {
    const client = await rawConnect(t, server, 5);
    client.send(connectBytes(username, { ...more, protocolVersion: 5 }));
    await client.expectBytes(bytes);
    if (bytes.includes("e0")) await client.expectClose();
    client.socket.destroy();
  }
});

test("PUBACK: short for success, four bytes for 0x90 and 0x99; the connection stays", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server, 5);
  client.send(publish(telemetry, '{"a":1}', 1, 1), publish("x/y", "", 1, 2), publish("", "", 1, 3), publish(telemetry, "{", 1, 4));
  await client.expectBytes("40 02 00 01   40 04 00 02 90 00   40 04 00 03 90 00   40 04 00 04 99 00");
  client.send(publish(telemetry, "[]", 1, 5), publish("v1/gateway/connect", "{}", 2, 6), publish(telemetry, '{"a":2}', 2, 7));
  await client.expectBytes("40 02 00 07");
});

test("a close is announced with its reason", async (t) => {
  const server = await start(t);
  const cases: [name: string, bytes: Parameters<Awaited<ReturnType<typeof rawLogin>>["send"]>[0], disconnect: string][] = [
    ["bad payload at QoS 0", publish(telemetry, "{", 0), "e0 02 99 00"],
    ["unchecked exception", publish(telemetry, '{"ts":null,"values":{}}'), "e0 02 8b 00"],
    ["too long", publish(telemetry, "x".repeat(65_600)), "e0 02 81 00"],
    ["malformed", Buffer.from("36070003612f62000100", "hex"), "e0 02 81 00"],
    ["wildcard in a topic", Buffer.from("30060003612f2b00", "hex"), "e0 02 81 00"],
    ["goodbye", Buffer.from("e000", "hex"), "e0 00"],
  ];
  for (const [name, bytes, disconnect] of cases) {
    const client = await rawLogin(t, server, 5);
    client.send(bytes);
    await client.expectBytes(disconnect).catch((error: Error) => assert.fail(`${name}: ${error.message}`));
    await client.expectClose();
  }
  const older = await rawLogin(t, server, 5);
  await rawLogin(t, server, 5);
  await older.expectBytes("e0 02 8e 00");
  server.faults.exceedRate();
  const limited = await rawLogin(t, server, 5);
  limited.send(publish(telemetry, "{}"));
  await limited.expectBytes("e0 02 83 00");
});

test("SUBACK refuses with 0x8F; UNSUBACK says which filters were held", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server, 5);
  client.send(subscribe(1, ["v2/a", 2], ["#", 0], ["$share/g/v2/a", 0]));
  await client.expectBytes("90 06 00 01 00 01 8f 8f");
  client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["v2/a", "v2/a/j", "a/b"] });
  await client.expectBytes("b0 06 00 02 00 00 11 11");
  // One that is named twice was held the first time only.
  client.send(subscribe(3, ["v2/a", 0]), { cmd: "unsubscribe", messageId: 4, unsubscriptions: ["v2/a", "v2/a", "v2/+/#/++"] });
  await client.expectBytes("90 04 00 03 00 00   b0 06 00 04 00 00 11 11");
});

test("MQTT.js speaks MQTT 5 with the server", async (t) => {
  const server = await start(t);
  const client = await mqttJs(t, server, { protocolVersion: 5 });
  await client.subscribeAsync("v1/devices/me/attributes", { qos: 1 });
  const message = new Promise<string>((resolve) => client.once("message", (_topic, payload) => resolve(payload.toString())));
  await client.publishAsync(telemetry, '{"t":1}', { qos: 1 });
  await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}/SHARED_SCOPE`, '{"rate":2}');
  assert.equal(await message, '{"rate":2}');
  await assert.rejects(client.publishAsync("x/y", "z", { qos: 1 }), /Topic Name invalid/);
});

test("every refusal of a login has its own reason, in CONNACK and DISCONNECT", async (t) => {
  const server = await start(t, { devices: [{ name: "d", token: "DEMO_TOKEN" }], profiles: [{ name: "default", transportType: "COAP" }] });
  const login = (username: string | null, more: object): Buffer => connectBytes(username, { ...more, protocolVersion: 5 });
  const cases: [name: string, connect: Buffer, bytes: string][] = [
    ["unknown user and password", login("WRONG", { password: "x" }), "20 03 00 86 00 e0 02 86 00"],
    ["empty user name", Buffer.from("101000044d5154540582003c000001630000", "hex"), "20 03 00 86 00 e0 02 86 00"],
    ["password without user name", Buffer.from("101100044d5154540542003c00000163000178", "hex"), "20 03 00 86 00 e0 02 86 00"],
    ["blank client id", login(null, { clientId: " " }), "20 03 00 87 00 e0 02 87 00"],
    ["a profile for another protocol", login("DEMO_TOKEN", { clean: false }), "20 03 01 88 00 e0 02 89 00"],
  ];
  for (const [name, connect, bytes] of cases) {
    const client = await rawConnect(t, server, 5);
    client.send(connect);
    await client.expectBytes(bytes).catch((error: Error) => assert.fail(`${name}: ${error.message}`));
    await client.expectClose();
  }
});

test("AUTH, topic aliases and subscription options mean nothing; AUTH before MQTT 5 is no packet", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server, 5);
  client.send(Buffer.from("f000 f0021800".replaceAll(" ", ""), "hex"));
  // An alias is set for a known topic, then used: an empty topic is an unknown one (spec 2.13).
  client.send({ ...publish(telemetry, "{}", 1, 1), properties: { topicAlias: 1 } } as never, { ...publish("", "{}", 1, 2), properties: { topicAlias: 1 } } as never);
  await client.expectBytes("40 02 00 01 40 04 00 02 90 00");
  client.send(Buffer.from("820c 0003 02 0b05 0004 76322f61 2d".replaceAll(" ", ""), "hex"));
  await client.expectBytes("90 04 00 03 00 01");
  // SUBSCRIBE and UNSUBSCRIBE without filters are answered without codes.
  client.send(Buffer.from("8203000400 a203000500".replaceAll(" ", ""), "hex"));
  await client.expectBytes("90 03 00 04 00 b0 03 00 05 00");
  const old = await rawLogin(t, server);
  old.send(Buffer.from("82020001 a2020002".replaceAll(" ", ""), "hex"));
  await old.expectBytes("90 02 00 01 b0 02 00 02");
  old.send(Buffer.from("f000", "hex"));
  await old.expectClose();
});
