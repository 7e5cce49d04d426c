// Callers who pass, throw, abort and leave what no type and no example shows: each gets a named end, and nobody else pays for it.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Stat } from "../../build/generated/abi.ts";
import { DeviceClient, DisconnectedError, FullError, GatewayClient, InvalidValueError, JsonText, StreamSubscription, type DeviceClient as Client, type MessageValue, type RpcHandler } from "../../host/node/index.ts";
import type { ModuleHooks } from "../../host/node/instance.ts";
import type { ClientModule } from "../../host/node/module.ts";
import { Outbox } from "../../host/node/outbox.ts";
import type { Runner } from "../../host/node/runner.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import { messageRecord } from "../../host/node/message.ts";
import { connected, Fault, listen, nextEvent, withStatus } from "./harness.ts";

const SMALL = { send_buffer: 256, max_inflight: 1 };
const values = (sequence: number): { sequence: number; text: string } => ({ sequence, text: "x".repeat(60) });
/** Turns of the event loop, in which a client without anything to do polls a few times at most. */
const TURNS = 200;

function broken(): never {
  throw new Error("of the caller");
}

test("a send that waits for room does not keep the event loop busy", async (t) => {
  let polls = 0;
  const { link, client } = await connected(t, SMALL, { hooks: { afterExport: (name) => { polls += name === "poll" ? 1 : 0; } } });
  link.answers.publish = false;
  const sent = Promise.allSettled(Array.from({ length: 12 }, (_, index) => client.sendTelemetry(values(index))));
  await link.packet("publish");
  assert.ok(client.stats.sendsWaiting > 0, "nothing waits, so nothing was full");
  const before = polls;
  for (let count = 0; count < TURNS; count++) await turn();
  assert.ok(polls - before < TURNS / 4, `${polls - before} polls in ${TURNS} turns`);
  await client.stop();
  await sent;
});

test("what onAppended throws is handed back at QoS 0 too, whatever the limits split", async (t) => {
  const { client } = await connected(t);
  for (const qos of [0, 1] as const) await assert.rejects(client.sendTelemetry({ a: 1 }, { qos, onAppended: broken }), /of the caller/);
});

test("who aborts in its own onAppended takes the place of nobody else", async (t) => {
  const { link, client } = await connected(t, SMALL);
  link.answers.publish = false;
  const full = Promise.allSettled(Array.from({ length: 4 }, (_, index) => client.sendTelemetry(values(index))));
  assert.ok(client.stats.sendsWaiting > 0, "nothing waits, so nothing was full");
  const controller = new AbortController();
  const aborted = client.publish("aborted", "x", { signal: controller.signal, onAppended: () => controller.abort(new Error("enough")) });
  const behind = client.publish("behind", "y");
  const rejected = assert.rejects(aborted, /enough/);
  link.answers.publish = true;
  link.puback((await link.packet("publish")).messageId!);
  await Promise.all([full, rejected, behind]);
});

test("who is dropped for a message of the module's own is told in the next turn", async () => {
  const counters: Record<number, number> = {};
  const module = { counter: (which: number) => counters[which] ?? 0, require: (result: number) => result } as unknown as ClientModule;
  const runner = { module, ask: (call: (from: ClientModule) => unknown) => call(module), wake: () => {} } as unknown as Runner;
  const outbox = new Outbox(() => runner, 1, "reject");
  const dropped = assert.rejects(outbox.publish("test", {}, () => 5), withStatus("Full", FullError));
  Object.assign(counters, { [Stat.MessagesDropped]: 1, [Stat.LastDroppedId]: 5 });
  outbox.retry();
  await dropped;
});

test("a signal is listened to once, in however many messages a value leaves, and not any more at the end", async (t) => {
  const { link, client } = await connected(t);
  link.answers.publish = false;
  const { signal } = new AbortController();
  const rejected = assert.rejects(client.sendTelemetry(Array.from({ length: 60 }, (_, index) => values(index)), { signal }), withStatus("Requested", DisconnectedError));
  await link.packet("publish", 3);
  assert.equal(getEventListeners(signal, "abort").length, 1);
  await client.stop();
  await rejected;
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a subscription that the module refuses listens to no signal", async (t) => {
  const made = new DeviceClient({ mqtt_host: "h" }, { profile: "minimal" });
  t.after(() => made.stop());
  const controller = new AbortController();
  assert.throws(() => made.subscribe("a", { signal: controller.signal }), { status: "NotInProfile" });
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
});

test("a subscription that was declared while the module was down, and that the new one refuses, ends with the reason", async (t) => {
  const fault = new Fault();
  const { client } = await connected(t, {}, { hooks: fault.hooks });
  const events = client.events();
  fault.isArmed = true;
  client.publish("a", "b").catch(() => {});
  await nextEvent(events, "Disconnected");
  const messages = client.subscribe("a#");
  await nextEvent(events, "Restarted");
  await assert.rejects(messages.next(), withStatus("InvalidTopic", InvalidValueError));
});

test("the iterators of a child that the gateway has forgotten end with the gateway", async (t) => {
  const gateway = new GatewayClient({ mqtt_host: "h" });
  t.after(() => gateway.stop());
  const child = await gateway.connectChild("A");
  await gateway.disconnectChild("A", { qos: 0 });
  const updates = child.subscribeAttributes(["x"]);
  await gateway.stop();
  assert.equal((await updates.next()).done, true);
});

test("the body of a message that is not accepted ends, also where the server is not asked for it again", async (t) => {
  const { link, client } = await connected(t, { receive_buffer: 128, redeliver: false });
  const messages = client.subscribeStream("a", { qos: 1 });
  await messages.ready;
  link.publish("a", "x".repeat(1000), { qos: 1 });
  const { value } = await messages.next() as { value: { body: AsyncIterableIterator<Uint8Array>; release(isAccepted: boolean): void } };
  value.release(false);
  await assert.rejects(async () => { for await (const _part of value.body); }, withStatus("ConnectionClosed", DisconnectedError));
  link.publish("a", "whole", { qos: 1, messageId: 2 });
  const { value: next } = await messages.next() as { value: { body: AsyncIterableIterator<Uint8Array> } };
  assert.equal(Buffer.from((await next.body.next()).value as Uint8Array).toString(), "whole");
});

test("who subscribes inside a message has no part in it, and takes nothing from who reads it", async (t) => {
  const { link, client } = await connected(t, { receive_buffer: 128 });
  const early = client.subscribeStream("a");
  await early.ready;
  const publish = Buffer.concat([Buffer.from([0x30, 0x83, 0x01, 0, 1, 0x61]), Buffer.alloc(128, 0x78)]);
  link.socket.write(publish.subarray(0, 100));
  const { value: { body } } = await early.next() as { value: { body: AsyncIterableIterator<Uint8Array> } };
  const [stream, whole] = [client.subscribeStream("a"), client.subscribe("a")];
  link.socket.write(publish.subarray(100));
  let bytes = 0;
  for await (const part of body) bytes += part.length;
  assert.equal(bytes, 128);
  link.publish("a", "next");
  assert.deepEqual([(await stream.next()).value.total, Buffer.from((await whole.next()).value.payload as Uint8Array).toString()], [4, "next"]);
});

test("a message that one reader refuses ends for those who read it too", async (t) => {
  const { link, client } = await connected(t, { receive_buffer: 128 });
  const [slow, other] = [client.subscribeStream("a", { partsMax: 1 }), client.subscribeStream("a")];
  await Promise.all([slow.ready, other.ready]);
  link.publish("a", "x".repeat(1000));
  const { value: { body } } = await other.next() as { value: { body: AsyncIterableIterator<Uint8Array> } };
  await assert.rejects(async () => { for await (const _part of body); }, withStatus("ConnectionClosed", DisconnectedError));
});

test("the body of a message whose end nobody told of ends when the next message begins", async () => {
  const streams = new StreamSubscription("a", 0, {}, () => {});
  const part = { topic: "a", flags: 0, payload: new Uint8Array(3), total: 10, offset: 0 } as ModuleEvent;
  streams.take(part, () => {});
  const { value: { body } } = await streams.next() as { value: { body: AsyncIterableIterator<Uint8Array> } };
  const read = assert.rejects(async () => { for await (const _part of body); }, withStatus("ConnectionClosed", DisconnectedError));
  streams.take(part, () => {});
  await read;
});

test("a gateway that traps while it announces its children to the new instance begins again", async (t) => {
  let traps = 0;
  const broker = await listen(t);
  const hooks: ModuleHooks = {
    afterExport: (name) => {
      if (traps === 0 || !(traps === 2 ? name === "poll" : name === "gateway_connect")) return;
      traps--;
      throw new Error("injected");
    },
  };
  const gateway = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, session_limits: false, reconnect_min_ms: 1, reconnect_max_ms: 20 }, { hooks });
  t.after(() => gateway.stop());
  await gateway.connect();
  await gateway.connectChild("A");
  const events = gateway.events();
  traps = 2;
  gateway.publish("a", "b").catch(() => {});
  await nextEvent(events, "Connected");
  assert.deepEqual([traps, gateway.stats.traps], [0, 2]);
});

test("whatever a handler throws, the caller of the RPC is answered", async (t) => {
  const { link, client } = await connected(t, { rpc: true });
  const thrown: readonly unknown[] = [Object.create(null), Symbol("s"), undefined, new Error("\ud800")];
  for (const [index, each] of thrown.entries()) {
    client.onRpc((() => { throw each; }) as RpcHandler);
    link.publish(`v1/devices/me/rpc/request/${index}`, '{"method":"m"}');
    const reply = await link.packet("publish", index + 1);
    assert.deepEqual([reply.topic, Object.keys(JSON.parse(reply.payload.toString()) as object)], [`v1/devices/me/rpc/response/${index}`, ["error"]]);
  }
});

test("toJSON is asked once, as JSON.stringify does, whatever it answers", () => {
  const itself = { a: 1, toJSON(): unknown { return this; } };
  const cases: [unknown, unknown][] = [
    [{ x: { toJSON: () => undefined }, y: 1 }, { y: 1 }], [[{ toJSON: () => undefined }], [null]], [{ x: { toJSON: () => ({ toJSON: () => 5, z: 1 }) } }, { x: { z: 1 } }], [itself, { a: 1 }],
  ];
  for (const [given, expected] of cases) {
    assert.deepEqual(JSON.parse(JSON.stringify(given)), expected);
    assert.deepEqual(messageRecord(given as MessageValue), messageRecord(expected as MessageValue));
  }
});

/** Calls with something in the place of an argument that no type lets through. */
const WRONG: Readonly<Record<string, (client: Client, wrong: never) => unknown>> = {
  "telemetry null": (client) => client.sendTelemetry(null as never), "telemetry of numbers": (client) => client.sendTelemetry([5] as never),
  "attributes undefined": (client) => client.sendAttributes(undefined as never), "ready JSON of a number": (client) => client.sendTelemetry(new JsonText(5 as never)),
  topic: (client) => client.publish(Symbol("t") as never, "x"), payload: (client) => client.publish("t", 5 as never), filter: (client) => client.subscribe(null as never),
  "filter of a stream": (client) => client.subscribeStream({} as never), method: (client) => client.requestRpc(7 as never), keys: (client) => client.subscribeAttributes([1] as never),
  "keys of a request": (client) => client.requestAttributes({ shared: [null] as never }), "keys that are a text": (client) => client.requestAttributes({ client: "ab" as never }),
  handler: (client) => client.onRpc(5 as never), "handler of images": (client) => client.onOta("f" as never), claim: (client) => client.claim(null as never),
  "options null": (client) => client.sendTelemetry({ a: 1 }, null as never), signal: (client) => client.sendTelemetry({ a: 1 }, { signal: {} as never }),
  "signal of an iterator": (client) => client.events({ signal: 5 as never }), "signal of connect": (client) => client.connect({ signal: "s" as never }),
  children: (client) => (client as GatewayClient).sendChildTelemetry(5 as never), pairs: (client) => (client as GatewayClient).sendChildAttributes([["A", null]] as never),
  name: (client) => (client as GatewayClient).connectChild(undefined as never), "keys of a child": async (client) => {
    const child = (client as GatewayClient).child("A")!;
    return child.requestAttributes({ scope: "client", keys: [5] as never });
  },
};

test("arguments of other types are refused by name, when they are passed", async (t) => {
  const broker = await listen(t);
  const gateway = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, rpc: false, shared_attributes: false, session_limits: false });
  t.after(() => gateway.stop());
  await gateway.connect();
  await gateway.connectChild("A");
  for (const [what, run] of Object.entries(WRONG)) {
    await assert.rejects(async () => run(gateway, undefined as never), (error) => error instanceof InvalidValueError, what);
  }
  assert.equal((await broker.link()).of("publish").length, 1);
});
