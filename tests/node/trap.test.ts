// A trap ends the instance and never the client: rebuilt under the backoff, told by count, given up after five.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TrappedError, type DeviceClient } from "../../host/node/index.ts";
import { systemClock } from "../../host/node/ports/clock.ts";
import { client, connected, Fault, listen, longWaits, nextEvent, withStatus } from "./harness.ts";

test("after a trap the client connects again, with its subscriptions, and tells what RAM lost", async (t) => {
  const fault = new Fault();
  const { broker, link, client } = await connected(t, {}, { hooks: fault.hooks });
  const events = client.events();
  const messages = client.subscribe("kept");
  await messages.ready;
  link.answers.publish = false;
  const lost = [client.sendTelemetry({ a: 1 }), client.sendTelemetry({ a: 2 })].map((sent) => assert.rejects(sent, withStatus("Trapped", TrappedError)));
  await link.packet("publish", 2);
  fault.isArmed = true;
  link.publish("kept", "wakes the client");
  assert.equal((await nextEvent(events, "Disconnected")).reason, "Trapped");
  assert.equal((await nextEvent(events, "Restarted")).messagesLost, 2);
  await Promise.all(lost);
  await nextEvent(events, "Connected");
  const again = await broker.link(2);
  assert.equal((await again.packet("subscribe")).subscriptions[0]!.topic, "kept");
  again.publish("kept", "after");
  assert.equal(Buffer.from((await messages.next()).value.payload as Uint8Array).toString(), "after");
  await client.sendTelemetry({ a: 3 });
  assert.equal(client.stats.traps, 1);
});

test("QoS 0 messages that never left are counted as lost", async (t) => {
  const fault = new Fault();
  const broker = await listen(t);
  broker.answers.connect = false;
  const made = client(t, broker.port, {}, { hooks: fault.hooks });
  const events = made.events();
  made.start();
  const link = await broker.link();
  await link.packet("connect");
  await made.sendTelemetry({ a: 1 }, { qos: 0 });
  await made.sendTelemetry({ a: 2 }, { qos: 0 });
  fault.isArmed = true;
  link.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
  assert.equal((await nextEvent(events, "Restarted")).messagesLost, 2);
});

test("a send while the module is down waits for the new one", async (t) => {
  const fault = new Fault();
  const { broker, link, client } = await connected(t, {}, { hooks: fault.hooks });
  const events = client.events();
  fault.isArmed = true;
  link.publish("x", "wakes the client");
  await nextEvent(events, "Disconnected");
  const sent = client.sendTelemetry({ late: 1 });
  assert.equal(client.stats.sendsWaiting, 1);
  await sent;
  assert.equal((await (await broker.link(2)).packet("publish")).payload.toString(), '{"late":1}');
});

async function failForGood(fault: Fault, made: DeviceClient): Promise<void> {
  fault.isArmed = fault.isPermanent = true;
  const events = made.events();
  await assert.rejects(made.connect({ retry: true }), withStatus("Trapped", TrappedError));
  let restarts = 0;
  for await (const event of events) {
    if (event.type === "Restarted") restarts++;
    if (event.type !== "Failed") continue;
    assert.equal(event.messagesLost, 0);
    break;
  }
  assert.equal(restarts, 4);
}

test("five traps end the client with Failed; start tries again", async (t) => {
  const fault = new Fault();
  const broker = await listen(t);
  const made = client(t, broker.port, {}, { hooks: fault.hooks });
  await failForGood(fault, made);
  assert.equal(made.state, "Failed");
  assert.equal(made.stats.traps, 5);
  fault.isArmed = fault.isPermanent = false;
  const events = made.events();
  await made.connect();
  assert.equal((await nextEvent(events, "Restarted")).messagesLost, 0);
  await made.sendTelemetry({ a: 1 });
});

test("each rebuild waits at random, below a ceiling that doubles with each trap up to the last one", async (t) => {
  const port = (await listen(t)).port;
  const waits = longWaits(t);
  // Half of 32 bits, all of them, and none.
  for (const [random, expected] of [[-0x80000000, [500_000, 1_000_000, 1_500_000, 1_500_000]], [-1, [1_000_000, 2_000_000, 3_000_000, 3_000_000]], [0, []]] as const) {
    const fault = new Fault();
    const made = client(t, port, { reconnect_min_ms: 1_000_000, reconnect_max_ms: 3_000_000 }, { hooks: fault.hooks, ports: { clock: { ...systemClock, random: () => random } } });
    await failForGood(fault, made);
    assert.deepEqual(waits.splice(0).map(Math.round), expected);
  }
});

test("what the last of five traps lost is told by Failed, and not once more by the new start", async (t) => {
  const fault = new Fault();
  const { link, client: made } = await connected(t, {}, { hooks: fault.hooks });
  const events = made.events();
  link.answers.publish = false;
  const lost = assert.rejects(made.sendTelemetry({ a: 1 }), withStatus("Trapped", TrappedError));
  await link.packet("publish");
  for (let trap = 1; trap <= 4; trap++) {
    fault.isArmed = true;
    void made.sendTelemetry({ wake: trap }, { qos: 0 }).catch(() => {});
    await nextEvent(events, "Restarted");
    await nextEvent(events, "Connected");
  }
  await lost;
  const last = made.publish("never", "acknowledged");
  const rejected = assert.rejects(last, withStatus("Trapped", TrappedError));
  fault.isArmed = true;
  assert.equal((await nextEvent(events, "Failed")).messagesLost, 1);
  await rejected;
  await made.connect();
  assert.equal((await nextEvent(events, "Restarted")).messagesLost, 0);
});

test("the module never writes above the memory that it was given", async (t) => {
  const PATTERN = 0xa5;
  let end = 0;
  const calls = new Set<string>();
  const afterExport = (name: string, memory: Uint8Array, memoryEnd: number): void => {
    end = memoryEnd;
    if (name === "") memory.fill(PATTERN, memoryEnd);
    calls.add(name);
    const rest = memory.subarray(memoryEnd);
    assert.ok(rest.every((byte) => byte === PATTERN), `${name} wrote above ${memoryEnd}`);
  };
  const { client: made } = await connected(t, {}, { memoryBytes: 8192, hooks: { afterExport } });
  const messages = made.subscribe("a");
  await messages.ready;
  for (let sequence = 0; sequence < 50; sequence++) await made.sendTelemetry({ sequence, text: "x".repeat(100) });
  await messages.return();
  await made.disconnect();
  assert.equal(end, 8192);
  for (const name of ["configure", "poll", "send_telemetry", "subscribe", "unsubscribe", "disconnect"]) assert.ok(calls.has(name), name);
});

test("memory that is too small is refused with the bytes needed", () => {
  assert.throws(() => client({ after: () => {} } as never, 1, { send_buffer: 60_000 }, { memoryBytes: 8192 }), (error) => {
    withStatus("TooLarge")(error);
    assert.ok((error as { value: number }).value > 60_000);
    return true;
  });
});
