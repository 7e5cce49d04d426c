// Inbound messages that their readers answer: not accepted, they are dropped and counted, or with `redeliver` asked for again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BadStateError, type AttributesUpdate, type Message } from "../../host/node/index.ts";
import { connected, nextEvent, PATIENCE_MS, withStatus, type BareBroker, type Link } from "./harness.ts";

const REQUEST = '{"method":"purge","params":{"s":5}}';

/** The next connection, with its subscriptions accepted. */
async function next(broker: BareBroker, count: number): Promise<Link> {
  const link = await broker.link(count);
  await link.packet("subscribe");
  return link;
}

test("a message that is not accepted is dropped and counted, the next one is acknowledged as ever", async (t) => {
  const { link, client } = await connected(t);
  const messages = client.subscribe("in", { qos: 1 });
  await messages.ready;
  const seen: string[] = [];
  const read = (async () => {
    for await (const message of messages) {
      seen.push(Buffer.from(message.payload).toString());
      message.release(seen.length > 1);
      if (seen.length === 3) break;
    }
  })();
  for (const messageId of [1, 2, 3]) link.publish("in", String(messageId), { qos: 1, messageId });
  await read;
  await link.packet("puback", 3);
  assert.deepEqual(seen, ["1", "2", "3"]);
  assert.deepEqual(link.of("puback").map(({ messageId }) => messageId), [1, 2, 3]);
  assert.deepEqual([client.stats.inboundDropped, client.stats.inboundRedelivered], [1, 0]);
});

test("with redeliver it is asked for again, and one reader is enough to refuse it", async (t) => {
  const { broker, link, client } = await connected(t, { redeliver: true });
  const events = client.events();
  const messages = client.subscribe("in", { qos: 1 });
  const others = client.subscribe("#", { qos: 1 });
  await Promise.all([messages.ready, others.ready]);
  const refused = messages.next().then(({ value }) => (value as Message).release(false));
  const accepted = others.next().then(({ value }) => (value as Message).release(true));
  link.publish("in", "1", { qos: 1, messageId: 1 });
  await Promise.all([refused, accepted]);
  assert.equal((await nextEvent(events, "Disconnected")).reason, "Redelivery");
  assert.equal(link.of("puback").length, 0);
  const again = messages.next();
  const second = await next(broker, 2);
  second.publish("in", "1", { qos: 1, messageId: 1, dup: true });
  const { value } = await again as { value: Message };
  assert.equal(value.dup, true);
  assert.equal((await second.packet("puback")).messageId, 1);
  assert.throws(() => value.release(false), withStatus("BadState", BadStateError));
  assert.equal(client.stats.inboundRedelivered, 1);
});

test("what waited for its reader is acknowledged already; without a queue nothing waits", async (t) => {
  const { link, client } = await connected(t);
  const queued = client.subscribe("queued", { qos: 1 });
  const direct = client.subscribe("direct", { qos: 1, queueMessages: 0 });
  await Promise.all([queued.ready, direct.ready]);
  link.publish("queued", "1", { qos: 1, messageId: 1 });
  await link.packet("puback");
  const { value } = await queued.next() as { value: Message };
  assert.throws(() => value.release(true), withStatus("BadState", BadStateError));
  assert.equal(client.stats.inboundDropped, 0);
  link.publish("direct", "nobody reads", { qos: 1, messageId: 2 });
  await link.packet("puback", 2);
  assert.equal(client.stats.inboundDropped, 1);
  const read = direct.next().then(({ value: message }) => (message as Message).release(true));
  link.publish("direct", "taken", { qos: 1, messageId: 3 });
  await read;
  await link.packet("puback", 3);
  assert.equal(client.stats.inboundDropped, 1);
});

test("a stream is refused by any of its parts, and ends there", async (t) => {
  const { broker, link, client } = await connected(t, { redeliver: true, receive_buffer: 128 });
  const streams = client.subscribeStream("in", { qos: 1 });
  await streams.ready;
  const payload = "x".repeat(1000);
  const refused = (async () => {
    const { value } = await streams.next() as { value: { body: AsyncIterable<Uint8Array>; release(isAccepted: boolean): void } };
    let bytes = 0;
    for await (const part of value.body) {
      bytes += part.length;
      if (bytes > 300) value.release(false);
    }
  })();
  link.publish("in", payload, { qos: 1, messageId: 1 });
  await assert.rejects(refused, withStatus("ConnectionClosed"));
  const second = await next(broker, 2);
  second.publish("in", payload, { qos: 1, messageId: 1, dup: true });
  const { value } = await streams.next() as { value: { body: AsyncIterable<Uint8Array> } };
  let whole = "";
  for await (const part of value.body) whole += Buffer.from(part).toString();
  assert.equal(whole, payload);
  assert.equal((await second.packet("puback")).messageId, 1);
});

test("an RPC that is not accepted runs again when the server sends it again", async (t) => {
  const { broker, link, client } = await connected(t, { redeliver: true, rpc: true });
  let calls = 0;
  client.onRpc(({ release }) => {
    if (++calls > 1) return { calls };
    return release(false);
  });
  await link.packet("subscribe");
  link.publish("v1/devices/me/rpc/request/7", REQUEST, { qos: 1, messageId: 1 });
  const second = await next(broker, 2);
  second.publish("v1/devices/me/rpc/request/7", REQUEST, { qos: 1, messageId: 1, dup: true });
  const reply = await second.packet("publish");
  assert.deepEqual([reply.topic, reply.payload.toString()], ["v1/devices/me/rpc/response/7", '{"calls":2}']);
  assert.equal(link.of("puback").length, 0);
  assert.equal((await second.packet("puback")).messageId, 1);
});

test("an update of attributes can be refused, the answer to a request cannot", async (t) => {
  const { broker, link, client } = await connected(t, { redeliver: true, shared_attributes: true });
  await link.packet("subscribe");
  const updates: AttributesUpdate[] = [];
  let answered!: () => void;
  const answer = new Promise<void>((resolve) => { answered = resolve; });
  const all = client.subscribeAttributes(undefined, { handler: (update) => {
    updates.push(update);
    if (updates.length === 1) answered();
    if (updates.length === 2) update.release(false);
  } });
  const asked = await link.packet("publish");
  link.publish(asked.topic.replace("request", "response"), '{"shared":{"rate":1}}');
  await answer;
  assert.throws(() => updates[0]!.release(true), withStatus("BadState", BadStateError));
  link.publish("v1/devices/me/attributes", '{"rate":2}', { qos: 1, messageId: 1 });
  const second = await next(broker, 2);
  second.publish("v1/devices/me/attributes", '{"rate":2}', { qos: 1, messageId: 1, dup: true });
  assert.equal((await second.packet("puback")).messageId, 1);
  assert.deepEqual(updates.map(({ values }) => values), [{ rate: 1 }, { rate: 2 }, { rate: 2 }]);
  all.unsubscribe();
});

test("an update of attributes that finds its queue full is asked for again", { timeout: 2 * PATIENCE_MS }, async (t) => {
  const { broker, link, client } = await connected(t, { redeliver: true, shared_attributes: true }, { queueMessages: 1 });
  await link.packet("subscribe");
  const updates = client.subscribeAttributes(["rate"], { refresh: false });
  for (const rate of [1, 2]) link.publish("v1/devices/me/attributes", `{"rate":${rate}}`, { qos: 1, messageId: rate });
  const second = await next(broker, 2);
  assert.deepEqual(link.of("puback").map(({ messageId }) => messageId), [1]);
  assert.deepEqual((await updates.next()).value?.values, { rate: 1 });
  second.publish("v1/devices/me/attributes", '{"rate":2}', { qos: 1, messageId: 2, dup: true });
  assert.deepEqual((await updates.next()).value?.values, { rate: 2 });
  assert.equal((await second.packet("puback")).messageId, 2);
});
