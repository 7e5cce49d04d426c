// What apps do for a gateway and with updates, against the local server. The engine that is compiled ahead of time carries no gateway.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { before, describe, test, type TestContext } from "node:test";
import { Status } from "../../build/generated/abi.ts";
import { GatewayClient } from "../../host/node/index.ts";
import { plainValue } from "../../host/server/values.ts";
import { behaviour, folder, Site } from "../behaviour/harness.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { PATIENCE_MS, Watch } from "../behaviour/watch.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

const TOKEN = "GATE";

/** Does for one child what RPCs to the gateway ask for, and answers for it. */
const STEWARD = `
import { addBoolean, addDecimal, addInteger, addJson, addText, beginArray, beginMessage, beginObject, claimChildren, connectChild, disconnectChild, endLevel, equals, eventId,
  EventKind, eventName, eventTopic, eventValue, requestChildAttributes, sendAttributes, sendChildAttributes, sendChildRpcReply, sendChildTelemetry, sendRpcReply, Text, text } from "${LIBRARY}";
${HEAD}
let result: i32 = 0;
function is(method: Text): bool { return equals(eventName(), method); }
function name(): void { beginMessage(); addText(text("device"), text("c \\"1\\"")); }
function open(): void { beginMessage(); beginObject(text("c \\"1\\"")); }
export function setup(): void {}
function run(): void {
  if (is(text("connect"))) { name(); addText(text("type"), text("pump")); result = connectChild(); }
  if (is(text("disconnect"))) { name(); result = disconnectChild(); }
  if (is(text("attributes"))) { open(); addText(text("sn"), text("77")); endLevel(); result = sendChildAttributes(); }
  if (is(text("claim"))) { open(); addText(text("secretKey"), text("k")); endLevel(); result = claimChildren(); }
  if (is(text("telemetry"))) {
    beginMessage();
    beginArray(text("c \\"1\\""));
    beginObject(0); addInteger(text("ts"), 1700000000000); beginObject(text("values")); addDecimal(text("p"), 25, 1); endLevel(); endLevel();
    endLevel();
    result = sendChildTelemetry();
  }
  if (is(text("empty"))) { beginMessage(); beginArray(text("c")); endLevel(); result = sendChildTelemetry(); }
  if (is(text("nothing"))) {
    beginMessage();
    addInteger(text("id"), 0); addText(text("device"), text(",")); addBoolean(text("client"), false);
    beginArray(text("keys")); endLevel();
    result = requestChildAttributes(5000);
  }
  if (is(text("request"))) {
    beginMessage();
    addInteger(text("id"), 0); addText(text("device"), text("c \\"1\\"")); addBoolean(text("client"), false);
    beginArray(text("keys")); addText(0, text("rate")); endLevel();
    result = requestChildAttributes(5000);
  }
}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.RpcRequest) {
    run();
    beginMessage(); addInteger(text("result"), result); sendRpcReply(eventId());
  }
  if (kind == EventKind.ChildRpcRequest) {
    const id = eventId();
    name(); addInteger(text("id"), id); beginObject(text("data")); addJson(text("echo"), eventValue()); endLevel();
    sendChildRpcReply();
  }
  if (kind == EventKind.ChildAttributesResponse || kind == EventKind.ChildAttributes) {
    beginMessage(); addJson(kind == EventKind.ChildAttributes ? text("changed") : text("got"), eventValue()); sendAttributes();
  }
}
`;

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

/** Accepts a message only when it comes again. */
const CHOOSER = `
import { EventFlag, eventFlags, EventKind, log, releaseEvent, Release, Status, subscribe, text } from "${LIBRARY}";
${HEAD}
export function setup(): void { subscribe(text("in/#")); }
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Message) releaseEvent(eventFlags() & EventFlag.Dup ? <i32>Release.Accepted : <i32>Release.NotAccepted);
  if (kind == EventKind.Connected && releaseEvent(1) == Status.BadState) log(2, text("nothing is lent"));
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

/** Stops the first package, vetoes it the second time and takes it the third time. */
const UPDATER = `
import { addInteger, addText, applyOta, beginMessage, equals, eventId, EventKind, eventName, eventOffset, OtaKind, sendAttributes, sendRpcReply, startOta, stopOta, text } from "${LIBRARY}";
${HEAD}
let seen: i32 = 0;
let writtenBytes: i32 = 0;
export function setup(): void {}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.RpcRequest) {
    let result: i32 = 1;
    if (equals(eventName(), text("start"))) result = startOta(OtaKind.Firmware);
    if (equals(eventName(), text("startSoftware"))) result = startOta(OtaKind.Software);
    if (equals(eventName(), text("stop"))) result = stopOta(OtaKind.Firmware);
    if (equals(eventName(), text("apply"))) result = applyOta(OtaKind.Firmware, 1);
    beginMessage(); addInteger(text("result"), result); sendRpcReply(eventId());
  }
  if (kind == EventKind.OtaAvailable && ++seen == 1) stopOta(eventId());
  if (kind == EventKind.OtaProgress) writtenBytes = eventOffset();
  if (kind == EventKind.OtaReady) applyOta(eventId(), <i32>(seen == 3));
  if (kind == EventKind.OtaFailed || kind == EventKind.OtaApplied) {
    beginMessage(); addText(kind == EventKind.OtaApplied ? text("applied") : seen == 1 ? text("stopped") : text("refused"), eventName()); addInteger(text("writtenBytes"), writtenBytes); sendAttributes();
  }
}
`;

/** A message of an app: the last level of its topic, and its text. */
interface Publish { readonly topic: string; readonly text: string }

let steward = "";
let updater = "";
let speaker = "";
let crowd = "";
let classroom = "";
let chooser = "";

before(async () => {
  steward = await compileToFile("steward", STEWARD);
  updater = await compileToFile("updater", UPDATER);
  speaker = await compileToFile("speaker", SPEAKER, { messageBytes: 1024, memoryBytes: 4096 });
  classroom = await compileToFile("classroom", CLASSROOM);
  chooser = await compileToFile("chooser", CHOOSER);
  crowd = await compileToFile("crowd", CROWD, { messageBytes: 768, memoryBytes: 4096 });
});

/** A gateway whose app answers, on an engine. */
async function gateway(t: TestContext, engine: string): Promise<{ site: Site; ask: (method: string, params?: unknown, child?: string) => Promise<unknown>; id: (name: string) => string }> {
  const site = await Site.open(t);
  site.server.addDevice({ name: "gate", token: TOKEN, isGateway: true });
  if (engine === "v8") {
    const client = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: site.port, access_token: TOKEN });
    t.after(() => client.stop());
    client.runApp(readFileSync(steward));
    await client.connect();
  } else {
    const device = new AppDevice(t, engine, steward, site.port, { access_token: TOKEN }, ["--profile", "gateway"]);
    await device.shows("Connected");
  }
  const id = (name: string): string => site.server.devices.byName(name)!.id;
  await site.until("the subscription to RPC", () => site.server.devices.byName("gate")!.session?.isSubscribedToRpc === true);
  const ask = async (method: string, params: unknown = {}, child = "gate"): Promise<unknown> => {
    const { status, text } = await site.rest("POST", `/api/rpc/twoway/${id(child)}`, { method, params, timeout: PATIENCE_MS });
    assert.equal(status, 200, `${method}: ${text}`);
    return JSON.parse(text) as unknown;
  };
  return { site, ask, id };
}

describe("gateways", { concurrency: true }, () => {
  for (const engine of ["v8", "wasm3"]) {
    test(`${engine}: an app speaks for a child`, { timeout: 3 * PATIENCE_MS }, async (t) => {
      const { site, ask, id } = await gateway(t, engine);
      const name = 'c "1"';
      const run = async (method: string): Promise<number> => (await ask(method) as { result: number }).result;
      const child = (): NonNullable<ReturnType<typeof site.server.devices.byName>> => site.server.devices.byName(name)!;
      assert.ok(await run("connect") > 0);
      await site.until("the child", () => site.server.devices.byName(name)?.session != null);
      assert.equal(child().type, "pump");
      assert.ok(await run("telemetry") > 0);
      await site.until("its telemetry", () => child().latest.has("p"));
      assert.deepEqual(child().latest.get("p"), { tsMs: 1700000000000, value: { type: "double", value: 2.5 } });
      assert.ok(await run("attributes") > 0);
      await site.until("its attributes", () => child().attributes.CLIENT_SCOPE.has("sn"));
      assert.equal(await run("empty"), Status.InvalidValue);
      assert.equal(await run("nothing"), Status.InvalidValue, "the server would answer with all attributes");

      const told = (key: string): unknown => {
        const found = site.server.devices.byName("gate")!.attributes.CLIENT_SCOPE.get(key);
        return found === undefined ? undefined : plainValue(found.value);
      };
      await site.rest("POST", `/api/plugins/telemetry/DEVICE/${id(name)}/attributes/SHARED_SCOPE`, { rate: 45 });
      await site.until("the change", () => told("changed") !== undefined);
      assert.deepEqual(told("changed"), { rate: 45 });
      assert.ok(await run("request") > 0);
      await site.until("the answer", () => told("got") !== undefined);
      assert.equal(told("got"), 45);
      assert.deepEqual(await ask("purge", { s: [5, "x"] }, name), { echo: { s: [5, "x"] } });

      assert.ok(await run("claim") > 0);
      let answer = "";
      for (let attempt = 0; attempt < 100 && answer !== "SUCCESS"; attempt++) {
        answer = (JSON.parse((await site.rest("POST", `/api/customer/device/${encodeURIComponent(name)}/claim`, { secretKey: "k" })).text) as { response: string }).response;
      }
      assert.equal(answer, "SUCCESS");
      assert.ok(await run("disconnect") > 0);
      await site.until("its end", () => child().session === null);
    });
  }
});

behaviour("messages in parts by an app", (check) => {
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

behaviour("messages that an app does not accept", (check) => {
  check("with redeliver the server sends them again, and no later one is acknowledged before", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const device = new AppDevice(t, engine, chooser, broker.port, { rpc: false, shared_attributes: false, session_limits: false, redeliver: true });
    const send = (link: Awaited<ReturnType<typeof broker.link>>, dup: boolean): void => link.send(
      { cmd: "publish", topic: "in/a", payload: "1", qos: 1, messageId: 1, dup, retain: false },
      { cmd: "publish", topic: "in/b", payload: "2", qos: 1, messageId: 2, dup, retain: false },
    );
    const link = await broker.link(1);
    await link.packet("subscribe");
    send(link, false);
    await link.closed();
    assert.deepEqual(link.of("puback"), []);
    const second = await broker.link(2);
    await second.packet("subscribe");
    send(second, true);
    await second.packet("puback", 2);
    assert.deepEqual(second.of("puback").map(({ messageId }) => messageId), [1, 2]);
    await device.shows("Disconnected");
    assert.deepEqual([device.of("Disconnected")[0]!["reason"], device.of("Log")[0]!["line"]], ["Redelivery", "nothing is lent"]);
  });
});

behaviour("updates by an app", (check) => {
  check("an app stops a package, vetoes it, and takes it", async (t, engine) => {
    const site = await Site.open(t);
    const { server, device } = site;
    const states: unknown[] = [];
    server.events.on("telemetry", ({ key, value }) => { if (key === "fw_state" || key === "fw_error") states.push(plainValue(value)); });
    const byServer = ["QUEUED", "INITIATED"];
    const running = new AppDevice(t, engine, updater, site.port, {
      firmware_title: "app", firmware_version: "1", receive_buffer: 1024, send_buffer: 2048, host: { store_directory: folder(t) },
    });
    await running.shows("Connected");
    await site.until("the subscription to RPC", () => device.session?.isSubscribedToRpc === true);
    const ask = async (method: string): Promise<number> => {
      const { text } = await site.rest("POST", "/api/rpc/twoway/{id}", { method, params: {}, timeout: PATIENCE_MS });
      return (JSON.parse(text) as { result: number }).result;
    };
    const attribute = (key: string, wanted: string): Promise<true> => site.until(`${key} ${wanted}`, () => {
      const found = device.attributes.CLIENT_SCOPE.get(key);
      return found !== undefined && plainValue(found.value) === wanted;
    });
    assert.equal(await ask("start"), Status.Ok, "there is no package");
    assert.deepEqual([await ask("stop"), await ask("apply"), await ask("startSoftware")], [Status.BadState, Status.BadState, Status.BadState]);

    const added = server.packages.add({ type: "FIRMWARE", title: "app", version: "2", tag: null, url: null });
    server.packages.upload(added, randomBytes(3000), "SHA256");
    server.assignPackage(device, "FIRMWARE", added);
    await attribute("stopped", "vetoed");
    assert.equal(await ask("start"), Status.Ok);
    await attribute("refused", "vetoed");
    assert.equal(await ask("start"), Status.Ok);
    await attribute("applied", "app");
    assert.equal(plainValue(device.attributes.CLIENT_SCOPE.get("writtenBytes")!.value), 3000);
    await site.until("the last state", () => states.at(-1) === "UPDATING");
    const download = ["DOWNLOADING", "DOWNLOADED", "VERIFIED"];
    assert.deepEqual(states.filter((state) => !byServer.includes(state as string)), ["FAILED", "vetoed", ...download, "FAILED", "vetoed", ...download, "UPDATING"]);
    assert.equal(running.of("AppFailed").length, 0);
  });
});
