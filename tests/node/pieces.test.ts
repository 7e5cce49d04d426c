// The parts of the client that need no module: the queue of an iterator, matching of topics, the configuration.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventFlag } from "../../build/generated/abi.ts";
import { prepare } from "../../host/node/configuration.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import { AsyncQueue } from "../../host/node/queue.ts";
import { notLent } from "../../host/node/release.ts";
import { RecentRequests } from "../../host/node/rpc.ts";
import { matches } from "../../host/node/subscription.ts";

test("a queue is bounded, keeps order and ends after what is in it", async () => {
  const queue = new AsyncQueue<number>(2);
  assert.deepEqual([queue.push(1), queue.push(2), queue.push(3)], [true, true, false]);
  queue.end();
  assert.equal(queue.push(4), false);
  const read: number[] = [];
  for await (const item of queue) read.push(item);
  assert.deepEqual(read, [1, 2]);
});

test("a reader that waits gets the item whatever the capacity", async () => {
  const queue = new AsyncQueue<number>(1);
  const readers = [queue.next(), queue.next()];
  assert.ok(queue.push(1) && queue.push(2));
  assert.deepEqual((await Promise.all(readers)).map(({ value }) => value as number), [1, 2]);
});

test("a full queue that drops keeps the newest", async () => {
  const queue = new AsyncQueue<number>(2);
  for (const item of [1, 2, 3, 4]) queue.pushDroppingOldest(item);
  queue.end();
  const read: number[] = [];
  for await (const item of queue) read.push(item);
  assert.deepEqual(read, [3, 4]);
});

test("an error is thrown once, then the queue is over; the end is told once", async () => {
  let ends = 0;
  const queue = new AsyncQueue<number>(1, () => ends++);
  const reader = queue.next();
  queue.end(new Error("broken"));
  queue.end(new Error("again"));
  await assert.rejects(reader, /broken/);
  assert.equal((await queue.next()).done, true);
  assert.equal(ends, 1);
});

test("leaving the loop and a signal both end the queue", async () => {
  let ends = 0;
  const left = new AsyncQueue<number>(1, () => ends++);
  left.push(1);
  for await (const _item of left) break;
  const controller = new AbortController();
  const aborted = new AsyncQueue<number>(1, () => ends++, controller.signal);
  const reader = aborted.next();
  controller.abort();
  assert.equal((await reader).done, true);
  assert.equal(ends, 2);
});

const topics: [filter: string, topic: string, isMatch: boolean][] = [
  ["a/b", "a/b", true], ["a/b", "a/c", false], ["a/b", "a/b/c", false], ["a/b/c", "a/b", false],
  ["a/+", "a/b", true], ["a/+", "a", false], ["a/+", "a/", true], ["+", "a", true], ["+", "/a", false], ["+/+", "/a", true],
  ["#", "a/b/c", true], ["a/#", "a", true], ["a/#", "a/b/c", true], ["a/#", "ab", false], ["a/+/c", "a/b/c", true],
  ["#", "$SYS/x", false], ["+/x", "$SYS/x", false], ["$SYS/#", "$SYS/x", true],
];

for (const [filter, topic, isMatch] of topics) {
  test(`${filter} ${isMatch ? "matches" : "does not match"} ${topic} [MQTT-4.7]`, () => {
    assert.equal(matches(filter, topic), isMatch);
  });
}

test("the module sees of the configuration what is its own", () => {
  const { text, tls, address } = prepare({
    mqtt_host: "h", access_token: "t", tls: { ca: "ca.pem", key: "-----BEGIN secret" }, link: { ssid: "x", password: "hunter2" }, host: { pins: 1 },
  });
  assert.deepEqual(JSON.parse(text), { mqtt_host: "h", access_token: "t", tls: {} });
  assert.equal(tls?.ca, "ca.pem");
  assert.equal(address, "h:8883");
});

test("a text without parts for the host goes to the module as it is", () => {
  const text = '{ "mqtt_host" : "h" }';
  assert.equal(prepare(text).text, text);
});

test("a repeated RPC request is answered by the reply that it had, a new one with its id is not", async () => {
  const recent = new RecentRequests();
  const sent: unknown[] = [];
  const send = async (value: unknown): Promise<void> => { sent.push(value); };
  const event = { id: 0, name: "m", value: "1", topic: "t", flags: 0 } as ModuleEvent;
  const repeated = { ...event, flags: EventFlag.Repeated };
  const request = recent.take(event, send, notLent)!;
  assert.equal(recent.take(repeated, send, notLent), null, "it is still being worked on");
  assert.deepEqual(sent, []);
  await request.reply({ ok: 1 });
  assert.equal(recent.take(repeated, send, notLent), null);
  assert.deepEqual(sent, [{ ok: 1 }, { ok: 1 }]);
  assert.notEqual(recent.take({ ...repeated, value: "2" }, send, notLent), null);
  assert.notEqual(recent.take(event, send, notLent), null, "without the flag the server means another one");
  for (let id = 1; id <= 40; id++) recent.take({ ...event, id }, send, notLent);
  assert.notEqual(recent.take(repeated, send, notLent), null, "what was forgotten runs again");
});

test("a request that was not accepted is no repetition when it comes again", () => {
  const recent = new RecentRequests();
  const send = async (): Promise<void> => {};
  const event = { id: 0, name: "m", value: "1", topic: "t", flags: EventFlag.Repeated as number } as ModuleEvent;
  assert.notEqual(recent.take(event, send, notLent), null);
  recent.forget(event);
  assert.notEqual(recent.take(event, send, notLent), null);
});
