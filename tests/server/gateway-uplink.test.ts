// What a gateway sends for its children, byte for byte, and what each wrong payload brings (spec 3, 11).

import assert from "node:assert/strict";
import { telemetry, attributes, gate, startGateway, child, latest } from "./gateway.ts";
import { connectBytes, publish, rawConnect, rawLogin, rest, test } from "./harness.ts";

test("telemetry and attributes of several children are stored and acknowledged once", async (t) => {
  const server = await startGateway(t, { now: () => 5 });
  const client = await rawLogin(t, server);
  client.send(publish(telemetry, '{"Boiler 7":[{"ts":1760000000000,"values":{"p":2.1}},{"q":"7"}],"Boiler 8":[{"p":2.2}],"bad":{"p":1}}', 1, 1));
  client.send(publish(attributes, '{"Boiler 7":{"sn":"77"},"Boiler 8":{"sn":88},"bad":[]}', 1, 2), publish(telemetry, '{"Boiler 9":[{"p":1}]}', 0));
  await client.expectBytes("40 02 00 01 40 02 00 02");
  client.packets.length = 0;
  await client.expectNothing();
  assert.deepEqual(latest(server, "Boiler 7"), { p: 2.1, q: 7n });
  assert.equal(child(server, "Boiler 7").latest.get("p")?.tsMs, 1_760_000_000_000);
  assert.deepEqual([latest(server, "Boiler 8"), latest(server, "Boiler 9")], [{ p: 2.2 }, { p: 1n }]);
  assert.equal(server.devices.byName("bad"), undefined);
  const path = `/api/plugins/telemetry/DEVICE/${child(server, "Boiler 8").id}/values/attributes/CLIENT_SCOPE`;
  assert.equal((await rest(server, "GET", path)).text, '[{"lastUpdateTs":5,"key":"sn","value":88}]');
});

test("an empty array is never acknowledged, though the rest is stored", async (t) => {
  const server = await startGateway(t);
  const client = await rawLogin(t, server);
  client.send(publish(telemetry, '{"a":[],"b":[{"p":1}]}', 1, 1), publish(telemetry, '{"a":[{}]}', 1, 2));
  await client.expectBytes("40 02 00 02");
  assert.deepEqual(latest(server, "b"), { p: 1n });
});

test("a child's bad payload: 3.1.1 closes, MQTT 5 says 0x99 and stays, and the other children are stored", async (t) => {
  const server = await startGateway(t);
  const bad = ['[{"p":1,"metadata":{"connector":"x","receivedTs":1}}]', '[{"p":1,"metadata":null}]', '[1]', '[{"ts":null,"values":{}}]', '[{"ts":1,"values":[]}]', '[{"ts":1,"values":{"a":1},"metadata":{"connector":"x"}}]'];
  for (const [index, items] of bad.entries()) {
    const payload = `{"a":[{"before${index}":1}],"b":${items},"c":[{"after${index}":1}]}`;
    const old = await rawLogin(t, server);
    old.send(publish(telemetry, payload));
    await old.expectClose();
    assert.ok(child(server, "a").latest.has(`before${index}`) && child(server, "c").latest.has(`after${index}`));
    const client = await rawLogin(t, server, 5);
    client.send(publish(telemetry, payload, 1, 1), publish(telemetry, payload, 0), publish(attributes, '{"a":{}}', 1, 2));
    await client.expectBytes("40 04 00 01 99 00 40 02 00 02");
  }
});

test("a wrong shape of the whole message is acknowledged as failed, then the connection closes", async (t) => {
  const server = await startGateway(t);
  const cases: [topic: string, payload: string][] = [
    [telemetry, ""],
    [telemetry, "[]"],
    [telemetry, "{}"],
    [telemetry, '{"a":{}}'],
    [attributes, '{"a":[1]}'],
    ["v1/gateway/connect", "{}"],
    ["v1/gateway/connect", '{"device":""}'],
    ["v1/gateway/disconnect", '{"device":null}'],
    ["v1/gateway/attributes/request", '{"id":1,"device":"a","key":"k"}'],
    ["v1/gateway/attributes/request", '{"id":1,"device":"a","client":true}'],
    ["v1/gateway/attributes/request", '{"device":"a","client":true,"key":"k"}'],
    ["v1/gateway/attributes/request", '{"id":1,"device":"a","client":["k"],"shared":["s"]}'],
    ["v1/gateway/rpc", '{"device":"a","id":0}'],
    ["v1/gateway/rpc", '{"device":"a","data":1}'],
    ["v1/gateway/rpc", '{"id":0,"data":1}'],
  ];
  for (const [topic, payload] of cases) {
    const old = await rawLogin(t, server);
    old.send(publish(topic, payload));
    await old.expectBytes("40 02 00 07").catch((error: Error) => assert.fail(`${topic} ${payload}: ${error.message}`));
    await old.expectClose();
    const client = await rawLogin(t, server, 5);
    client.send(publish(topic, payload));
    await client.expectBytes("40 04 00 07 83 00 e0 02 83 00");
    await client.expectClose();
  }
});

test("malformed JSON follows rule R2, unknown gateway topics R5, and a device that is no gateway R6", async (t) => {
  const server = await startGateway(t);
  const client = await rawLogin(t, server, 5);
  client.send(publish(telemetry, "{", 1, 1), publish("v1/gatewayX", "{}", 1, 2), publish("v1/gateway/provision", "{}", 1, 3));
  await client.expectBytes("40 04 00 01 99 00 40 04 00 02 90 00 40 04 00 03 90 00");
  const old = await rawLogin(t, server);
  old.send(publish("v1/gateway/nothing", "{}", 1, 1), publish(telemetry, "{", 1, 2));
  await old.expectBytes("40 02 00 01");
  await old.expectClose();
  const lenient = await startGateway(t, { devices: [{ ...gate, acknowledgesBadPayload: true }] });
  const kept = await rawLogin(t, lenient);
  kept.send(publish(telemetry, "{", 1, 1), publish(telemetry, '{"a":[{"p":1}]}', 1, 2));
  await kept.expectBytes("40 02 00 01 40 02 00 02");
  // The option is about the whole message: a child's bad payload closes all the same (spec 11.28).
  kept.send(publish(telemetry, '{"a":[1]}', 1, 3));
  await kept.expectClose();
  // The flag is read at CONNECT: made a gateway while connected, a device is none before it comes back.
  const plain = server.addDevice({ name: "plain", token: "PLAIN" });
  const device = await rawConnect(t, server);
  device.send(connectBytes("PLAIN"));
  await device.expectBytes("20 02 00 00");
  await rest(server, "POST", "/api/device", `{"id":{"id":"${plain.id}"},"additionalInfo":{"gateway":true}}`);
  device.send(publish("v1/gateway/connect", '{"device":"x"}', 1, 1), publish("a/b", "", 1, 2));
  await device.expectBytes("40 02 00 02");
  const again = await rawConnect(t, server);
  again.send(connectBytes("PLAIN"), publish("v1/gateway/connect", '{"device":"x"}', 1, 1));
  await again.expectBytes("20 02 00 00 40 02 00 01");
});

test("members are read as Gson reads them: numbers for texts, texts for numbers, an array of one for its element", async (t) => {
  const server = await startGateway(t);
  const client = await rawLogin(t, server);
  client.send(publish("v1/gateway/connect", '{"device":7,"type":[true]}', 1, 1), publish(attributes, '{"7":{"true":1,"2":2}}', 1, 2));
  await client.expectBytes("40 02 00 01 40 02 00 02");
  assert.equal(child(server, "7").type, "true");
  client.packets.length = 0;
  const requests: [members: string, answer: string][] = [
    ['"id":"4","client":"TRUE","key":["true"]', '{"id":4,"device":"7","value":1}'],
    ['"id":4.9,"client":[true],"keys":[true,[2]]', '{"id":4,"device":"7","values":{"true":1,"2":2}}'],
    ['"id":4294967297,"client":1,"key":"true"', '{"id":1,"device":"7"}'],
  ];
  for (const [members, answer] of requests) {
    client.send(publish("v1/gateway/attributes/request", `{"device":[7],${members}}`, 0));
    assert.equal((await client.nextPublish()).text, answer);
  }
  const wrong: [topic: string, members: string][] = [
    ["v1/gateway/attributes/request", '"id":"4.9","client":true,"key":"k"'],
    ["v1/gateway/attributes/request", '"id":"","client":true,"key":"k"'],
    ["v1/gateway/attributes/request", '"id":"0x1","client":true,"key":"k"'],
    ["v1/gateway/attributes/request", '"id":"2147483648","client":true,"key":"k"'],
    ["v1/gateway/attributes/request", '"id":true,"client":true,"key":"k"'],
    ["v1/gateway/attributes/request", '"id":1,"client":null,"key":"k"'],
    ["v1/gateway/attributes/request", '"id":1,"client":true,"key":null,"keys":["k"]'],
    ["v1/gateway/attributes/request", '"id":1,"client":true,"keys":"k"'],
    ["v1/gateway/attributes/request", '"id":1,"client":true,"keys":[null]'],
    ["v1/gateway/rpc", '"id":[],"data":1'],
    ["v1/gateway/connect", '"type":{}'],
  ];
  for (const [topic, members] of wrong) {
    const other = await rawLogin(t, server, 5);
    other.send(publish(topic, `{"device":"7",${members}}`));
    await other.expectBytes("40 04 00 07 83 00 e0 02 83 00").catch((error: Error) => assert.fail(`${topic} ${members}: ${error.message}`));
    await other.expectClose();
  }
});

test("metadata of connectors becomes gatewayMetrics of the gateway and is not stored with the child", async (t) => {
  const server = await startGateway(t, { now: () => 1_000_020, gatewayMetricsIntervalMs: 20, inactivityTimeoutMs: 1e9 });
  const client = await rawLogin(t, server);
  const item = (received: number, published: number): string =>
    `{"ts":1,"values":{"p":1},"metadata":{"connector":"modbus","receivedTs":${received},"publishedTs":${published}}}`;
  // Without a time the values are stored at the present one, and the metadata counts as well; texts do for numbers.
  const untimed = '{"q":1,"metadata":{"connector":7,"receivedTs":"1000020","publishedTs":1000020.9}}';
  const report = server.events.next("telemetry", ({ key }) => key === "gatewayMetrics");
  client.send(publish(telemetry, `{"a":[${item(1_000_000, 1_000_005)},${item(1_000_000, 1_000_016)},${untimed}]}`, 1, 1));
  await client.expectBytes("40 02 00 01");
  const { device, value } = await report;
  assert.deepEqual([device.name, value.type], ["gate", "json"]);
  assert.deepEqual(value.type === "json" && JSON.parse(value.text), {
    // Averages are whole milliseconds.
    modbus: { avgGwLatency: 10, minGwLatency: 5, maxGwLatency: 16, avgTransportLatency: 9, minTransportLatency: 4, maxTransportLatency: 15 },
    7: { avgGwLatency: 0, minGwLatency: 0, maxGwLatency: 0, avgTransportLatency: 0, minTransportLatency: 0, maxTransportLatency: 0 },
  });
  assert.deepEqual(latest(server, "a"), { p: 1n, q: 1n });
});
