// What a device receives: SUBACK codes, attribute responses and updates, server-side and client-side RPC (spec 2.4 to 2.7, 2.11).

import assert from "node:assert/strict";
import { Session } from "../../host/server/session.ts";
import { connectBytes, mqttJs, onlyDevice, publish, rawConnect, rawLogin, rest, start, subscribe, test } from "./harness.ts";

const attributes = "v1/devices/me/attributes";
const rpcFilter = "v1/devices/me/rpc/request/+";

test("SUBACK: exact strings are granted at most QoS 1, everything else is 0x80, one code per filter", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(subscribe(10, [attributes, 0], [rpcFilter, 2], ["#", 1], [attributes, 1], ["a/#/b", 0], ["v2/fw/response/+", 0]));
  await client.expectBytes("90 08 00 0a 00 01 80 01 80 80");
  client.send(subscribe(11, ["v1/devices/me/#", 1], ["v1/devices/me/attributes/response/7", 1]));
  await client.expectBytes("90 04 00 0b 80 80");
  const allowed = [
    "v1/devices/me/attributes/response/+",
    "v1/devices/me/rpc/response/+",
    "v2/a",
    "v2/a/p",
    "v2/a/res/j/+",
    "v2/r/req/+",
    "v2/r/res/p/+",
    "v2/fw/response/+/chunk/+",
    "v2/sw/error",
    "v1/gateway/rpc",
  ];
  client.send(subscribe(12, ...allowed.map((filter): [string, 1] => [filter, 1])));
  await client.expectBytes("90 0c 00 0c" + "01".repeat(allowed.length));
  client.send({ cmd: "unsubscribe", messageId: 13, unsubscriptions: [attributes, "a/#/b"] });
  await client.expectBytes("b0 02 00 0d");
  client.send({ cmd: "unsubscribe", messageId: 14, unsubscriptions: ["*"] });
  await client.expectClose();
});

test("attribute requests are answered with found keys only, client before shared, without a subscription at QoS 1", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  const device = onlyDevice(server);
  client.send(publish(attributes, '{"model":"P7","serial":"0042","limits":{"hi":80.0}}', 1, 1));
  await client.expectBytes("40 02 00 01");
  const shared = `/api/plugins/telemetry/DEVICE/${device.id}`;
  assert.equal((await rest(server, "POST", `${shared}/SHARED_SCOPE`, '{"rate":30,"gain":42.0}')).status, 200);
  assert.equal((await rest(server, "POST", `${shared}/attributes/SERVER_SCOPE`, '{"secret":1}')).status, 200);
  const cases: [request: string, response: string][] = [
    ['{"clientKeys":"model,serial","sharedKeys":"rate"}', '{"client":{"model":"P7","serial":42},"shared":{"rate":30}}'],
    ['{"clientKeys":"model"}', '{"client":{"model":"P7"}}'],
    ['{"sharedKeys":"gain,none,"}', '{"shared":{"gain":42.0}}'],
    ['{"sharedKeys":"none"}', "{}"],
    ['{"clientKeys":""}', "{}"],
    ['{"clientKeys":" model"}', "{}"],
    ['{"clientKeys":["model"]}', '{"client":{"model":"P7"}}'],
    ["{}", '{"client":{"model":"P7","serial":42,"limits":{"hi":80.0}},"shared":{"rate":30,"gain":42.0}}'],
    ['{"clientKeys":","}', '{"client":{"model":"P7","serial":42,"limits":{"hi":80.0}},"shared":{"rate":30,"gain":42.0}}'],
    ['{"clientKeys":",","sharedKeys":"rate"}', '{"shared":{"rate":30}}'],
  ];
  client.packets.length = 0;
  for (const [i, [request, response]] of cases.entries()) {
    client.send(publish(`v1/devices/me/attributes/request/${i + 17}`, request, 1, 100 + i));
    assert.equal((await client.next()).cmd, "puback");
    assert.deepEqual(await client.nextPublish(), {
      topic: `v1/devices/me/attributes/response/${i + 17}`,
      text: response,
      qos: 1,
      messageId: i + 1,
    });
  }
  client.send(publish("v1/devices/me/attributes/request/-1", "{}", 0), publish("v2/a/req/j/5", '{"clientKeys":"model"}', 0));
  assert.deepEqual((await client.nextPublish()).topic, "v2/a/res/j/5");
});

test("the bytes of an attribute response", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(publish("v1/devices/me/attributes/request/1", "{}", 1, 7));
  const topic = Buffer.from("v1/devices/me/attributes/response/1").toString("hex");
  await client.expectBytes(`40 02 00 07   32 29 00 23 ${topic} 00 01 7b 7d`);
});

test("shared attribute updates and deletions go to the family subscribed last, at the granted QoS", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  const path = `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}`;
  const write = (body: string): Promise<unknown> => rest(server, "POST", `${path}/SHARED_SCOPE`, body);
  await write('{"early":1}');
  client.send(subscribe(1, [attributes, 0]));
  assert.equal((await client.next()).cmd, "suback");
  await rest(server, "POST", `${path}/SERVER_SCOPE`, '{"secret":1}');
  await write('{"rate":45,"mode":"é","big":9007199254740993,"small":0.00001}');
  assert.deepEqual(await client.nextPublish(), {
    topic: attributes,
    text: '{"rate":45,"mode":"é","big":9007199254740993,"small":1.0E-5}',
    qos: 0,
    messageId: undefined,
  });
  client.send(subscribe(2, ["v2/a", 1]));
  assert.equal((await client.next()).cmd, "suback");
  assert.equal((await rest(server, "DELETE", `${path}/SHARED_SCOPE?keys=rate,mode`)).status, 200);
  // The QoS 0 update before took packet id 1.
  assert.deepEqual(await client.nextPublish(), { topic: "v2/a", text: '{"deleted":["rate","mode"]}', qos: 1, messageId: 2 });
  client.send({ cmd: "unsubscribe", messageId: 3, unsubscriptions: ["v2/a"] });
  assert.equal((await client.next()).cmd, "unsuback");
  await write('{"rate":1}');
  await client.expectNothing();
});

test("two-way RPC: ids from 0, the reply comes back as JSON", async (t) => {
  const server = await start(t);
  const client = await mqttJs(t, server);
  client.on("message", (topic, payload) => {
    const { method, params } = JSON.parse(payload.toString()) as { method: string; params: unknown };
    const replies: Record<string, string> = { echo: JSON.stringify(params), broken: "not JSON", empty: "" };
    client.publish(topic.replace("request", "response"), replies[method] ?? "{}");
  });
  await client.subscribeAsync(rpcFilter, { qos: 1 });
  const id = onlyDevice(server).id;
  const sent = server.events.next("rpcSent");
  const call = (method: string, params = "null"): Promise<unknown> =>
    rest(server, "POST", `/api/rpc/twoway/${id}`, `{"method":"${method}","params":${params}}`);
  assert.deepEqual(await call("echo", '{ "pos": 3 }'), { status: 200, text: '{"pos":3}' });
  assert.deepEqual(await call("broken"), { status: 406, text: "" });
  assert.deepEqual(await call("empty"), { status: 200, text: "" });
  assert.deepEqual((await sent).requestId, 0);
});

test("one-way RPC completes when sent; its bytes are those of the spec", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(subscribe(1, [rpcFilter, 1]));
  await client.expectBytes("90 03 00 01 01");
  const path = `/api/plugins/rpc/oneway/${onlyDevice(server).id}`;
  const answer = rest(server, "POST", path, '{"params":{"pos":3},"method":"setValve"}');
  const topic = Buffer.from("v1/devices/me/rpc/request/0").toString("hex");
  const payload = Buffer.from('{"method":"setValve","params":{"pos":3}}').toString("hex");
  await client.expectBytes(`32 47 00 1b ${topic} 00 01 ${payload}`);
  assert.deepEqual(await answer, { status: 200, text: "" });
});

test("a silent device: 504 on one path, 409 or 408 on the other, by whether it was subscribed at the time", async (t) => {
  const server = await start(t, { rpcMinTimeoutMs: 1, rpcDefaultTimeoutMs: 60_000 });
  const id = onlyDevice(server).id;
  const call = async (base: string): Promise<number> =>
    (await rest(server, "POST", `${base}/twoway/${id}`, '{"method":"m","timeout":30}')).status;
  assert.deepEqual([await call("/api/rpc"), await call("/api/plugins/rpc")], [504, 409]);
  const client = await mqttJs(t, server);
  await client.subscribeAsync(rpcFilter);
  assert.deepEqual([await call("/api/rpc"), await call("/api/plugins/rpc")], [504, 408]);
});

test("SUBSCRIBE to the RPC topic sends what is pending, and again after each new SUBSCRIBE", async (t) => {
  const server = await start(t);
  const id = onlyDevice(server).id;
  const client = await rawLogin(t, server);
  client.packets.length = 0;
  const oneWay = rest(server, "POST", `/api/rpc/oneway/${id}`, '{"method":"one"}');
  const twoWay = rest(server, "POST", `/api/rpc/twoway/${id}`, '{"method":"two","params":[1]}');
  while (onlyDevice(server).rpcs.pendingCount < 2) await new Promise(setImmediate);
  await client.expectNothing();
  client.send(subscribe(1, [rpcFilter, 0]));
  assert.equal((await client.next()).cmd, "suback");
  const first = [(await client.nextPublish()).text, (await client.nextPublish()).text].sort();
  assert.deepEqual(first, ['{"method":"one","params":null}', '{"method":"two","params":[1]}']);
  assert.equal((await oneWay).status, 200);
  client.send(subscribe(2, ["v2/r/req/+", 1]));
  assert.equal((await client.next()).cmd, "suback");
  const again = await client.nextPublish();
  assert.match(again.topic, /^v2\/r\/req\/\d$/);
  client.send(publish(again.topic.replace("req", "res"), "[2]", 0), publish("v1/devices/me/rpc/response/99", "{}", 1, 5));
  assert.deepEqual(await twoWay, { status: 200, text: "[2]" });
  assert.equal((await client.next()).cmd, "puback");
});

test("client-side RPC: getSessionLimits, an answering function, and the timeout", async (t) => {
  const server = await start(t, {
    clientRpcTimeoutMs: 20,
    answerClientRpc: (_device, method, params) => {
      if (method === "fail") throw new Error("no such rule");
      if (method === "text") return "not JSON";
      return method === "add" ? `{"got":${params}}` : undefined;
    },
  });
  const client = await rawLogin(t, server);
  client.packets.length = 0;
  const ask = (topic: string, payload: string): void => client.send(publish(topic, payload, 0));
  ask("v1/devices/me/rpc/request/5", '{"method":"getSessionLimits"}');
  const limits = await client.nextPublish();
  assert.equal(limits.topic, "v1/devices/me/rpc/response/5");
  assert.equal(
    limits.text,
    '{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":{"messages":null,"telemetryMessages":null,"telemetryDataPoints":null}}',
  );
  ask("v1/devices/me/rpc/request/6", '{"method":"add","params":{"a": 1}}');
  assert.deepEqual((await client.nextPublish()).text, '{"got":{"a":1}}');
  const failed = server.events.next("refused");
  ask("v1/devices/me/rpc/request/1", '{"method":"text"}');
  ask("v1/devices/me/rpc/request/2", '{"method":"fail"}');
  assert.match((await failed).reason, /no such rule/);
  assert.deepEqual((await client.nextPublish()).topic, "v1/devices/me/rpc/response/2");
  ask("v1/devices/me/rpc/request/7", '{"method":"getCurrentTime"}');
  const { topic, text, qos } = await client.nextPublish();
  assert.deepEqual([topic, text, qos], ["v1/devices/me/rpc/response/7", '{"error":"timeout"}', 1]);
  ask("v2/r/req/8", '{"method":"getSessionLimits"}');
  const overV2 = await client.nextPublish();
  assert.deepEqual([overV2.topic, overV2.text], ["v2/r/res/8", '{"error":"timeout"}']);
});

test("packet ids wrap from 65535 to 1", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  const { session } = onlyDevice(server);
  assert.ok(session instanceof Session);
  for (let id = 1; id <= 65_535; id++) assert.equal(session.takePacketId(), id);
  client.packets.length = 0;
  client.send(publish("v1/devices/me/attributes/request/1", "{}", 0));
  assert.equal((await client.nextPublish()).messageId, 1);
});

test("nothing is replayed to a session that was not clean", async (t) => {
  const server = await start(t);
  const first = await rawConnect(t, server);
  first.send(connectBytes("DEMO_TOKEN", { clean: false }), subscribe(1, [attributes, 1]));
  await first.expectBytes("20 02 01 00 90 03 00 01 01");
  const gone = server.events.next("disconnected");
  first.socket.destroy();
  await gone;
  await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}/SHARED_SCOPE`, '{"rate":1}');
  const second = await rawConnect(t, server);
  second.send(connectBytes("DEMO_TOKEN", { clean: false }));
  await second.expectBytes("20 02 01 00");
  second.packets.length = 0;
  await second.expectNothing();
});

test("params and replies pass through REST as ThingsBoard prints them: doubles as Java does, text as it is", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(subscribe(1, [rpcFilter, 0]));
  await client.expectBytes("90 03 00 01 00");
  client.packets.length = 0;
  const cases: [sent: string, arrives: string][] = [
    ["[1.50, 1e2, 12345678901234567890, 0.00001, -0.0]", "[1.5,100.0,12345678901234567890,1.0E-5,-0.0]"],
    ['{"a":{"b":[]},"ü\u2028":"<&>"}', '{"a":{"b":[]},"ü\\u2028":"<&>"}'],
    ["false", "false"],
    ['""', '""'],
  ];
  for (const [sent, arrives] of cases) {
    const answer = rest(server, "POST", `/api/rpc/twoway/${onlyDevice(server).id}`, `{"method":"m\\"","params":${sent}}`);
    const { topic, text } = await client.nextPublish();
    assert.equal(text, `{"method":"m\\"","params":${arrives}}`);
    client.send(publish(topic.replace("request", "response"), sent, 0));
    assert.deepEqual(JSON.parse((await answer).text), JSON.parse(sent));
  }
});

test("UNSUBSCRIBE from the RPC topic holds RPCs back; ids go on after a reconnect", async (t) => {
  const server = await start(t);
  const first = await rawLogin(t, server);
  const path = `/api/rpc/oneway/${onlyDevice(server).id}`;
  first.send(subscribe(1, [rpcFilter, 1], ["v2/r/req/+", 1]));
  await first.expectBytes("90 04 00 01 01 01");
  first.packets.length = 0;
  assert.equal((await rest(server, "POST", path, '{"method":"a"}')).status, 200);
  assert.equal((await first.nextPublish()).topic, "v2/r/req/0");
  // One flag for all families.
  first.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: [rpcFilter] });
  assert.equal((await first.next()).cmd, "unsuback");
  const waiting = rest(server, "POST", path, '{"method":"b"}');
  while (onlyDevice(server).rpcs.pendingCount < 1) await new Promise(setImmediate);
  await first.expectNothing();
  const second = await rawLogin(t, server);
  second.send(subscribe(1, [rpcFilter, 1]));
  assert.equal((await second.next()).cmd, "suback");
  assert.equal((await second.nextPublish()).topic, "v1/devices/me/rpc/request/1");
  assert.equal((await waiting).status, 200);
});

test("client-side RPC: the timer of a request runs on, and an answer that comes after the timeout is delivered too", async (t) => {
  const late: ((answer: string) => void)[] = [];
  const server = await start(t, { answerClientRpc: () => new Promise<string>((resolve) => void late.push(resolve)) });
  const client = await rawLogin(t, server);
  client.packets.length = 0;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const ask = (id: number): void => client.send(publish(`v1/devices/me/rpc/request/${id}`, '{"method":"m"}', 0));
  ask(5);
  await client.expectNothing();
  t.mock.timers.tick(20_000);
  late[0]?.('{"t":20}');
  assert.equal((await client.nextPublish()).text, '{"t":20}');
  // The id is used again 20 s after, and times out 60 s after its first use.
  ask(5);
  ask(-6);
  await client.expectNothing();
  t.mock.timers.tick(39_999);
  await client.expectNothing();
  t.mock.timers.tick(1);
  const { topic, text } = await client.nextPublish();
  assert.deepEqual([topic, text], ["v1/devices/me/rpc/response/5", '{"error":"timeout"}']);
  t.mock.timers.tick(19_999);
  await client.expectNothing();
  t.mock.timers.tick(1);
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/rpc/response/-6");
  late[1]?.('{"t":80}');
  assert.equal((await client.nextPublish()).text, '{"t":80}');
  await client.expectNothing();
});

test("responses have the QoS that was granted to their filter; an attribute named deleted is told as any other", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(subscribe(1, ["v1/devices/me/attributes/response/+", 0], ["v1/devices/me/rpc/response/+", 0], [attributes, 1]));
  await client.expectBytes("90 05 00 01 00 00 01");
  client.packets.length = 0;
  client.send(publish("v1/devices/me/attributes/request/1", "{}", 0), publish("v1/devices/me/rpc/request/2", '{"method":"getSessionLimits"}', 0));
  assert.deepEqual([(await client.nextPublish()).qos, (await client.nextPublish()).qos], [0, 0]);
  // The family that was not subscribed to is answered at QoS 1.
  client.send(publish("v2/a/req/3", "{}", 0));
  assert.equal((await client.nextPublish()).qos, 1);
  await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}/SHARED_SCOPE`, '{"deleted":"x"}');
  const { text, messageId } = await client.nextPublish();
  assert.deepEqual([text, messageId], ['{"deleted":"x"}', 4]);
});
