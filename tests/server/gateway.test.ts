// What makes a gateway, and how its children come and go (spec 3, 11).

import assert from "node:assert/strict";
import { telemetry, attributes, startGateway, child, latest, withChild } from "./gateway.ts";
import { connectBytes, mqttJs, publish, rawConnect, rawLogin, rest, start, test } from "./harness.ts";

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
