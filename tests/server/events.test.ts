// What observers are told: each thing that happens, once, in order, with its members.

import assert from "node:assert/strict";
import type { LocalServer } from "../../host/server/server.ts";
import { startGateway, withChild } from "./gateway.ts";
import { connectBytes, onlyDevice, publish, type RawClient, rawConnect, rawLogin, rest, start, subscribe, test } from "./harness.ts";

/** Every event from now on, as a line: type, name of the device, members. */
function record(server: LocalServer): string[] {
  const lines: string[] = [];
  server.events.on("*", (event) => {
    const { type, atMs, device, ...members } = event as { type: string; atMs: number; device?: { name: string } | null };
    assert.equal(typeof atMs, "number");
    const text = JSON.stringify(members, (_key, value: unknown) => (typeof value === "bigint" ? Number(value) : value));
    lines.push([type, device?.name, text].filter((part) => part !== undefined && part !== "{}").join(" "));
  });
  return lines;
}

/** Sends a message and waits for its PUBACK. */
async function acknowledged(client: RawClient, topic: string, payload: string): Promise<void> {
  client.packets.length = 0;
  client.send(publish(topic, payload));
  while ((await client.next()).cmd !== "puback");
}

test("a device: filters, values, requests, RPC both ways, a claim", async (t) => {
  const server = await start(t);
  const { id } = onlyDevice(server);
  const client = await rawLogin(t, server);
  const lines = record(server);
  client.send(subscribe(1, ["v1/devices/me/rpc/request/+", 1]));
  assert.equal((await client.next()).cmd, "suback");
  await acknowledged(client, "v1/devices/me/telemetry", '{"ts":5,"values":{"t":1}}');
  await acknowledged(client, "v1/devices/me/attributes", '{"a":"x"}');
  await acknowledged(client, "v1/devices/me/attributes/request/7", '{"clientKeys":"a"}');
  await acknowledged(client, "v1/devices/me/rpc/request/8", '{"method":"time","params":{"z":1}}');
  const answer = rest(server, "POST", `/api/rpc/twoway/${id}`, '{"method":"get","params":[1]}');
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/rpc/request/0");
  await acknowledged(client, "v1/devices/me/rpc/response/0", '{"ok":true}');
  assert.equal((await answer).status, 200);
  const path = `/api/plugins/telemetry/DEVICE/${id}/SHARED_SCOPE`;
  await rest(server, "POST", path, '{"s":2}');
  await rest(server, "DELETE", `${path}?keys=s`);
  await acknowledged(client, "v1/devices/me/claim", '{"secretKey":"k"}');
  await rest(server, "POST", "/api/customer/device/Demo%20device/claim", '{"secretKey":"k"}');
  assert.deepEqual(lines, [
    'subscribed Demo device {"filter":"v1/devices/me/rpc/request/+","qos":1}',
    'telemetry Demo device {"key":"t","tsMs":5,"value":{"type":"long","value":1}}',
    'attribute Demo device {"scope":"CLIENT_SCOPE","key":"a","value":{"type":"string","value":"x"}}',
    'attributesRequested Demo device {"requestId":7}',
    'clientRpc Demo device {"requestId":8,"method":"time","params":"{\\"z\\":1}"}',
    'rpcSent Demo device {"requestId":0,"method":"get","params":"[1]","isOneWay":false}',
    'rpcReplied Demo device {"requestId":0,"payload":"{\\"ok\\":true}"}',
    'attribute Demo device {"scope":"SHARED_SCOPE","key":"s","value":{"type":"long","value":2}}',
    'attributeDeleted Demo device {"scope":"SHARED_SCOPE","key":"s"}',
    'claimRequested Demo device {"isRegistered":true}',
    "claimed Demo device",
  ]);
});

test("a gateway: its children, and what they ask for", async (t) => {
  const server = await startGateway(t);
  const lines = record(server);
  const client = await withChild(t, server);
  await acknowledged(client, "v1/gateway/attributes/request", '{"id":3,"device":"Boiler 7","client":true,"key":"k"}');
  await acknowledged(client, "v1/gateway/disconnect", '{"device":"Boiler 7"}');
  assert.deepEqual(lines.slice(1).map((line) => line.replace(/,"cause.*/, "")), [
    'childConnected Boiler 7 {"gateway":"gate"}',
    'attributesRequested Boiler 7 {"requestId":3}',
    'childDisconnected Boiler 7 {"gateway":"gate"',
  ]);
});

test("faults: each by the name of its knob, when it strikes", async (t) => {
  const server = await startGateway(t);
  const struck: string[] = [];
  server.events.on("fault", ({ name }) => struck.push(name));
  server.faults.refuseConnect(1);
  const refused = await rawConnect(t, server);
  refused.send(connectBytes());
  await refused.expectBytes("20 02 00 03");
  const client = await withChild(t, server, 5);
  server.faults.dropPuback(1);
  client.send(publish("v1/devices/me/telemetry", '{"t":1}'), { cmd: "pingreq" });
  assert.equal((await client.next()).cmd, "pingresp");
  server.faults.notifyChild("Boiler 7", 128);
  server.faults.expireOtaCache();
  server.faults.halfOpen();
  server.faults.killSessions();
  assert.deepEqual(struck, ["refuseConnect", "dropPuback", "notifyChild", "expireOtaCache", "halfOpen", "killSessions"]);
});
