// Messages that apps send in parts on each engine, as a broker gets them. The engine that is compiled ahead of time carries no gateway.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test, type TestContext } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import { GatewayClient } from "../../host/node/index.ts";
import { behaviour } from "../behaviour/harness.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { PATIENCE_MS, Watch } from "../behaviour/watch.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

/** Sends more than a message holds, as soon as there is a connection, and goes on when there is room again. */
const SPEAKER = `
import { addBoolean, addInteger, addJson, addText, AppPublish, beginArray, beginDocument, beginList, beginMessage, beginObject, endLevel, errorText, errorValue, EventKind, publish, sendAttributesInParts, sendRest, sendTelemetry,
  sendTelemetryInParts, Status, Text, text, textAt } from "${LIBRARY}";
${HEAD}
@lazy const NAME: usize = memory.data(3);
@lazy const LONG: usize = memory.data(300);
@lazy const WHAT: usize = memory.data(32);
let step: i32 = 0;
let needed: i32 = 0;
let whatBytes: i32 = 0;
export function setup(): void {}
function key(i: i32): Text { store<u8>(NAME, 0x6b); store<u8>(NAME, 0x30 + i / 10, 1); store<u8>(NAME, 0x30 + i % 10, 2); return textAt(NAME, 3); }
function fill(count: i32): void { for (let i = 0; i < count; i++) addInteger(key(i), i); }
function start(): i32 {
  beginMessage();
  if (step == 0) { addInteger(text("ts"), 1700000000000); beginObject(text("values")); fill(20); endLevel(); return sendTelemetryInParts(); }
  if (step == 1) {
    fill(3); beginObject(text("o")); fill(2); beginArray(text("a")); endLevel(); endLevel(); addText(text("t"), text("x\\"y")); addBoolean(text("b"), true);
    return sendAttributesInParts(4, AppPublish.Qos1);
  }
  if (step == 2) return sendTelemetryInParts(1);
  if (step == 3) { beginDocument(text("[{\\"a\\":1},{\\"b\\":2}]")); return sendTelemetryInParts(1); }
  if (step == 4) { addInteger(text("ts"), 5); beginObject(text("values")); addInteger(text("v"), 1); endLevel(); addJson(text("more"), text("[1]")); return sendTelemetryInParts(1); }
  if (step == 5) { beginList(); for (let i = 0; i < 8; i++) { beginObject(0); addInteger(text("ts"), i); beginObject(text("values")); fill(3); endLevel(); endLevel(); } return sendTelemetryInParts(4); }
  memory.fill(LONG, 0x61, 300);
  fill(2); addText(text("long"), textAt(LONG, 300)); addInteger(text("never"), 1);
  return sendTelemetryInParts();
}
function go(result: i32): void {
  while (result >= 0 && step < 6) { step++; result = start(); }
  if (step == 6 && result == Status.TooLarge) { step = 7; needed = errorValue(); whatBytes = errorText(WHAT, 32); result = sendRest(); }
  if (step == 7 && result >= 0) { beginMessage(); addInteger(text("needed"), needed); addText(text("what"), textAt(WHAT, whatBytes)); if (sendTelemetry() > 0) step = 8; }
  if (step == 8 && publish(text("end"), text("TooLarge"), AppPublish.Qos1) > 0) step = 9;
}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) go(start());
  if (kind == EventKind.Delivered && step < 9) go(sendRest());
}
`;

/** The same for children: as many data points a message as the configured rate lets pass at once. */
const CROWD = `
import { addDecimal, addInteger, addText, AppPublish, beginArray, beginMessage, beginObject, endLevel, errorValue, EventKind, publish, sendChildAttributesInParts, sendChildTelemetryInParts,
  sendRest, Status, Text, text, textAt } from "${LIBRARY}";
${HEAD}
@lazy const LONG: usize = memory.data(250);
let step: i32 = 0;
export function setup(): void {}
function child(name: Text): void {
  beginArray(name);
  beginObject(0); addInteger(text("ts"), 1700000000000);
  beginObject(text("metadata")); addText(text("connector"), text("bus")); addInteger(text("receivedTs"), 1); addInteger(text("publishedTs"), 2); endLevel();
  beginObject(text("values")); addInteger(text("a"), 1); addDecimal(text("b"), 25, 1); addText(text("c"), text("x")); endLevel(); endLevel();
  beginObject(0); addInteger(text("plain"), 4); endLevel();
  endLevel();
}
function start(): i32 {
  beginMessage();
  if (step == 0) { child(text("c 1")); child(text("c \\"2\\"")); return sendChildTelemetryInParts(0, AppPublish.Qos1); }
  memory.fill(LONG, 0x61, 250);
  beginObject(text("c 1")); addInteger(text("d"), 1); addText(text("long"), textAt(LONG, 250)); addInteger(text("e"), 2); endLevel();
  beginObject(text("c 3")); addInteger(text("f"), 3); endLevel();
  return sendChildAttributesInParts(1, AppPublish.Qos1);
}
function go(result: i32): void {
  if (result >= 0 && step == 0) { step = 1; result = start(); }
  if (step == 1 && result == Status.TooLarge) { step = 2; if (errorValue() != 324) publish(text("value"), text("is another"), 0); result = sendRest(); }
  if (step == 2 && result >= 0 && publish(text("end"), text("TooLarge"), AppPublish.Qos1) > 0) step = 3;
}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) go(start());
  if (kind == EventKind.Delivered && step < 3) go(sendRest());
}
`;

/** Telemetry of five children at once. */
const CLASSROOM = `
import { addInteger, AppPublish, beginArray, beginMessage, beginObject, endLevel, EventKind, sendChildTelemetryInParts, sendRest, Text, text } from "${LIBRARY}";
${HEAD}
export function setup(): void {}
function child(name: Text): void { beginArray(name); beginObject(0); addInteger(text("v"), 1); endLevel(); endLevel(); }
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Delivered) sendRest();
  if (kind != EventKind.Connected) return;
  beginMessage();
  child(text("a")); child(text("b")); child(text("c")); child(text("d")); child(text("e"));
  sendChildTelemetryInParts(0, AppPublish.Qos1);
}
`;

/** A message of an app: the last level of its topic, and its text. */
interface Publish { readonly topic: string; readonly text: string }

let speaker = "";
let crowd = "";
let classroom = "";

before(async () => {
  speaker = await compileToFile("speaker", SPEAKER, { messageBytes: 1024, memoryBytes: 4096 });
  classroom = await compileToFile("classroom", CLASSROOM);
  crowd = await compileToFile("crowd", CROWD, { messageBytes: 768, memoryBytes: 4096 });
});

behaviour("messages in parts by an app", Feature.Raw, (check) => {
  check("what no message holds leaves in several, every member once, each with its time", async (t, engine) => {
    const broker = await BareBroker.open(t);
    new AppDevice(t, engine, speaker, broker.port, { rpc: false, shared_attributes: false, session_limits: false, staging_buffer: 256, send_buffer: 300 });
    const link = await broker.link();
    const sent = new Watch();
    broker.onPacket = () => sent.changed();
    await sent.until("the end", () => link.of("publish").some(({ topic }) => topic === "end") || undefined, () => `${link.of("publish").length} messages`);
    const messages = link.of("publish").filter(({ topic }) => topic !== "end").map(({ topic, payload }) => ({ topic: topic.split("/").at(-1)!, json: JSON.parse(payload.toString()) as unknown }));
    const numbers = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${String(index).padStart(2, "0")}`, index]));
    const fours = Array.from({ length: 24 }, (_, index) => ({ ts: Math.floor(index / 3), key: `k0${index % 3}`, value: index % 3 }));
    const joined = (list: { ts: number; values: Record<string, number> }[], { ts, key, value }: (typeof fours)[number]): typeof list =>
      (list.at(-1)?.ts === ts ? [...list.slice(0, -1), { ts, values: { ...list.at(-1)!.values, [key]: value } }] : [...list, { ts, values: { [key]: value } }]);
    const timed = messages.filter(({ json }) => (json as { ts?: number }).ts === 1700000000000).map(({ json }) => (json as { values: object }).values);
    assert.ok(timed.length > 1, "20 members take more than 256 bytes");
    assert.deepEqual(timed.flatMap((values) => Object.entries(values)), Object.entries(numbers(20)));
    assert.deepEqual(messages.slice(timed.length), [
      { topic: "attributes", json: { ...numbers(3), o: { ...numbers(2), a: [] } } },
      { topic: "attributes", json: { t: 'x"y', b: true } },
      { topic: "telemetry", json: {} },
      { topic: "telemetry", json: [{ a: 1 }, { b: 2 }] },
      { topic: "telemetry", json: { ts: 5, values: { v: 1 }, more: [1] } },
      // Lists of entries, four data points each, a time for each part of an entry.
      ...[0, 1, 2, 3, 4, 5].map((part) => ({ topic: "telemetry", json: fours.slice(4 * part, 4 * part + 4).reduce(joined, []) })),
      { topic: "telemetry", json: numbers(2) },
      { topic: "telemetry", json: { never: 1 } },
      { topic: "telemetry", json: { needed: 340, what: "staging_buffer" } },
    ]);
  });
});

describe("messages of children in parts by an app", { concurrency: true }, () => {
  /** What an app sends for its children on an engine, as soon as there is enough of it. */
  async function sentBy(t: TestContext, engine: string, app: string, more: object, isEnough: (messages: Publish[]) => boolean): Promise<Publish[]> {
    const broker = await BareBroker.open(t);
    const configuration = { session_limits: false, ...more };
    if (engine === "v8") {
      const client = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, ...configuration }, { profile: "gateway" });
      t.after(() => client.stop());
      client.runApp(readFileSync(app));
      await client.connect();
    } else {
      new AppDevice(t, engine, app, broker.port, configuration, ["--profile", "gateway"]);
    }
    const link = await broker.link();
    const messages = (): Publish[] => link.of("publish").map(({ topic, payload }) => ({ topic: topic.split("/").at(-1)!, text: payload.toString() }));
    const sent = new Watch();
    broker.onPacket = () => sent.changed();
    await sent.until("the last message", () => isEnough(messages()) || undefined, () => `${messages().length} messages`);
    return messages();
  }

  for (const engine of ["v8", "wasm3"]) {
    test(`${engine}: what no message holds leaves in several, every data point once, with its child, time and metadata`, { timeout: 3 * PATIENCE_MS }, async (t) => {
      const limits = { staging_buffer: 300, send_buffer: 800, telemetry_points_rate_limit: "3:1,3:2" };
      const messages = await sentBy(t, engine, crowd, limits, (all) => all.some(({ topic }) => topic === "end"));
      const timed = (values: object): object => ({ ts: 1700000000000, metadata: { connector: "bus", receivedTs: 1, publishedTs: 2 }, values });
      const all = { a: 1, b: 2.5, c: "x" };
      assert.deepEqual(messages.filter(({ topic }) => topic !== "end").map(({ topic, text }) => ({ topic, json: JSON.parse(text) as unknown })), [
        ...["c 1", 'c "2"'].flatMap((name) => [
          { topic: "telemetry", json: { [name]: [timed(all)] } },
          { topic: "telemetry", json: { [name]: [{ plain: 4 }] } },
        ]),
        { topic: "attributes", json: { "c 1": { d: 1 } } },
        { topic: "attributes", json: { "c 1": { e: 2 } } },
        { topic: "attributes", json: { "c 3": { f: 3 } } },
      ]);
    });

    test(`${engine}: what is about more children than the server takes at once leaves in several`, { timeout: 3 * PATIENCE_MS }, async (t) => {
      const messages = await sentBy(t, engine, classroom, { telemetry_rate_limit: "9:60,3:1" }, (all) => all.some(({ text }) => text.includes('"e"')));
      assert.deepEqual(messages.map(({ text }) => Object.keys(JSON.parse(text) as object)), [["a", "b", "c"], ["d", "e"]]);
    });
  }
});
