// What a gateway hears for its children, byte for byte: attributes and RPC (spec 3, 11).

import assert from "node:assert/strict";
import { telemetry, attributes, startGateway, child, withChild } from "./gateway.ts";
import { publish, rest, subscribe, test } from "./harness.ts";

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
