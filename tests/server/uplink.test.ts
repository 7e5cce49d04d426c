// What a device publishes: telemetry, attributes, the PUBACK rules R1 to R6, and the topics that are refused (spec 2.0 to 2.4).

import assert from "node:assert/strict";
import { generate as generatePacket, type Packet } from "mqtt-packet";
import { onlyDevice, publish, rawConnect, connectBytes, rawLogin, start, subscribe, test } from "./harness.ts";
import { valueText } from "../../host/server/values.ts";

const telemetry = "v1/devices/me/telemetry";
const attributes = "v1/devices/me/attributes";

test("telemetry in every accepted form is stored and acknowledged", async (t) => {
  const server = await start(t, { now: () => 5_000 });
  const client = await rawLogin(t, server);
  const device = onlyDevice(server);
  const latest = (key: string): string => {
    const point = device.latest.get(key);
    return point === undefined ? "none" : `${point.value.type} ${valueText(point.value)} @${point.tsMs}`;
  };
  const cases: [payload: string, key: string, stored: string][] = [
    ['{"a":21.5}', "a", "double 21.5 @5000"],
    ['{"ts":9000000000000,"values":{"b":true}}', "b", "boolean true @9000000000000"],
    ['{"ts":77,"c":1}', "ts", "long 77 @5000"],
    ['[{"d":1},{"ts":6000,"values":{"d":2}}]', "d", "long 2 @6000"],
    ['[{"ts":6000,"values":{"e":2}},{"e":1}]', "e", "long 2 @6000"],
    ['{"ts":"6001","values":{"f":"x"},"metadata":{}}', "f", "string x @6001"],
    ['{"ts":6001.9,"values":{"g":{"hi":[1, 2.50]}}}', "g", 'json {"hi":[1,2.50]} @6001'],
    ['{"ts":[6002],"values":{"h":1}}', "h", "long 1 @6002"],
    ['{"i":null,"j":1}', "i", "none"],
    ["{}", "k", "none"],
    ['{"k":null}', "k", "none"],
    ["[{}]", "k", "none"],
    ["{'l':hello; m=07}", "l", "string hello @5000"],
    ["{} // remark", "m", "long 7 @5000"],
  ];
  for (const [i, [payload, key, stored]] of cases.entries()) {
    client.send(publish(telemetry, payload, 1, i + 1));
    await client.expectBytes(`40 02 00 ${(i + 1).toString(16).padStart(2, "0")}`);
    assert.equal(latest(key), stored, payload);
  }
});

test("QoS 0 is stored without a PUBACK and QoS 2 is answered with PUBACK", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  const stored = server.events.next("telemetry", ({ key }) => key === "two");
  client.send(publish(telemetry, '{"zero":0}', 0), publish(telemetry, '{"two":2}', 2, 9));
  await client.expectBytes("40 02 00 09");
  await stored;
  assert.ok(onlyDevice(server).latest.has("zero"));
});

test("R1, R5: unknown topics get a plain PUBACK and reach nobody", async (t) => {
  const server = await start(t, { devices: [{ name: "one", token: "ONE" }, { name: "two", token: "TWO" }] });
  const one = await rawConnect(t, server);
  const two = await rawConnect(t, server);
  one.send(connectBytes("ONE"));
  two.send(connectBytes("TWO"), subscribe(1, [attributes, 1], ["nobody/knows", 1]));
  await one.expectBytes("20 02 00 00");
  await two.expectBytes("20 02 00 00 90 04 00 01 01 80");
  two.packets.length = 0;
  const topics = ["nobody/knows", "v1/devices/me/Telemetry", "/v1/devices/me/telemetry", "$SYS/x", "", "/".repeat(200)];
  for (const topic of topics) {
    one.send(publish(topic, "x", 1, 3));
    await one.expectBytes("40 02 00 03");
  }
  // The attributes one device publishes do not reach another that subscribed to the same topic, nor come back.
  one.send(subscribe(2, [attributes, 1]), publish(attributes, '{"a":1}', 1, 4));
  await one.expectBytes("90 03 00 02 01 40 02 00 04");
  one.packets.length = 0;
  one.send(publish("nobody/knows", "x", 0));
  await one.expectNothing();
  await two.expectNothing();
});

test("R2: a payload that cannot be converted closes the connection without a PUBACK", async (t) => {
  const server = await start(t);
  const cases: [topic: string, payload: string][] = [
    [telemetry, ""],
    [telemetry, "{"],
    [telemetry, "{} {}"],
    [telemetry, "5"],
    [telemetry, "null"],
    [telemetry, "[1]"],
    [telemetry, '{"ts":1,"values":5}'],
    [telemetry, '{"ts":[],"values":{}}'],
    [telemetry, '{"ts":[1,2],"values":{}}'],
    [attributes, "[]"],
    [attributes, '"x"'],
    ["v1/devices/me/attributes/request/x", "{}"],
    ["v1/devices/me/attributes/request/1", ""],
    ["v1/devices/me/attributes/request/1", '{"clientKeys":["a","b"]}'],
    ["v1/devices/me/attributes/request/1", '{"clientKeys":null}'],
    ["v1/devices/me/rpc/response/x", "{}"],
    ["v1/devices/me/rpc/request/1", "7"],
    // R4, which looks the same on MQTT 3.1.1.
    [telemetry, '{"ts":"abc","values":{}}'],
    [telemetry, '{"ts":null,"values":{}}'],
    [telemetry, '{"ts":true,"values":{}}'],
    ["v1/devices/me/rpc/request/1", "{}"],
    ["v1/devices/me/rpc/request/x", '{"method":"m"}'],
  ];
  for (const [topic, payload] of cases) {
    for (const qos of [0, 1] as const) {
      const client = await rawLogin(t, server);
      client.send(publish(topic, payload, qos));
      await client.expectClose().catch((error: Error) => assert.fail(`${topic} ${payload}: ${error.message}`));
    }
  }
  assert.equal(onlyDevice(server).latest.size, 0);
});

test("R2 with the profile option is a PUBACK that looks like success", async (t) => {
  const server = await start(t, { devices: [{ name: "d", token: "DEMO_TOKEN", acknowledgesBadPayload: true }] });
  const client = await rawLogin(t, server);
  client.send(publish(telemetry, "{", 1, 5));
  await client.expectBytes("40 02 00 05");
  client.send(publish(telemetry, "{", 0));
  await client.expectClose();
});

test("R6 and an empty telemetry array are never acknowledged", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(publish("v1/gateway/telemetry", "{}"), publish("v1/gatewayX", "x"), publish(telemetry, "[]"));
  await client.expectNothing();
});

test("an exception before CONNACK is swallowed and holds the queue until the next packet", async (t) => {
  const server = await start(t);
  const client = await rawConnect(t, server);
  const stored = server.events.next("telemetry");
  const refused = server.events.next("refused");
  client.send(
    connectBytes(),
    publish(telemetry, '{"ts":"abc","values":{}}', 1, 1),
    publish(telemetry, '{"a":1}', 1, 2),
  );
  await client.expectBytes("20 02 00 00");
  await refused;
  assert.equal(onlyDevice(server).latest.size, 0);
  client.send({ cmd: "pingreq" });
  await client.expectBytes("40 02 00 02 d0 00");
  await stored;
});

test("packets no decoder takes close the connection", async (t) => {
  const server = await start(t);
  const cases: [string, string][] = [
    ["packet id 0", "3208 0003 612f62 0000 78"],
    ["topic with +", "3005 0003 612f2b"],
    ["topic with #", "3005 0003 612f23"],
    ["QoS bits 3", "3607 0003 612f62 0001"],
    ["SUBSCRIBE flags", "8008 0001 0003 612f62 00"],
    ["SUBSCRIBE id 0", "8208 0000 0003 612f62 00"],
    ["PUBACK of id 0", "4002 0000"],
    ["length of five bytes", "30ffffffff01"],
  ];
  for (const [name, bytes] of cases) {
    const client = await rawLogin(t, server);
    client.send(Buffer.from(bytes.replaceAll(" ", ""), "hex"));
    await client.expectClose().catch((error: Error) => assert.fail(`${name}: ${error.message}`));
  }
});

test("a byte at a time or all at once, the answers are the same", async (t) => {
  const server = await start(t);
  const client = await rawConnect(t, server);
  const mqttPacket = (await import("mqtt-packet")).default;
  const bytes = Buffer.concat([
    connectBytes(),
    mqttPacket.generate(subscribe(1, [attributes, 2])),
    mqttPacket.generate(publish(telemetry, '{"a":1}', 1, 2)),
    Buffer.from("c000", "hex"),
  ]);
  for (const byte of bytes) client.socket.write(Buffer.of(byte));
  await client.expectBytes("20 02 00 00 90 03 00 01 01 40 02 00 02 d0 00");
});

test("what a client sends just before it closes, or before bad bytes, still counts", async (t) => {
  const server = await start(t);
  const device = onlyDevice(server);
  for (const ending of ["e000", ""]) {
    device.history.clear();
    const gone = server.events.next("disconnected");
    const client = await rawConnect(t, server);
    const points = Array.from({ length: 50 }, (_, i) => publish(telemetry, `{"ts":${i + 1},"values":{"k":${i}}}`, 0));
    client.send(connectBytes(), ...points, Buffer.from(ending, "hex"));
    client.socket.end();
    await gone;
    assert.equal(device.history.get("k")?.length, 50);
  }
  const client = await rawLogin(t, server);
  client.send(publish(telemetry, '{"last":1}', 1, 3), Buffer.from("36070003612f62000100", "hex"), { cmd: "pingreq" });
  await client.expectBytes("40 02 00 03");
  await client.expectClose();
});

test("the short topics mean the same as the long ones; those for Protobuf are refused", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server, 5);
  client.send(publish("v2/t", '{"a":1}', 1, 1), publish("v2/t/j", '{"b":2}', 1, 2), publish("v2/a", '{"c":3}', 1, 3), publish("v2/a/j", '{"d":4}', 1, 4));
  client.send(publish("v2/r/res/0", "x", 1, 5), publish("v2/r/res/j/0", "x", 1, 6));
  await client.expectBytes("40 02 00 01 40 02 00 02 40 02 00 03 40 02 00 04 40 02 00 05 40 02 00 06");
  const device = onlyDevice(server);
  assert.deepEqual([[...device.latest.keys()], [...device.attributes.CLIENT_SCOPE.keys()]], [["a", "b"], ["c", "d"]]);
  for (const topic of ["v2/t/p", "v2/a/p", "v2/a/req/p/1", "v2/r/req/p/1", "v2/r/res/p/1"]) {
    client.send(publish(topic, "{}", 1, 7));
    await client.expectBytes("40 04 00 07 99 00").catch((error: Error) => assert.fail(`${topic}: ${error.message}`));
  }
});

test("time stamps: numbers lose their fraction and wrap at 64 bits, texts are whole numbers of 64 bits, all else is an exception", async (t) => {
  const server = await start(t, { now: () => 5_000 });
  const client = await rawLogin(t, server, 5);
  const times: [ts: string, tsMs: number][] = [
    ["0", 0],
    ["-1", -1],
    ["-1.9", -1],
    ["1.76e12", 1_760_000_000_000],
    ["1e-3", 0],
    ["18446744073709551617", 1],
    ['"+7"', 7],
    ['"007"', 7],
    ['[["8"]]', 8],
  ];
  for (const [index, [ts, tsMs]] of times.entries()) {
    client.send(publish(telemetry, `{"ts":${ts},"values":{"t${index}":1}}`));
    await client.expectBytes("40 02 00 07").catch((error: Error) => assert.fail(`${ts}: ${error.message}`));
    assert.equal(onlyDevice(server).latest.get(`t${index}`)?.tsMs, tsMs, ts);
  }
  for (const ts of ['""', '" 7"', '"7.0"', '"9223372036854775808"', '"0x10"', "NaN", "true", "{}", "[null]", "1e10000"]) {
    const other = await rawLogin(t, server, 5);
    other.send(publish(telemetry, `{"ts":${ts},"values":{"t":1}}`));
    await other.expectBytes("e0 02 8b 00").catch((error: Error) => assert.fail(`${ts}: ${error.message}`));
    await other.expectClose();
  }
});

test("every other unchecked exception is told as 0x8B on MQTT 5", async (t) => {
  const server = await start(t);
  const cases: [topic: string, payload: string][] = [
    ["v1/devices/me/rpc/request/1", "{}"],
    ["v1/devices/me/rpc/request/1", '{"method":null}'],
    ["v1/devices/me/rpc/request/1", '{"method":{}}'],
    ["v1/devices/me/rpc/request/", '{"method":"m"}'],
    ["v1/devices/me/rpc/request/1x", '{"method":"m"}'],
    ["v1/devices/me/rpc/request/2147483648", '{"method":"m"}'],
    ["v1/devices/me/claim", '{"secretKey":null}'],
    ["v1/devices/me/claim", '{"durationMs":"soon"}'],
    ["v2/fw/request/1/chunk/0", "4k"],
    ["v2/fw/request/1/chunk/0", "4096\n"],
    ["v2/sw/request/1/chunk/0", "2147483648"],
    ["v2/fw/request/1/chunk/2147483648", "1"],
  ];
  for (const [topic, payload] of cases) {
    for (const qos of [0, 1] as const) {
      const client = await rawLogin(t, server, 5);
      client.send(publish(topic, payload, qos));
      await client.expectBytes("e0 02 8b 00").catch((error: Error) => assert.fail(`${topic} ${payload}: ${error.message}`));
      await client.expectClose();
    }
  }
});

test("keys are any text, and a member named twice has its last value", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(publish(attributes, '{"a.b":1,"a,b":2,"Größe \\u2028":3,"":4,"__proto__":5,"a.b":6,"same":"\\"\\u0001é"}', 1, 1));
  await client.expectBytes("40 02 00 01");
  client.packets.length = 0;
  client.send(publish("v1/devices/me/attributes/request/1", "{}", 0));
  const all = '{"client":{"a.b":6,"a,b":2,"Größe \\u2028":3,"":4,"__proto__":5,"same":"\\"\\u0001é"}}';
  assert.equal((await client.nextPublish()).text, all);
  // A comma separates keys, so a key that has one cannot be asked for.
  client.send(publish("v1/devices/me/attributes/request/2", '{"clientKeys":"a,b"}', 0));
  assert.equal((await client.nextPublish()).text, "{}");
  client.send(publish("v1/devices/me/attributes/request/3", '{"clientKeys":",a.b"}', 0));
  assert.equal((await client.nextPublish()).text, '{"client":{"a.b":6,"":4}}');
});

test("packets that only a server sends, and those of QoS 2, are ignored", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.send(Buffer.from("50020001 62020001 70020001 4002ffff 20020000 90030001 00 b0020001 d000".replaceAll(" ", ""), "hex"));
  await client.expectNothing();
});

test("a client that goes while an early exception holds its queue is gone", async (t) => {
  const server = await start(t);
  const early: Packet[] = [publish(telemetry, '{"ts":null,"values":{}}'), { cmd: "unsubscribe", messageId: 1, unsubscriptions: ["*"] }];
  for (const packet of early) {
    const gone = server.events.next("disconnected");
    const client = await rawConnect(t, server);
    client.send(connectBytes(), packet, publish(telemetry, '{"a":1}', 1, 2));
    client.socket.end();
    await gone;
    await client.expectBytes("20 02 00 00");
    await client.expectClose();
    assert.equal(onlyDevice(server).session, null);
  }
  assert.equal(onlyDevice(server).latest.size, 0);
});

/** Numbers that look random and are the same in every run. */
function pseudoRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

test("whatever bytes come, the server lives and lets go of every connection", async (t) => {
  const server = await start(t, { devices: [{ name: "d", token: "DEMO_TOKEN" }, { name: "gate", token: "GATE", isGateway: true }] });
  const below = pseudoRandom(20_261_121);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;
  const values = ["1", '"a"', "null", "[]", "{}", "[[1]]", "1e400", "'", '{"ts":1,"values":null}', '{"device":1,"id":[],"data":{}}', '{"a":[{"ts":"","values":[]}]}'];
  const topics = [telemetry, attributes, `${attributes}/request/1`, "v1/devices/me/rpc/request/1", "v1/devices/me/claim", "v2/fw/request/1/chunk/0", "v1/gateway/rpc", "v1/gateway/telemetry", "v1/gateway/attributes/request", "/provision/request", "\0"];
  const sockets: Promise<void>[] = [];
  for (let count = 0; count < 150; count++) {
    const version = pick([4, 5] as const);
    const client = await rawConnect(t, server, version);
    const login = connectBytes(pick(["DEMO_TOKEN", "GATE", "provision"]), { protocolVersion: version });
    const some = Array.from({ length: below(8) }, () => publish(pick(topics), pick(values), pick([0, 1, 2] as const), 1 + below(9)));
    const more: Packet[] = [subscribe(1, ["v2/r/req/+", 1], [pick(topics), 2]), { cmd: "unsubscribe", messageId: 2, unsubscriptions: [pick(["v2/a", "(", "*"])] }];
    const bytes = Buffer.concat([login, ...[...some, pick(more)].map((packet) => generatePacket(packet, { protocolVersion: version }))]);
    for (let flips = below(4); flips > 0; flips--) bytes[below(bytes.length)] = below(256);
    const at = below(bytes.length);
    client.send(bytes.subarray(0, at));
    client.send(bytes.subarray(at));
    client.socket.end();
    sockets.push(new Promise((resolve) => client.socket.once("close", () => resolve())));
  }
  await Promise.all(sockets);
  const client = await rawLogin(t, server);
  await client.expectNothing();
  assert.equal([...server.devices].filter(({ session }) => session !== null).length, 1);
});
