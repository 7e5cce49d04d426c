// Requests of the client through the local server and a scripted one: each ends, with an answer, an error or a timeout.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidValueError, RemoteError, RequestTimeoutError, RefusedError, TooLargeError } from "../../host/node/index.ts";
import { demoDevice, startServer } from "../../host/server/server.ts";
import { client, connected, nextEvent, withStatus, type Link } from "./harness.ts";

const rpcTopic = (id: number): string => `v1/devices/me/rpc/response/${id}`;

async function request(link: Link, count: number): Promise<{ id: number; payload: string }> {
  const { topic, payload } = await link.packet("publish", count);
  return { id: Number(topic.split("/").at(-1)), payload: payload.toString() };
}

test("client-side RPC: method and params go out, the answer comes back", async (t) => {
  const { link, client } = await connected(t);
  const answer = client.requestRpc("getWeather", { city: "Kyiv" });
  const { id, payload } = await request(link, 1);
  assert.equal(payload, '{"method":"getWeather","params":{"city":"Kyiv"}}');
  link.publish(rpcTopic(id), '{"t":21}');
  assert.deepEqual(await answer, { t: 21 });
  const bare = client.requestRpc("reboot");
  const next = await request(link, 2);
  assert.equal(next.payload, '{"method":"reboot"}');
  link.publish(rpcTopic(next.id), "[1,null]");
  assert.deepEqual(await bare, [1, null]);
});

test("many RPCs at once get their own answers in any order, an error is a RemoteError", async (t) => {
  const { link, client } = await connected(t);
  const answers = ["a", "b", "c"].map((method) => client.requestRpc(method));
  const failed = assert.rejects(answers[1]!, (error) => withStatus("RemoteError", RemoteError)(error) && (error as RemoteError).answer === '{"error":"timeout"}');
  const ids = await Promise.all([1, 2, 3].map(async (count) => (await request(link, count)).id));
  link.publish(rpcTopic(ids[2]!), '"third"');
  link.publish(rpcTopic(ids[1]!), '{"error":"timeout"}');
  link.publish(rpcTopic(ids[0]!), '"first"');
  assert.deepEqual([await answers[0], await answers[2]], ["first", "third"]);
  await failed;
});

test("keys that cannot be asked for are refused, since the server would take them for others, or for all", async (t) => {
  const { link, client: made } = await connected(t);
  for (const key of ["a,b", ",", ""]) {
    await assert.rejects(made.requestAttributes({ client: ["a", key] }), withStatus("InvalidValue", InvalidValueError));
    await assert.rejects(made.requestAttributes({ shared: [key] }), withStatus("InvalidValue", InvalidValueError));
  }
  await made.publish("end", "");
  assert.deepEqual(link.of("publish").map(({ topic }) => topic), ["end"]);
});

test("an RPC without an answer rejects in time, an aborted one at once", async (t) => {
  const { link, client } = await connected(t);
  await assert.rejects(client.requestRpc("m", {}, { timeoutMs: 30 }), RequestTimeoutError);
  const controller = new AbortController();
  const aborted = client.requestRpc("m", {}, { signal: controller.signal });
  const { id } = await request(link, 2);
  controller.abort(new Error("not wanted"));
  await assert.rejects(aborted, /not wanted/);
  link.publish(rpcTopic(id), "{}");
  await client.sendTelemetry({ a: 1 });
});

test("an answer that does not fit ends its request, a request of the server with the same id ends none", async (t) => {
  const { link, client } = await connected(t, { receive_buffer: 128, rpc: true });
  const events = client.events();
  const asked = client.requestRpc("m");
  const { id } = await request(link, 1);
  link.publish(`v1/devices/me/rpc/request/${id}`, JSON.stringify({ method: "m", params: "x".repeat(500) }), { qos: 1 });
  await nextEvent(events, "MessageTooLarge");
  link.publish(rpcTopic(id), JSON.stringify("y".repeat(500)));
  await assert.rejects(asked, withStatus("TooLarge", TooLargeError));
});

test("requests survive a reconnect: they end by their timeout, ids are not used again", async (t) => {
  const { broker, link, client } = await connected(t);
  const events = client.events();
  const lost = client.requestRpc("m", null, { timeoutMs: 200 });
  const first = await request(link, 1);
  const rejected = assert.rejects(lost, RequestTimeoutError);
  link.socket.destroy();
  await nextEvent(events, "Connected");
  await rejected;
  const second = client.requestRpc("m");
  const again = await broker.link(2);
  await again.until(() => again.of("publish").some(({ topic }) => topic !== link.of("publish")[0]!.topic), "another request");
  const topic = again.of("publish").at(-1)!.topic;
  assert.notEqual(Number(topic.split("/").at(-1)), first.id);
  again.publish(rpcTopic(Number(topic.split("/").at(-1))), "1");
  assert.equal(await second, 1);
});

test("a request that waits for another one's answer holds no message up", async (t) => {
  const { link, client: made } = await connected(t, { max_requests: 1 });
  const first = made.requestRpc("first");
  const one = await request(link, 1);
  const second = made.requestRpc("second");
  const third = made.requestAttributes({ client: ["a"] });
  assert.equal(made.stats.sendsWaiting, 2);
  await made.sendTelemetry({ a: 1 });
  assert.equal((await link.packet("publish", 2)).payload.toString(), '{"a":1}');
  link.publish(rpcTopic(one.id), "1");
  assert.equal(await first, 1);
  const two = await request(link, 3);
  assert.equal(two.payload, '{"method":"second"}');
  link.publish(rpcTopic(two.id), "2");
  assert.equal(await second, 2);
  const { topic } = await link.packet("publish", 4);
  link.publish(topic.replace("request", "response"), '{"client":{"a":3}}');
  assert.deepEqual(await third, { client: { a: 3 }, shared: {} });
});

test("claim: key and duration, both optional, never null", async (t) => {
  const { link, client } = await connected(t);
  await client.claim({ secretKey: "abc", durationMs: 60000 });
  await client.claim();
  assert.deepEqual(link.of("publish").map(({ topic, payload }) => [topic, payload.toString()]), [
    ["v1/devices/me/claim", '{"secretKey":"abc","durationMs":60000}'], ["v1/devices/me/claim", "{}"],
  ]);
});

test("client-side RPC against the local server", async (t) => {
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  const made = client(t, server.mqttPort, { access_token: demoDevice.token });
  await made.connect();
  const limits = await made.requestRpc("getSessionLimits");
  assert.equal((limits as { maxPayloadSize: number }).maxPayloadSize, 65536);
  const wrong = client(t, server.mqttPort, { access_token: "wrong" });
  await assert.rejects(wrong.connect(), RefusedError);
});

test("a server-side RPC that the server repeats runs once, and its reply is sent again", async (t) => {
  const { broker, link, client } = await connected(t, { rpc: true });
  let runs = 0;
  client.onRpc(() => ({ run: ++runs }));
  const replies = (from: Link): string[] => from.of("publish").filter(({ topic }) => topic.includes("/rpc/response/"))
    .map(({ topic, payload }) => `${topic.split("/").at(-1)} ${payload.toString()}`);
  const ask = async (to: Link, id: number, params: unknown): Promise<void> => {
    const count = replies(to).length;
    to.publish(`v1/devices/me/rpc/request/${id}`, JSON.stringify({ method: "m", params }), { qos: 1, messageId: 5 });
    await to.until(() => replies(to).length > count, "a reply");
    // A reply that is still on its way is not sent twice, so the next question waits until this one was acknowledged.
    await client.sendTelemetry({ asked: id });
  };
  await ask(link, 0, 1);
  await ask(link, 0, 1);
  await ask(link, 0, 2);
  assert.deepEqual(replies(link), ['0 {"run":1}', '0 {"run":1}', '0 {"run":2}']);
  link.socket.destroy();
  const again = await broker.link(2);
  await again.packet("subscribe");
  await ask(again, 0, 2);
  assert.deepEqual(replies(again), ['0 {"run":2}']);
});

test("a repeated request whose handler still runs is answered once", async (t) => {
  const { link, client } = await connected(t, { rpc: true });
  let finish!: (value: number) => void;
  const begun = new Promise<void>((begin) => {
    client.onRpc(() => {
      begin();
      return new Promise<number>((resolve) => { finish = resolve; });
    });
  });
  const payload = '{"method":"slow","params":{}}';
  link.publish("v1/devices/me/rpc/request/3", payload, { qos: 1, messageId: 1 });
  await begun;
  link.publish("v1/devices/me/rpc/request/3", payload, { qos: 1, messageId: 2 });
  await link.packet("puback", 2);
  finish(7);
  await link.packet("publish");
  await client.sendTelemetry({ last: 1 });
  assert.equal(link.of("publish").filter(({ topic }) => topic.endsWith("/3")).length, 1);
});
