// Messages above the limits, cut by bytes and by points: every value arrives once, with its own time, in its own entry.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonText, TooLargeError, type Configuration, type DeviceClient, type Entry } from "../../host/node/index.ts";
import { entriesOf, membersOf } from "../../host/node/json-text.ts";
import { messageRecord, valueCost } from "../../host/node/message.ts";
import { countPoints, splitAttributes, splitChildAttributes, splitChildTelemetry, splitTelemetry, type MessageLimits } from "../../host/node/split.ts";
import type { MessageValue } from "../../host/node/values.ts";
import { compile, HEAD, LIBRARY } from "../app/sources.ts";
import { client, connected, listen, nextEvent, withStatus } from "./harness.ts";

const UNLIMITED = 1_000_000;
const limits = (given: Partial<MessageLimits>): MessageLimits =>
  ({ recordBytes: UNLIMITED, jsonBytes: UNLIMITED, points: Infinity, children: Infinity, jsonLimit: { name: "send_buffer", overheadBytes: 100 }, ...given });
const json = (value: MessageValue): string => JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? Number(each) : each));

/** Each value with the time of its entry, in order. */
function points(messages: readonly MessageValue[]): string[] {
  return messages.flatMap((message) => (Array.isArray(message) ? message : [message]) as Record<string, unknown>[])
    .flatMap((entry) => ("ts" in entry ? Object.entries(entry["values"] as object).map((pair) => [entry["ts"], ...pair]) : Object.entries(entry)))
    .map((pair) => JSON.stringify(pair));
}

const readings: Entry[] = Array.from({ length: 40 }, (_, index) => (index % 3 === 0
  ? { [`plain${index}`]: index, text: "ä\n\"".repeat(index % 5) }
  : { ts: 1700000000000 + index, values: { a: index, b: `x${index}`, nested: { deep: [1, 2, null] }, gone: undefined } }));

for (const bytes of [130, 200, 333, 1000]) {
  test(`telemetry in messages of at most ${bytes} bytes loses nothing and merges nothing`, () => {
    const messages = splitTelemetry(readings, limits({ jsonBytes: bytes }));
    for (const message of messages) assert.ok(Buffer.byteLength(json(message)) <= bytes, json(message));
    assert.deepEqual(points(messages), points(readings.map((entry) => JSON.parse(json(entry as MessageValue)) as MessageValue)));
    assert.ok(messages.every((message) => !Array.isArray(message) || message.length > 1));
  });
}

test("entries of one time, and without any, stay apart", () => {
  assert.deepEqual(splitTelemetry([{ a: 1 }, { a: 2 }], limits({})), [[{ a: 1 }, { a: 2 }]]);
  assert.deepEqual(splitTelemetry([{ ts: 5, values: { a: 1 } }, { ts: 5, values: { a: 2 } }], limits({ points: 1 })),
    [{ ts: 5, values: { a: 1 } }, { ts: 5, values: { a: 2 } }]);
  assert.deepEqual(splitTelemetry([{ ts: 5, a: 1 }], limits({ points: 1 })), [{ ts: 5 }, { a: 1 }], "ts without values is a value");
});

test("points are counted over the entries of a message", () => {
  const messages = splitTelemetry(readings, limits({ points: 4 }));
  for (const message of messages) assert.ok(points([message]).length <= 4);
  assert.equal(points(messages).length, points(readings as MessageValue[]).length - readings.filter((_, index) => index % 3 !== 0).length);
});

test("records stay within the staging area", () => {
  for (const message of splitTelemetry(readings, limits({ recordBytes: 252 }))) assert.ok(messageRecord(message).length <= 252);
});

test("a message that fills the staging area to its last byte is one message", () => {
  // ABI.md, section 7: begin and end take 12 bytes, each member 12 and its key in four.
  const message = { a: 1, b: 2, c: 3, d: 4 };
  assert.equal(messageRecord(message).length, 12 + 4 * (12 + 4) + 12);
  assert.equal(splitTelemetry([message], limits({ recordBytes: 88 })).length, 1);
  assert.equal(splitTelemetry([message], limits({ recordBytes: 87 })).length, 2);
});

test("what a value costs is what JSON.stringify and the record make of it", () => {
  // The module writes the two control characters with six bytes each, as JSON allows; JSON.stringify knows a shorter form of one.
  const values: MessageValue[] = [null, true, false, 0, -1.5, 1.5e-7, 2 ** 53, "", "ä€😀", "a\"b\\c", [], [1], [[], {}], {}, { a: 1, b: { c: "d" } }, { u: undefined, n: null }];
  for (const value of values) assert.equal(valueCost(value).jsonBytes, Buffer.byteLength(JSON.stringify(value)), JSON.stringify(value));
  assert.equal(valueCost("\u0001\n").jsonBytes, 2 + 6 + 6);
  assert.equal(valueCost([NaN, 2n ** 64n, 0.1 + 0.2]).jsonBytes, '["NaN","18446744073709551616",0.3]'.length);
});

test("attributes are cut into objects, also of odd names", () => {
  const values = Object.fromEntries([["__proto__", 1], ["", 2], ["ts", 3], ["values", 4]]);
  const messages = splitAttributes(values, limits({ points: 1 }));
  assert.deepEqual(messages.map((message) => JSON.stringify(message)), ['{"__proto__":1}', '{"":2}', '{"ts":3}', '{"values":4}']);
});

test("children keep their lists, and none is empty", () => {
  const children = Array.from({ length: 30 }, (_, index): [string, Entry[]] => [`child ${index}`, index % 4 === 0 ? [] : readings.slice(index, index + 3)]);
  const messages = splitChildTelemetry(children, limits({ jsonBytes: 300 })) as unknown as Record<string, Entry[]>[];
  for (const message of messages) {
    assert.ok(Buffer.byteLength(JSON.stringify(message)) <= 300);
    assert.ok(Object.values(message).every((entries) => Array.isArray(entries) && entries.length > 0));
  }
  for (const [name, entries] of children) {
    const arrived = messages.flatMap((message) => message[name] ?? []);
    assert.deepEqual(points(arrived as MessageValue[]), points(entries.map((entry) => JSON.parse(json(entry as MessageValue)) as MessageValue)), name);
  }
});

test("no message is about more children than the server takes at once", () => {
  const children = Array.from({ length: 7 }, (_, index): [string, Entry[]] => [`child ${index}`, [{ a: index }, { b: index }]]);
  const telemetry = splitChildTelemetry(children, limits({ children: 3 })) as object[];
  assert.deepEqual(telemetry.map((message) => Object.keys(message).length), [3, 3, 1]);
  assert.deepEqual(Object.assign({}, ...telemetry), Object.fromEntries(children));
  const attributes = splitChildAttributes(children.map(([name, [first]]) => [name, first as { a: number }]), limits({ children: 3 })) as object[];
  assert.deepEqual(attributes.map((message) => Object.keys(message).length), [3, 3, 1]);
});

test("metadata of a connector stays beside each part of its entry", () => {
  const metadata = { connector: "modbus", receivedTs: 1, publishedTs: new Date(2) };
  const entry = { ts: 7, values: { a: "x".repeat(60), b: "y".repeat(60) }, metadata };
  const expected = (values: object): unknown => ({ one: [{ ts: 7, values, metadata: { connector: "modbus", receivedTs: 1, publishedTs: 2 } }] });
  const asSent = splitChildTelemetry([["one", [entry]]], limits({ jsonBytes: 200 })).map((message) => JSON.parse(json(message)) as unknown);
  assert.deepEqual(asSent, [expected({ a: entry.values.a }), expected({ b: entry.values.b })]);
  assert.deepEqual(splitChildTelemetry([["one", [entry]]], limits({ points: 1 })).length, 2);
  const [text] = entriesOf(new JsonText(JSON.stringify(entry)));
  assert.equal(countPoints([text!]), 2);
  assert.throws(() => splitTelemetry([{ ts: 1, values: {}, metadata: { ...metadata, receivedTs: NaN } }], limits({})), /receivedTs/);
  assert.throws(() => splitTelemetry([{ ts: 1, values: {}, metadata: { receivedTs: 1, publishedTs: 2 } as never }], limits({})), /connector/);
});

test("attributes of children are cut too", () => {
  const messages = splitChildAttributes([["a", { x: 1, y: 2 }], ["b", { z: 3 }]], limits({ points: 2 }));
  assert.deepEqual(messages, [{ a: { x: 1, y: 2 } }, { b: { z: 3 } }]);
});

test("one value that never fits is refused with the bytes that it needs", () => {
  const needs = (run: () => unknown, text: string, value: number): void => {
    assert.throws(run, (error) => withStatus("TooLarge", TooLargeError)(error) && (error as TooLargeError).text === text && (error as TooLargeError).value === value);
  };
  // {"big":"xxx"} has 10 bytes besides the text, its entry another comma.
  needs(() => splitTelemetry([{ big: "x".repeat(300) }], limits({ jsonBytes: 200 })), "send_buffer", 300 + 12 + 100);
  // Two brackets of 12 bytes, a head of 12, the key and the text padded to four, and the options.
  needs(() => splitAttributes({ big: "x".repeat(300) }, limits({ recordBytes: 200 })), "staging_buffer", 24 + 12 + 4 + 300 + 4);
});

test("ready JSON is taken apart without reading its numbers", () => {
  const text = ' { "a" : 1.0e1 , "b\\"{": "x,}]\\\\" ,"c":[1,{"d":2}], "e" : 12345678901234567890 } ';
  const members = membersOf(new JsonText(text)) as Record<string, JsonText>;
  assert.deepEqual(Object.entries(members).map(([key, value]) => [key, value.text]),
    [["a", "1.0e1"], ['b"{', '"x,}]\\\\"'], ["c", '[1,{"d":2}]'], ["e", "12345678901234567890"]]);
  assert.deepEqual(membersOf(new JsonText("{}")), {});
  const entries = entriesOf(new JsonText('[{"ts":17000000000000001,"values":{"a":1}},{"ts":"x","values":{}},{}]'));
  assert.equal((entries[0] as { ts: bigint }).ts, 17000000000000001n);
  assert.deepEqual(Object.keys(entries[1]!), ["ts", "values"]);
  assert.deepEqual(entries[2], {});
  assert.throws(() => membersOf(new JsonText('{"a":}')), withStatus("Malformed"));
  assert.throws(() => entriesOf(new JsonText("1")), withStatus("InvalidValue"));
});

test("on the wire: a message above send_buffer arrives in parts, and the promise waits for all of them", async (t) => {
  const { link, client } = await connected(t, { send_buffer: 400, staging_buffer: 4096 });
  link.answers.publish = false;
  let isSent = false;
  const sent = client.sendTelemetry(readings).then(() => { isSent = true; });
  const received: MessageValue[] = [];
  for (let count = 1; received.length < 1000; count++) {
    const { payload, messageId } = await link.packet("publish", count);
    received.push(JSON.parse(payload.toString()) as MessageValue);
    if (points(received).length === points(readings.map((entry) => JSON.parse(json(entry as MessageValue)) as MessageValue)).length) break;
    assert.equal(isSent, false);
    link.puback(messageId!);
  }
  link.puback(link.of("publish").at(-1)!.messageId!);
  await sent;
  assert.deepEqual(points(received), points(readings.map((entry) => JSON.parse(json(entry as MessageValue)) as MessageValue)));
});

test("on the wire: ready JSON, attributes, and text that fits no message", async (t) => {
  const { link, client } = await connected(t, { send_buffer: 400 });
  await client.sendAttributes(new JsonText(`{"a":1.50,"b":"${"y".repeat(180)}","c":"${"z".repeat(180)}"}`));
  assert.deepEqual(link.of("publish").map(({ payload }) => payload.toString().slice(0, 12)), ['{"a":1.50,"b', '{"c":"zzzzzz']);
  await assert.rejects(client.sendTelemetry({ a: "x".repeat(1000) }), withStatus("TooLarge", TooLargeError));
  await assert.rejects(client.sendTelemetry([]), withStatus("InvalidValue"));
  assert.equal(link.of("publish").length, 2);
});

test("what subscriptions leave of the outbox is what a message is cut to: those of the platform, of the client and of an app", async (t) => {
  const filter = "a/filter/that/is/quite/long/+/+/+/+/+/+/+/+/+/+/+/+";
  const { wasm } = await compile("subscriber", `
    import { subscribe, text } from "${LIBRARY}";\n${HEAD}
    export function setup(): void { subscribe(text("${filter}")); }
    export function on_event(kind: i32, length: i32): void {}`);
  const all = { rpc: true, shared_attributes: true };
  for (const [configuration, declares, filterOfThat] of [
    [{}, () => {}, ""],
    [all, () => {}, "v1/devices/me/attributes"],
    [all, (made) => { made.requestRpc("ping").catch(() => {}); }, "v1/devices/me/rpc/response/+"],
    [all, (made) => { made.subscribe(filter); }, filter],
    [all, (made) => { made.runApp(wasm); }, filter],
  ] satisfies [Partial<Configuration>, (made: DeviceClient) => void, string][]) {
    const { link, client } = await connected(t, { staging_buffer: 4096, ...configuration });
    declares(client);
    await link.until(() => filterOfThat === "" || link.of("subscribe").some(({ subscriptions }) => subscriptions[0]!.topic === filterOfThat), "the subscription");
    for (let length = 300; length < 500; length += 3) {
      const value = { a: "x".repeat(length), b: "y".repeat(length) };
      await client.sendTelemetry(value).catch((error: Error) => assert.fail(`${filterOfThat} ${2 * length}: ${error.message}`));
    }
    assert.equal(link.of("publish").at(-1)!.payload.toString(), JSON.stringify({ b: "y".repeat(498) }), "the last was cut");
  }
});

test("an answer that is an error leaves the limits that are configured", async (t) => {
  const broker = await listen(t);
  const made = client(t, broker.port, { session_limits: true, telemetry_points_rate_limit: "2:1" });
  const events = made.events();
  await made.connect();
  const link = await broker.link();
  link.publish((await link.packet("publish")).topic.replace("request", "response"), '{"error":"timeout"}');
  assert.equal((await nextEvent(events, "SessionLimits")).limits, null);
  assert.equal(made.sessionLimits, null);
  await made.sendTelemetry({ a: 1, b: 2, c: 3 });
  assert.deepEqual(link.of("publish").slice(1).map(({ payload }) => payload.toString()), ['{"a":1,"b":2}', '{"c":3}']);
});

test("a limit that an answer leaves out stays as it was, also as it is configured, and null lifts it", async (t) => {
  const broker = await listen(t);
  const made = client(t, broker.port, { session_limits: true, telemetry_points_rate_limit: "2:1" });
  const events = made.events();
  await made.connect();
  const link = await broker.link();
  const { topic } = await link.packet("publish");
  const answer = async (limits: object): Promise<void> => {
    link.publish(topic.replace("request", "response"), JSON.stringify(limits));
    const told = await nextEvent(events, "SessionLimits");
    assert.deepEqual(told.limits, made.sessionLimits);
  };
  const messages = async (): Promise<number> => {
    let count = 0;
    await made.sendTelemetry({ a: 1, b: 2, c: 3 }, { onAppended: () => { count++; } });
    return count;
  };
  await answer({ maxPayloadSize: 700 });
  assert.equal(await messages(), 2);
  await answer({ rateLimits: { telemetryDataPoints: "1:1", messages: "90:1" } });
  assert.equal(await messages(), 3);
  assert.equal(made.sessionLimits!.maxPayloadSize, 700);
  await answer({ maxPayloadSize: 800, rateLimits: { telemetryMessages: "50:1" } });
  assert.equal(await messages(), 3);
  assert.deepEqual([made.sessionLimits!.maxPayloadSize, made.sessionLimits!.rateLimits], [800, { messages: "90:1", telemetryMessages: "50:1", telemetryDataPoints: "1:1" }]);
  await answer({ rateLimits: { telemetryDataPoints: null } });
  assert.equal(await messages(), 1);
  await answer({ rateLimit: { telemetryDataPoints: "2:1" } });
  await answer({ rateLimit: {} });
  assert.equal(await messages(), 2);
  await answer({ rateLimit: { telemetryDataPoints: "" } });
  assert.equal(await messages(), 1);
});
