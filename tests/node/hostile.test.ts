// What a server may send, and what callbacks may throw, ends neither the process nor the client.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { GatewayClient, MoteError, type MessageValue } from "../../host/node/index.ts";
import { connected, listen, nextEvent, withStatus, type Link } from "./harness.ts";

async function gateway(t: TestContext): Promise<{ link: Link; gateway: GatewayClient }> {
  const broker = await listen(t);
  const made = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, rpc: false, shared_attributes: false, session_limits: false });
  t.after(() => made.stop());
  await made.connect();
  return { link: await broker.link(), gateway: made };
}

for (const answer of ['{"shared":null}', '{"shared":5}', '{"shared":[1]}', '{"client":null}']) {
  test(`attributes that are no object: ${answer}`, async (t) => {
    const { link, client } = await connected(t, { shared_attributes: true });
    const subscription = client.subscribeAttributes(["a"]);
    link.publish("v1/devices/me/attributes/response/1", answer);
    const asked = client.requestAttributes({ shared: ["b"] });
    link.publish("v1/devices/me/attributes/response/2", answer);
    await assert.rejects(asked, withStatus("WrongType", MoteError));
    link.publish("v1/devices/me/attributes", '{"a":7}');
    assert.deepEqual((await subscription.next()).value, { values: { a: 7 }, deleted: [] });
  });
}

for (const answer of ['"values":null', '"values":5', '"values":[1]']) {
  test(`attributes of a child that are no object: ${answer}`, async (t) => {
    const { link, gateway: made } = await gateway(t);
    const child = await made.connectChild("a");
    const asked = child.requestAttributes({ scope: "shared", keys: ["k"] });
    await link.until(() => link.of("publish").some(({ topic }) => topic === "v1/gateway/attributes/request"), "the request");
    link.publish("v1/gateway/attributes/response", `{"id":1,"device":"a",${answer}}`);
    await assert.rejects(asked, withStatus("WrongType", MoteError));
  });
}

for (const data of ["", ',"data":null', ',"data":5', ',"data":[1]']) {
  test(`an update for a child without an object: {"device":"a"${data}}`, async (t) => {
    const { link, gateway: made } = await gateway(t);
    const child = await made.connectChild("a");
    const [updates, all, events] = [child.subscribeAttributes(), made.childAttributes(), made.events()];
    link.publish("v1/gateway/attributes", `{"device":"a"${data}}`);
    link.publish("v1/gateway/attributes", '{"device":"a","data":{"k":1}}');
    assert.deepEqual((await updates.next()).value, { values: { k: 1 }, deleted: [] });
    assert.deepEqual((await all.next()).value, { child: "a", values: { k: 1 }, deleted: [] });
    const told = await nextEvent(events, "InvalidMessage");
    assert.deepEqual([told.topic, told.reason], ["a", "WrongType"]);
  });
}

test("a handler whose reply throws while it is read answers that", async (t) => {
  const { link, client } = await connected(t, { rpc: true });
  client.onRpc(() => ({ get state(): MessageValue { throw new Error("no state"); } }));
  link.publish("v1/devices/me/rpc/request/7", '{"method":"get"}');
  assert.deepEqual(JSON.parse((await link.packet("publish")).payload.toString()), { error: "no state" });
});

test("onAppended that throws rejects its own send alone: the message leaves once, and those behind it follow", async (t) => {
  const { link, client } = await connected(t, { send_buffer: 256, max_inflight: 1 });
  link.answers.publish = false;
  const fail = (): void => { throw new Error("from the callback"); };
  const values = (sequence: number): { sequence: number; text: string } => ({ sequence, text: "x".repeat(100) });
  const sends = [
    client.sendTelemetry(values(0)), client.sendTelemetry(values(1)),
    client.sendTelemetry(values(2), { onAppended: fail }), client.sendTelemetry(values(3)),
  ];
  const settled = Promise.allSettled(sends);
  assert.ok(client.stats.sendsWaiting >= 2, "the one with the callback has to wait");
  for (let count = 1; count <= 4; count++) link.puback((await link.packet("publish", count)).messageId!);
  const results = await settled;
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  assert.match(String((results[2] as PromiseRejectedResult).reason), /from the callback/);
  await client.disconnect();
  assert.deepEqual(link.of("publish").map(({ payload }) => (JSON.parse(payload.toString()) as { sequence: number }).sequence), [0, 1, 2, 3]);
});
