// The gateway API, byte for byte: children, their messages, requests and RPC (spec 3, 11).

import assert from "node:assert/strict";
import { telemetry, attributes, gate, startGateway, child, latest, withChild } from "./gateway.ts";
import { connectBytes, mqttJs, publish, rawConnect, rawLogin, rest, start, subscribe, test } from "./harness.ts";

test("connect makes a child of its profile; the type of a device that is there is ignored; disconnect of nobody is fine", async (t) => {
  const server = await startGateway(t);
  const client = await rawLogin(t, server);
  client.send(
    publish("v1/gateway/connect", '{"device":"Boiler 7","type":"boiler"}', 1, 1),
    publish("v1/gateway/connect", '{"device":"Boiler 8","type":null}', 1, 2),
    publish("v1/gateway/connect", '{"device":"Boiler 7","type":"other"}', 1, 3),
    publish("v1/gateway/disconnect", '{"device":"nobody"}', 1, 4),
    publish("v1/gateway/disconnect", '{"device":"Boiler 8"}', 1, 5),
  );
  await client.expectBytes("40 02 00 01 40 02 00 02 40 02 00 03 40 02 00 04 40 02 00 05");
  assert.deepEqual([child(server, "Boiler 7").type, child(server, "Boiler 8").type], ["boiler", "default"]);
  assert.deepEqual([child(server, "Boiler 7").session !== null, child(server, "Boiler 8").session], [true, null]);
  const found = JSON.parse((await rest(server, "GET", "/api/tenant/devices?deviceName=Boiler%207")).text);
  assert.deepEqual([found.type, found.active], ["boiler", true]);
});

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

test("attribute requests: one scope, value or values, nothing found, and all of both scopes for no keys", async (t) => {
  const server = await startGateway(t);
  const client = await withChild(t, server);
  const path = `/api/plugins/telemetry/DEVICE/${child(server, "Boiler 7").id}/SHARED_SCOPE`;
  client.send(publish(attributes, '{"Boiler 7":{"sn":77,"setpoint":1}}', 1, 2));
  assert.equal((await client.next()).cmd, "puback");
  await rest(server, "POST", path, '{"setpoint":60,"mode":"eco"}');
  assert.equal((await client.nextPublish()).text, '{"device":"Boiler 7","data":{"setpoint":60,"mode":"eco"}}');
  const cases: [request: string, answer: string][] = [
    ['"client":false,"key":"setpoint"', ',"value":60'],
    ['"client":true,"key":"setpoint"', ',"value":1'],
    ['"client":false,"keys":["setpoint","mode"]', ',"values":{"setpoint":60,"mode":"eco"}'],
    ['"client":false,"keys":["mode"]', ',"value":"eco"'],
    ['"client":false,"keys":["mode","none"]', ',"values":{"mode":"eco"}'],
    ['"client":false,"key":"mode","keys":["setpoint"]', ',"value":"eco"'],
    ['"client":true,"key":"none"', ""],
    ['"client":true,"keys":[]', ',"values":{"sn":77,"setpoint":60,"mode":"eco"}'],
  ];
  for (const [index, [request, answer]] of cases.entries()) {
    client.send(publish("v1/gateway/attributes/request", `{"id":${index},"device":"Boiler 7",${request}}`, 0));
    const { topic, text, qos } = await client.nextPublish();
    assert.deepEqual([topic, text, qos], ["v1/gateway/attributes/response", `{"id":${index},"device":"Boiler 7"${answer}}`, 1]);
  }
});

test("shared attribute updates and deletions come down with the child's name, at the granted QoS or 1", async (t) => {
  const server = await startGateway(t);
  const client = await withChild(t, server);
  const path = `/api/plugins/telemetry/DEVICE/${child(server, "Boiler 7").id}/SHARED_SCOPE`;
  await rest(server, "POST", path, '{"setpoint":60}');
  const topic = Buffer.from("v1/gateway/attributes").toString("hex");
  const body = Buffer.from('{"device":"Boiler 7","data":{"setpoint":60}}').toString("hex");
  await client.expectBytes(`32 45 0015 ${topic} 0001 ${body}`);
  client.packets.length = 0;
  client.send(subscribe(2, ["v1/gateway/attributes", 0], ["v1/gateway/rpc", 1], ["v1/gateway/attributes/response", 2], ["v1/gateway/disconnect", 1]));
  const suback = await client.next();
  assert.deepEqual(suback.cmd === "suback" && suback.granted, [0, 1, 1, 0x80]);
  await rest(server, "DELETE", `${path}?keys=setpoint`);
  const { text, qos } = await client.nextPublish();
  assert.deepEqual([text, qos], ['{"device":"Boiler 7","data":{"deleted":["setpoint"]}}', 0]);
});

test("RPC: ids per child from 0, replies with any JSON, pending ones on connect, unknown ids ignored", async (t) => {
  const server = await startGateway(t);
  const client = await withChild(t, server);
  const path = (name: string, way: string): string => `/api/rpc/${way}/${child(server, name).id}`;
  const reply = rest(server, "POST", path("Boiler 7", "twoway"), '{"method":"purge","params":{"s":5}}');
  const request = await client.nextPublish();
  assert.deepEqual([request.topic, request.text], ["v1/gateway/rpc", '{"device":"Boiler 7","data":{"id":0,"method":"purge","params":{"s":5}}}']);
  client.send(publish("v1/gateway/rpc", '{"device":"Boiler 7","id":9,"data":1}', 0), publish("v1/gateway/rpc", '{"device":"Boiler 7","id":0,"data":{"done":true}}', 1, 2));
  assert.deepEqual(await reply, { status: 200, text: '{"done":true}' });
  assert.equal((await client.next()).cmd, "puback");
  const empty = rest(server, "POST", path("Boiler 7", "twoway"), '{"method":"m"}');
  assert.equal((await client.nextPublish()).text, '{"device":"Boiler 7","data":{"id":1,"method":"m","params":null}}');
  client.send(publish("v1/gateway/rpc", '{"device":"Boiler 7","id":1,"data":null}', 0));
  assert.deepEqual(await empty, { status: 200, text: "null" });
  // A child that is not connected waits; naming it delivers.
  client.send(publish("v1/gateway/disconnect", '{"device":"Boiler 7"}', 1, 3));
  assert.equal((await client.next()).cmd, "puback");
  const waiting = rest(server, "POST", path("Boiler 7", "oneway"), '{"method":"later"}');
  const submitted = async (): Promise<void> => {
    while (child(server, "Boiler 7").rpcs.pendingCount === 0) await new Promise(setImmediate);
  };
  await submitted();
  client.send(publish(telemetry, '{"Boiler 7":[{"p":1}]}', 0));
  assert.equal((await client.nextPublish()).text, '{"device":"Boiler 7","data":{"id":2,"method":"later","params":null}}');
  assert.equal((await waiting).status, 200);
});

test("persistent RPC of a child: SENT at QoS 1 whatever is acknowledged, DELIVERED at QoS 0", async (t) => {
  const server = await startGateway(t, { rpcAcknowledgeTimeoutMs: 1 });
  const client = await withChild(t, server);
  const call = async (): Promise<() => Promise<string>> => {
    const { text } = await rest(server, "POST", `/api/rpc/twoway/${child(server, "Boiler 7").id}`, '{"method":"m","persistent":true,"timeout":60000}');
    return async () => JSON.parse((await rest(server, "GET", `/api/rpc/persistent/${JSON.parse(text).rpcId}`)).text).status;
  };
  const first = await call();
  const { messageId } = await client.nextPublish();
  client.send({ cmd: "puback", messageId: messageId! });
  await client.expectNothing();
  assert.equal(await first(), "SENT");
  client.send(subscribe(2, ["v1/gateway/rpc", 0]));
  assert.equal((await client.next()).cmd, "suback");
  const second = await call();
  assert.equal((await client.nextPublish()).qos, 0);
  assert.equal(await second(), "DELIVERED");
});

test("after a reconnect the server knows no children until they are named again", async (t) => {
  const server = await startGateway(t);
  const first = await withChild(t, server);
  const gone = server.events.next("childDisconnected");
  first.socket.destroy();
  assert.equal((await gone).device.name, "Boiler 7");
  const client = await rawLogin(t, server);
  const path = `/api/plugins/telemetry/DEVICE/${child(server, "Boiler 7").id}/SHARED_SCOPE`;
  await rest(server, "POST", path, '{"lost":1}');
  await client.expectNothing();
  client.send(publish(attributes, '{"Boiler 7":{}}', 1, 1));
  assert.equal((await client.next()).cmd, "puback");
  await rest(server, "POST", path, '{"heard":1}');
  assert.equal((await client.nextPublish()).text, '{"device":"Boiler 7","data":{"heard":1}}');
});

test("a child has one session: another gateway or its own connection takes it over, without a word", async (t) => {
  const server = await startGateway(t);
  server.addDevice({ name: "gate 2", token: "GATE2", isGateway: true });
  const first = await withChild(t, server, 5);
  const second = await rawConnect(t, server);
  second.send(connectBytes("GATE2"), publish(telemetry, '{"Boiler 7":[{"p":1}]}', 1, 1));
  await second.expectBytes("20 02 00 00 40 02 00 01");
  second.packets.length = 0;
  const path = `/api/plugins/telemetry/DEVICE/${child(server, "Boiler 7").id}/SHARED_SCOPE`;
  await rest(server, "POST", path, '{"a":1}');
  assert.equal((await second.nextPublish()).text, '{"device":"Boiler 7","data":{"a":1}}');
  await first.expectNothing();
  const own = server.addDevice({ name: "Boiler 9", token: "NINE" });
  second.send(publish("v1/gateway/connect", '{"device":"Boiler 9"}', 1, 2));
  assert.equal((await second.next()).cmd, "puback");
  const device = await rawConnect(t, server);
  device.send(connectBytes("NINE"));
  await device.expectBytes("20 02 00 00");
  assert.ok(own.session !== null);
  await second.expectNothing();
});

test("an idle child ends alone; overwriteActivityTime makes the gateway's PINGREQ its own", async (t) => {
  for (const isExtended of [false, true]) {
    let nowMs = 0;
    const server = await startGateway(t, { now: () => nowMs, inactivityTimeoutMs: 1000, inactivityCheckMs: 10 });
    if (isExtended) {
      const info = '{"gateway":true,"overwriteActivityTime":true}';
      await rest(server, "POST", "/api/device", `{"id":{"id":"${child(server, "gate").id}"},"additionalInfo":${info}}`);
    }
    server.addDevice({ name: "silent", token: "SILENT" });
    const silent = await rawConnect(t, server);
    silent.send(connectBytes("SILENT"));
    await silent.expectBytes("20 02 00 00");
    const client = await withChild(t, server, 5);
    nowMs = 999;
    await client.expectNothing();
    const ended = server.events.next("childDisconnected");
    nowMs = 1000;
    // Once the silent device was found idle, the child has been looked at too.
    await silent.expectClose();
    assert.equal(child(server, "Boiler 7").session !== null, isExtended);
    nowMs = isExtended ? 1999 : 1000;
    assert.equal((await ended).device.name, "Boiler 7");
    if (!isExtended) await client.expectNothing();
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

test("a thousand children in one session, each reached over REST as any device", async (t) => {
  const server = await startGateway(t);
  const client = await mqttJs(t, server);
  await client.subscribeAsync(["v1/gateway/rpc", "v1/gateway/attributes"], { qos: 1 });
  const names = Array.from({ length: 1000 }, (_, index) => `child ${index}`);
  await Promise.all(names.map((device) => client.publishAsync("v1/gateway/connect", JSON.stringify({ device }), { qos: 1 })));
  client.on("message", (topic, payload) => {
    const { device, data } = JSON.parse(payload.toString());
    if (topic === "v1/gateway/rpc") client.publish(topic, JSON.stringify({ device, id: data.id, data: { by: device } }));
  });
  const entries = names.map((name, index) => [name, [{ index }]]);
  await client.publishAsync(telemetry, JSON.stringify(Object.fromEntries(entries)), { qos: 1 });
  assert.deepEqual(latest(server, "child 999"), { index: 999n });
  const answer = await rest(server, "POST", `/api/rpc/twoway/${child(server, "child 500").id}`, '{"method":"who"}');
  assert.deepEqual(JSON.parse(answer.text), { by: "child 500" });
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

test("what makes a device a gateway: the flag as a JSON library reads it", async (t) => {
  const server = await start(t, { devices: [] });
  const flags: [flag: string, isGateway: boolean][] = [["true", true], ['"true"', true], ["1", true], ["false", false], ["0", false], ['"yes"', false], ["null", false], ["{}", false]];
  for (const [index, [flag, isGateway]] of flags.entries()) {
    const { status } = await rest(server, "POST", `/api/device?accessToken=G${index}`, `{"name":"gate ${index}","additionalInfo":{"gateway":${flag}}}`);
    assert.equal(status, 200);
    const client = await rawConnect(t, server);
    client.send(connectBytes(`G${index}`), publish("v1/gateway/disconnect", '{"device":"x"}', 1, 1), publish("a/b", "", 1, 2));
    await client.expectBytes(`20 02 00 00 ${isGateway ? "40 02 00 01" : ""} 40 02 00 02`).catch((error: Error) => assert.fail(`${flag}: ${error.message}`));
  }
});
