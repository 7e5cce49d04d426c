// What the client puts on the wire and takes from it, against a broker that speaks mqtt-packet.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidValueError, JsonText, SubscriptionRefusedError, TooLargeError, type Message } from "../../host/node/index.ts";
import { client, connected, listen, nextEvent, withStatus } from "./harness.ts";

const TELEMETRY = "v1/devices/me/telemetry";

test("CONNECT carries what the configuration says", async (t) => {
  const { link } = await connected(t, { client_id: "dev-1", access_token: "secret", keep_alive_s: 77, will_topic: "gone", will_payload: "bye" });
  const connect = await link.packet("connect");
  assert.equal(connect.clientId, "dev-1");
  assert.equal(connect.username, "secret");
  assert.equal(connect.keepalive, 77);
  assert.equal(connect.will?.topic, "gone");
});

const payloads = {
  flat: { temperature: 25.5, humidity: 60, enabled: true, fw: "v1.2.2" },
  numbers: { zero: -0, third: 1 / 3, tiny: 1e-16, large: 2 ** 63 - 1024, round: 2 ** 60, negative: -0.001, exponent: 1.5e-7 },
  texts: { "": "empty key", 'quo"te\\': 'line\n\u0001\u2028\ud83d\ude00"\\/', tab: "\t\b\f\r" },
  nested: { list: [1, [2, [3, {}]], null, false], object: { a: { b: { c: [] } } } },
};

for (const [name, values] of Object.entries(payloads)) {
  test(`telemetry is the JSON that JSON.stringify means: ${name}`, async (t) => {
    const { link, client } = await connected(t, { staging_buffer: 1024 });
    await client.sendTelemetry(values);
    const { topic, payload, qos, retain } = await link.packet("publish");
    assert.equal(topic, TELEMETRY);
    assert.deepEqual(JSON.parse(payload.toString()), JSON.parse(JSON.stringify(values)));
    assert.equal(qos, 1);
    assert.equal(retain, false);
  });
}

test("numbers that ThingsBoard stores as text leave as text", async (t) => {
  const { link, client } = await connected(t);
  await client.sendTelemetry({ none: NaN, most: -Infinity, wide: 2n ** 64n, tiny: 5e-324, list: [Infinity] });
  assert.deepEqual(JSON.parse((await link.packet("publish")).payload.toString()),
    { none: "NaN", most: "-Infinity", wide: "18446744073709551616", tiny: "5e-324", list: ["Infinity"] });
});

test("telemetry with times, ready JSON and BigInt arrive to the digit", async (t) => {
  const { link, client } = await connected(t);
  await client.sendTelemetry({ ts: 1700000000000, values: { a: 2n ** 63n - 1n } });
  await client.sendTelemetry([{ ts: 1, values: { a: 1 } }, { b: 2 }]);
  await client.sendTelemetry(new JsonText('{"ready":[1]}'));
  const sent = [];
  for (const count of [1, 2, 3]) sent.push((await link.packet("publish", count)).payload.toString());
  assert.equal(sent[0], '{"ts":1700000000000,"values":{"a":9223372036854775807}}');
  assert.deepEqual(JSON.parse(sent[1]!), [{ ts: 1, values: { a: 1 } }, { b: 2 }]);
  assert.equal(sent[2], '{"ready":[1]}');
});

test("QoS 0 resolves without an acknowledgement, retain and QoS are the caller's", async (t) => {
  const { link, client } = await connected(t);
  link.answers.publish = false;
  const ids: number[] = [];
  await client.publish("a/b", new Uint8Array([0, 255]), { qos: 0, retain: true, onAppended: (id) => ids.push(id) });
  const { topic, payload, qos, retain } = await link.packet("publish");
  assert.deepEqual([topic, [...Buffer.from(payload)], qos, retain, ids], ["a/b", [0, 255], 0, true, [0]]);
});

test("QoS 1 resolves with the PUBACK and not before", async (t) => {
  const { link, client } = await connected(t);
  link.answers.publish = false;
  let isDelivered = false;
  const sent = client.sendTelemetry({ a: 1 }).then(() => { isDelivered = true; });
  const { messageId } = await link.packet("publish");
  // A second message that is acknowledged shows that the client had every occasion to err.
  const second = client.sendTelemetry({ a: 2 });
  link.puback((await link.packet("publish", 2)).messageId!);
  await second;
  assert.equal(isDelivered, false);
  link.puback(messageId!);
  await sent;
});

test("what cannot be sent rejects and sends nothing", async (t) => {
  const { link, client } = await connected(t);
  await assert.rejects(client.publish("a/+", "x"), withStatus("InvalidTopic", InvalidValueError));
  // Half of a surrogate pair is no text: it would leave as U+FFFD, another topic.
  await assert.rejects(client.publish("a/\ud800", "x"), withStatus("InvalidTopic", InvalidValueError));
  await assert.rejects(client.publish("a", "\udc00x"), withStatus("InvalidUtf8", InvalidValueError));
  assert.throws(() => client.subscribe("\ud800/#"), withStatus("InvalidTopic", InvalidValueError));
  assert.throws(() => client.subscribeStream("\ud800/#"), withStatus("InvalidTopic", InvalidValueError));
  await assert.rejects(client.sendTelemetry({ ts: NaN, values: { a: 1 } }), withStatus("InvalidNumber", InvalidValueError));
  await assert.rejects(client.sendTelemetry(new JsonText("{")), InvalidValueError);
  await assert.rejects(client.sendTelemetry({ a: "x".repeat(100_000) }), withStatus("TooLarge", TooLargeError));
  await client.sendTelemetry({ a: 1 });
  assert.equal(link.of("publish").length, 1);
});

async function take(messages: AsyncIterator<Message>): Promise<Message> {
  return (await messages.next()).value as Message;
}

test("a subscription is asserted, delivers what matches, and ends with UNSUBSCRIBE", async (t) => {
  const { link, client } = await connected(t);
  const messages = client.subscribe("room/+/temperature", { qos: 1 });
  await messages.ready;
  assert.deepEqual((await link.packet("subscribe")).subscriptions.map(({ topic, qos }) => [topic, qos]), [["room/+/temperature", 1]]);
  link.publish("other", "no");
  link.publish("room/1/temperature", "20", { qos: 1, messageId: 9, retain: true });
  const message = await take(messages);
  assert.deepEqual([message.topic, Buffer.from(message.payload).toString(), message.qos, message.retain], ["room/1/temperature", "20", 1, true]);
  assert.equal((await link.packet("puback")).messageId, 9);
  await messages.return();
  assert.deepEqual((await link.packet("unsubscribe")).unsubscriptions, ["room/+/temperature"]);
});

test("a message of many receive buffers is put together, and in parts where asked", async (t) => {
  const { link, client } = await connected(t, { receive_buffer: 64 });
  const whole = client.subscribe("big");
  const parts = client.subscribe("big", { parts: true });
  await whole.ready;
  const payload = Buffer.from(Array.from({ length: 1000 }, (_, index) => index & 255));
  link.publish("big", payload, { qos: 1, messageId: 3 });
  assert.deepEqual(Buffer.from((await take(whole)).payload), payload);
  let offset = 0;
  while (offset < payload.length) {
    const part = await take(parts);
    assert.equal(part.offset, offset);
    assert.equal(part.total, payload.length);
    assert.deepEqual(Buffer.from(part.payload), payload.subarray(offset, offset + part.payload.length));
    offset += part.payload.length;
  }
  assert.equal((await link.packet("puback")).messageId, 3);
});

test("a message beyond the bound is passed over and told, the next one arrives", async (t) => {
  const { link, client } = await connected(t);
  const events = client.events();
  const messages = client.subscribe("big", { messageBytesMax: 100 });
  await messages.ready;
  link.publish("big", Buffer.alloc(101));
  link.publish("big", Buffer.alloc(100, 1));
  assert.equal((await nextEvent(events, "MessageTooLarge")).bytesNeeded, 101);
  assert.equal((await take(messages)).payload.length, 100);
});

test("a cut in the middle of a message delivers nothing of it", async (t) => {
  const { broker, link, client } = await connected(t, { receive_buffer: 64 });
  const events = client.events();
  const messages = client.subscribe("big");
  await messages.ready;
  // Header of a PUBLISH of 1,000 bytes, and a few hundred of them.
  link.socket.write(Buffer.concat([Buffer.from([0x30, 0xed, 0x07, 0, 3]), Buffer.from("big"), Buffer.alloc(300)]));
  await nextEvent(events, "Subscribed");
  link.socket.end();
  await nextEvent(events, "MessageAborted");
  const again = await broker.link(2);
  await again.packet("subscribe");
  again.publish("big", "small");
  assert.equal(Buffer.from((await take(messages)).payload).toString(), "small");
});

test("a refused subscription rejects `ready` and ends its iterator", async (t) => {
  const { link, client } = await connected(t);
  link.answers.subscribe = false;
  const messages = client.subscribe("forbidden");
  const { messageId } = await link.packet("subscribe");
  link.send({ cmd: "suback", messageId: messageId!, granted: [0x80] });
  await assert.rejects(messages.ready, SubscriptionRefusedError);
  await assert.rejects(messages.next(), SubscriptionRefusedError);
});

test("a subscription made before the connection is asserted by each one", async (t) => {
  const broker = await listen(t);
  const made = client(t, broker.port);
  const messages = made.subscribe("early");
  await made.connect();
  const first = await broker.link();
  await first.packet("subscribe");
  first.socket.destroy();
  const second = await broker.link(2);
  await second.packet("subscribe");
  second.publish("early", "1");
  assert.equal((await take(messages)).topic, "early");
});

test("acknowledgement and reply of an RPC leave in one piece", async (t) => {
  const { link, client } = await connected(t, { rpc: true });
  client.onRpc(() => ({ ok: true }));
  await link.packet("subscribe");
  link.publish("v1/devices/me/rpc/request/5", '{"method":"m","params":{"a":"\\u00e9"}}', { qos: 1, messageId: 4 });
  const reply = await link.packet("publish");
  assert.deepEqual([reply.topic, reply.payload.toString()], ["v1/devices/me/rpc/response/5", '{"ok":true}']);
  assert.equal(link.of("puback").length, 1);
  const last = link.chunks.at(-1)!;
  assert.equal(last[0], 0x40, "the chunk with the reply begins with the PUBACK");
});

test("a message arrives whole, however many parts the receive buffer makes of it", async (t) => {
  const { client: made, link } = await connected(t, { receive_buffer: 128 });
  const messages = made.subscribe("a/b");
  await link.packet("subscribe");
  for (const bytes of [0, 100, 120, 130, 240, 250, 370, 1000]) {
    const payload = Buffer.from(Array.from({ length: bytes }, (_, index) => (index * 7) & 255));
    link.publish("a/b", payload);
    const { value } = await messages.next();
    assert.deepEqual(Buffer.from(value!.payload), payload, `${bytes} bytes`);
  }
});
