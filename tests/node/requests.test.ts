// Requests of the client through the local server and a scripted one: each ends, with an answer, an error or a timeout.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteError, RequestTimeoutError, RefusedError, TooLargeError } from "../../host/node/index.ts";
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
