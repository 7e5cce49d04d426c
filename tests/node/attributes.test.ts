// Subscriptions to shared attributes, and streams of large messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DisconnectedError, FullError } from "../../host/node/index.ts";
import { keysToRequest, AttributesSubscription, type AttributesUpdate } from "../../host/node/attributes.ts";
import { connected, nextEvent, withStatus } from "./harness.ts";

const topic = "v1/devices/me/attributes";

test("a handler may end its own subscription, and hears nothing more; one that throws hears the next", async (t) => {
  const { link, client: made } = await connected(t, { shared_attributes: true });
  const heard: string[] = [];
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => { warnings.push(warning.message); };
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const once = made.subscribeAttributes(undefined, { refresh: false, handler: (update) => {
    heard.push(`once ${JSON.stringify(update.values)}`);
    once.unsubscribe();
  } });
  const done = new Promise<void>((resolve) => {
    made.subscribeAttributes(["b"], { refresh: false, handler: ({ values }) => {
      heard.push(`b ${String(values["b"])}`);
      if (values["b"] === 2) resolve();
      throw new Error("handler");
    } });
  });
  link.publish(topic, '{"b":1}');
  link.publish(topic, '{"a":1}');
  link.publish(topic, '{"b":2}');
  await done;
  assert.deepEqual(heard, ['once {"b":1}', "b 1", "b 2"]);
});

test("requests after a reconnect fit small buffers, and leave out what cannot be asked for", () => {
  const subscription = (keys?: string[]): AttributesSubscription => new AttributesSubscription(keys, 1, () => {}, {});
  assert.deepEqual(keysToRequest([]), []);
  assert.deepEqual(keysToRequest([subscription(["a", "b"]), subscription(["b", "c,d", ""])]), [["a", "b"]]);
  assert.deepEqual(keysToRequest([subscription(["a"]), subscription()]), [null]);
  const keys = Array.from({ length: 100 }, (_, index) => `attribute${index}`);
  const requests = keysToRequest([subscription(keys)]) as string[][];
  assert.deepEqual(requests.flat(), keys);
  assert.ok(requests.every((each) => each.join(",").length <= 140));
});

test("an update without anything for a subscription is none, and takes no place of those that wait", async () => {
  const release = (): void => {};
  const subscription = new AttributesSubscription(["a"], 1, () => {}, {});
  subscription.takeAnswer({}, ["a"]);
  assert.equal(subscription.take({ values: { other: 1 }, deleted: [], release }), true);
  assert.equal(subscription.take({ values: {}, deleted: ["other"], release }), true);
  assert.equal(subscription.take({ values: { a: 1 }, deleted: [], release }), true);
  assert.deepEqual((await subscription.next()).value.values, { a: 1 });
  subscription.takeAnswer({ a: 1 }, ["a"]); // as it was before the reconnect
  assert.equal(subscription.take({ values: {}, deleted: ["a"], release }), true);
  const { values, deleted } = (await subscription.next()).value as AttributesUpdate;
  assert.deepEqual([values, deleted], [{}, ["a"]]);
  subscription.takeAnswer({}, ["a"]); // what is gone is not told twice
  subscription.unsubscribe();
  assert.equal((await subscription.next()).done, true);
});

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("a message larger than the receive buffer is a stream", async (t) => {
  const { link, client: made } = await connected(t, { receive_buffer: 128 });
  const messages = made.subscribeStream("files/#");
  await messages.ready;
  const content = "0123456789".repeat(1000);
  link.publish("files/a", content, { qos: 1 });
  link.publish("files/b", "");
  const first = (await messages.next()).value!;
  assert.deepEqual([first.topic, first.total, first.qos], ["files/a", 10000, 1]);
  assert.equal(await text(first.body), content);
  const second = (await messages.next()).value!;
  assert.equal(await text(second.body), "");
  messages.unsubscribe();
  assert.equal((await link.packet("unsubscribe")).unsubscriptions[0], "files/#");
});

test("a stream says when the connection ends inside a message, and when its reader is too slow", async (t) => {
  const { link, client: made } = await connected(t, { receive_buffer: 128 });
  const messages = made.subscribeStream("f", { partsMax: 2 });
  await messages.ready;
  link.publish("f", "x".repeat(5000));
  const slow = (await messages.next()).value!;
  const events = made.events();
  // Two parts of a message of 16,383 bytes, as many as wait for their reader.
  link.socket.write(Buffer.concat([Buffer.from([0x30, 0xff, 0x7f, 0, 1]), Buffer.from("f"), Buffer.alloc(200, "y")]));
  const cut = (await messages.next()).value!;
  await assert.rejects(text(slow.body), withStatus("Full", FullError));
  link.socket.destroy();
  await nextEvent(events, "MessageAborted");
  await assert.rejects(text(cut.body), withStatus("ConnectionClosed", DisconnectedError));
});
