// Promises of messages when there is no room, no answer or no connection any more.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stat } from "../../build/generated/abi.ts";
import type { ClientModule } from "../../host/node/module.ts";
import { Outbox } from "../../host/node/outbox.ts";
import type { Runner } from "../../host/node/runner.ts";
import { DisconnectedError, FullError, MessageRejectedError } from "../../host/node/index.ts";
import { client, connected, Fault, listen, nextEvent, withStatus, type Link } from "./harness.ts";

const SMALL = { send_buffer: 256, max_inflight: 1 };
const values = (sequence: number): { sequence: number; text: string } => ({ sequence, text: "x".repeat(60) });

function sequences(link: Link): number[] {
  return link.of("publish").map(({ payload }) => (JSON.parse(payload.toString()) as { sequence: number }).sequence);
}

test("a full outbox makes senders wait, and all arrive in order", async (t) => {
  const { link, client } = await connected(t, SMALL);
  link.answers.publish = false;
  const sent = Array.from({ length: 12 }, (_, index) => client.sendTelemetry(values(index)));
  assert.ok(client.stats.sendsWaiting > 0, "nothing waits, so nothing was full");
  for (let count = 1; count <= 12; count++) link.puback((await link.packet("publish", count)).messageId!);
  await Promise.all(sent);
  assert.deepEqual(sequences(link), Array.from({ length: 12 }, (_, index) => index));
  assert.equal(client.stats.sendsWaiting, 0);
});

test("a full outbox rejects those who do not want to wait", async (t) => {
  const { link, client } = await connected(t, SMALL, { whenFull: "reject" });
  link.answers.publish = false;
  const results = await Promise.allSettled([
    ...Array.from({ length: 12 }, (_, index) => client.sendTelemetry(values(index), { qos: 0 })),
  ]);
  const rejected = results.filter((result) => result.status === "rejected");
  assert.ok(rejected.length > 0 && rejected.length < 12);
  for (const { reason } of rejected) withStatus("Full", FullError)(reason);
});

test("waiting is bounded", async (t) => {
  const { link, client } = await connected(t, SMALL, { waitingMax: 2 });
  link.answers.publish = false;
  const settled = Array.from({ length: 12 }, (_, index) => client.sendTelemetry(values(index)).then(() => "sent", (error: unknown) => error));
  assert.equal(client.stats.sendsWaiting, 2);
  withStatus("Full", FullError)(await settled.at(-1));
  await client.stop();
  await Promise.all(settled);
});

test("an aborted sender leaves the queue, and its message is never sent", async (t) => {
  const { link, client } = await connected(t, SMALL);
  link.answers.publish = false;
  const first = Array.from({ length: 4 }, (_, index) => client.sendTelemetry(values(index)));
  const waiting = client.stats.sendsWaiting;
  const controller = new AbortController();
  const aborted = client.sendTelemetry(values(99), { signal: controller.signal });
  assert.equal(client.stats.sendsWaiting, waiting + 1);
  controller.abort(new Error("no longer wanted"));
  await assert.rejects(aborted, /no longer wanted/);
  assert.equal(client.stats.sendsWaiting, waiting);
  for (let count = 1; count <= 4; count++) link.puback((await link.packet("publish", count)).messageId!);
  await Promise.all(first);
  assert.deepEqual(sequences(link), [0, 1, 2, 3]);
});

test("a signal that was aborted before sends nothing", async (t) => {
  const { client } = await connected(t);
  await assert.rejects(client.sendTelemetry({ a: 1 }, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(client.stats.messagesQueued, 0);
});

test("with outbox_drop_oldest the sender of a dropped message is told", async (t) => {
  const { link, client } = await connected(t, { ...SMALL, outbox_drop_oldest: true });
  const events = client.events();
  link.socket.destroy();
  await nextEvent(events, "Disconnected");
  const results = Promise.allSettled(Array.from({ length: 8 }, (_, index) => client.sendTelemetry(values(index))));
  const dropped = client.stats.messagesDropped;
  assert.ok(dropped > 0);
  const statuses = (await results).map(({ status }) => status);
  assert.deepEqual(statuses, [...Array<string>(dropped).fill("rejected"), ...Array<string>(8 - dropped).fill("fulfilled")]);
});

test("what was dropped is not lost by a trap as well: QoS 0 and 1 in turn, on their way to nobody", async (t) => {
  const levels = [0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0] as const;
  const broker = await listen(t);
  broker.answers.connect = false;
  for (let count = 8; count <= levels.length; count++) {
    const fault = new Fault();
    const made = client(t, broker.port, { ...SMALL, send_buffer: 512, outbox_drop_oldest: true }, { hooks: fault.hooks });
    const events = made.events();
    made.start();
    const link = await broker.link(count - 7);
    await link.packet("connect");
    const sent = levels.slice(0, count).map((qos, index) => made.sendTelemetry(values(index), { qos }).then(() => "sent", (error: { status: string }) => error.status));
    const dropped = made.stats.messagesDropped;
    assert.ok(dropped > 0 && dropped < count, `${dropped} dropped`);
    fault.isArmed = true;
    link.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
    assert.equal((await nextEvent(events, "Restarted")).messagesLost, count - dropped);
    assert.deepEqual(await Promise.all(sent), levels.slice(0, count).map((qos, index) => (qos === 0 ? "sent" : index < dropped ? "Full" : "Trapped")));
    await made.stop();
  }
});

test("a message that was dropped half a turn of ids ago says nothing of those that are on their way now", async () => {
  const counters: Record<number, number> = {};
  const module = { counter: (which: number) => counters[which] ?? 0, require: (result: number) => result } as unknown as ClientModule;
  const outbox = new Outbox(() => ({ ask: (call: (from: ClientModule) => unknown) => call(module), wake: () => {} }) as unknown as Runner, 1, "reject");
  const publish = (id: number): Promise<string> => outbox.publish("test", {}, () => id).then(() => "delivered", (error: { status: string }) => error.status);
  const first = publish(5);
  Object.assign(counters, { [Stat.MessagesDropped]: 1, [Stat.LastDroppedId]: 5 });
  const second = publish(20_000);
  Object.assign(counters, { [Stat.MessagesDropped]: 2 }); // one at QoS 0
  const third = publish(20_001);
  outbox.delivered(20_000);
  outbox.delivered(20_001);
  assert.deepEqual(await Promise.all([first, second, third]), ["Full", "delivered", "delivered"]);
});

test("a dropped request is not taken for the message behind it", async (t) => {
  const { broker, link, client } = await connected(t, { ...SMALL, outbox_drop_oldest: true });
  const events = client.events();
  link.socket.destroy();
  await nextEvent(events, "Disconnected");
  const request = assert.rejects(client.requestAttributes({ client: ["a"], timeoutMs: 1 }));
  // Two fill the outbox behind the request, and each further one takes the place of the oldest.
  const results = Promise.allSettled(Array.from({ length: 8 }, (_, index) => client.sendTelemetry(values(index))));
  const dropped = client.stats.messagesDropped;
  assert.ok(dropped > 1);
  const statuses = (await results).map(({ status }) => status);
  assert.deepEqual(statuses, [...Array<string>(dropped - 1).fill("rejected"), ...Array<string>(9 - dropped).fill("fulfilled")]);
  assert.deepEqual(sequences(await broker.link(2)), Array.from({ length: 9 - dropped }, (_, index) => dropped - 1 + index));
  await request;
});

test("messages survive a cut: sent again with DUP, resolved once", async (t) => {
  const { broker, link, client } = await connected(t);
  link.answers.publish = false;
  const sent = client.sendTelemetry({ a: 1 });
  const first = await link.packet("publish");
  link.socket.destroy();
  const again = await (await broker.link(2)).packet("publish");
  assert.deepEqual([again.messageId, again.dup, again.payload.toString()], [first.messageId, true, first.payload.toString()]);
  await sent;
});

test("a message that ends three sessions in a row is rejected, the next one is delivered", async (t) => {
  const { broker, link, client } = await connected(t);
  const events = client.events();
  broker.answers.publish = link.answers.publish = false;
  const poison = client.publish("poison", "x");
  const rejected = assert.rejects(poison, MessageRejectedError);
  for (let count = 1; count <= 3; count++) {
    const session = await broker.link(count);
    await session.packet("publish");
    session.socket.destroy();
  }
  const event = await nextEvent(events, "MessageRejected");
  assert.deepEqual([event.topic, Buffer.from(event.payload).toString()], ["poison", "x"]);
  await rejected;
  broker.answers.publish = true;
  for (const session of broker.links) session.answers.publish = true;
  await client.publish("fine", "y");
});

test("disconnect lets the outbox drain, then says DISCONNECT", async (t) => {
  const { link, client } = await connected(t);
  const sent = Promise.all([client.sendTelemetry({ a: 1 }), client.sendTelemetry({ a: 2 })]);
  await client.disconnect();
  await sent;
  assert.equal(client.state, "Stopped");
  await link.closed();
  assert.equal(link.packets.at(-1)!.cmd, "disconnect");
});

test("stop ends at once: DISCONNECT, every wait rejected, every iterator over", async (t) => {
  const { link, client } = await connected(t);
  link.answers.publish = false;
  const events = client.events();
  const messages = client.subscribe("a");
  const requests = client.rpcRequests();
  const rejected = assert.rejects(client.sendTelemetry({ a: 1 }), withStatus("Requested", DisconnectedError));
  await link.packet("publish");
  await client.stop();
  await rejected;
  await link.closed();
  assert.equal(link.packets.at(-1)!.cmd, "disconnect");
  assert.equal((await messages.next()).done, true);
  assert.equal((await requests.next()).done, true);
  let count = 0;
  for await (const event of events) count += event.type === "Connected" ? 1 : 0;
  assert.equal(count, 0, "iterators made after connecting do not tell the past");
});

test("a stopped client starts again", async (t) => {
  const { broker, client } = await connected(t);
  await client.stop();
  await client.connect();
  await client.sendTelemetry({ a: 1 });
  assert.equal((await (await broker.link(2)).packet("publish")).payload.toString(), '{"a":1}');
});
