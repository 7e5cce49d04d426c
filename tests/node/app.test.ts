// An app beside a client in V8: what the face of the host promises, besides what the app suite shows on every engine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventKind, Status } from "../../build/generated/abi.ts";
import { AppHost, GatewayClient, MemorySlot, SlotOta } from "../../host/node/index.ts";
import { appFunctions, type VerbHost } from "../../host/node/app-verbs.ts";
import { errorOf } from "../../host/node/errors.ts";
import { systemClock } from "../../host/node/ports/clock.ts";
import { assignPackage } from "../../host/server/ota.ts";
import { demoDevice, startServer } from "../../host/server/server.ts";
import { compile, HEAD, LIBRARY } from "../app/sources.ts";
import { client, connected, listen, longWaits, nextEvent, PATIENCE_MS, withStatus } from "./harness.ts";

const BOARD = `import { EventKind, io, startTimer, subscribe, text } from "${LIBRARY}";\n${HEAD}
@lazy const BYTES: usize = memory.data(4);
export function setup(): void { store<u8>(BYTES, 41); startTimer(1); subscribe(text("a/b"), 1); }
export function on_event(kind: i32, length: i32): void { if (kind == EventKind.AppTimer) { const answer = io(7, BYTES, 4); store<u8>(BYTES, answer + load<u8>(BYTES, 1)); io(8, BYTES, 1); } }`;

test("io gets the app's own bytes, there and back", async (t) => {
  const { wasm } = await compile("io", BOARD);
  const made = client(t, (await listen(t)).port);
  const calls: [number, number[]][] = [];
  await new Promise<void>((resolve) => {
    made.runApp(wasm, {
      io(operation, bytes) {
        calls.push([operation, [...bytes]]);
        bytes[1] = 2;
        if (operation === 8) resolve();
        return 100;
      },
    });
  });
  assert.deepEqual(calls, [[7, [41, 0, 0, 0]], [8, [102]]]);
});

test("an exception of io ends the app, which begins again; the client stays", async (t) => {
  const { wasm } = await compile("io", BOARD);
  const { client: made } = await connected(t);
  const events = made.events();
  let calls = 0;
  const app = made.runApp(wasm, {
    io() {
      if (++calls < 3) throw new Error("the bus is stuck");
      return 0;
    },
  });
  for (let failures = 1; failures <= 2; failures++) {
    const failed = await nextEvent(events, "AppFailed");
    assert.deepEqual([failed.reason, failed.name], ["Trapped", "the bus is stuck"]);
  }
  assert.equal(app.failures, 2);
  assert.equal(made.state, "Connected");
});

test("one app at a time; stop makes room for another and ends its subscriptions", async (t) => {
  const { wasm } = await compile("io", BOARD);
  const { client: made, link } = await connected(t);
  const app = made.runApp(wasm);
  assert.ok(app instanceof AppHost);
  assert.throws(() => made.runApp(wasm), withStatus("BadState"));
  assert.equal((await link.packet("subscribe")).cmd, "subscribe");
  app.stop();
  app.stop();
  assert.equal((await link.packet("unsubscribe")).cmd, "unsubscribe");
  made.runApp(wasm).stop();
});

test("fuel and memory are the host's to give", async (t) => {
  const { wasm } = await compile("work", `${HEAD}export function setup(): void { for (let i = 0; i < 5000; i++) store<i32>(8, i); }\nexport function on_event(kind: i32, length: i32): void {}`, { memoryBytes: 4096 });
  const { client: made } = await connected(t);
  assert.throws(() => made.runApp(wasm, { memoryBytes: 2048 }), withStatus("TooLarge"));
  const events = made.events();
  const app = made.runApp(wasm, { fuel: 1000 });
  assert.deepEqual(await nextEvent(events, "AppFailed"), { type: "AppFailed", reason: "Timeout", name: "fuel" });
  app.stop();
});

test("fuel and memory of 0 are those that an app has anyway, as in C", async (t) => {
  const { wasm } = await compile("answers", `import { io } from "${LIBRARY}";\n${HEAD}export function setup(): void { io(7, 0, 0); }\nexport function on_event(kind: i32, length: i32): void {}`, { memoryBytes: 4096 });
  const { client: made } = await connected(t);
  let calls = 0;
  const app = made.runApp(wasm, { memoryBytes: 0, fuel: 0, io: () => ++calls });
  await made.publish("end", "");
  assert.deepEqual([calls, app.failures], [1, 0]);
  app.stop();
});

/** Does nothing with an event at once, but tells of it by `io`, and does this a moment later. */
const late = (names: string, kind: string, deed: string): string => `import { ${names}EventKind, eventId, eventReason, eventTotal, io, startTimer, text } from "${LIBRARY}";\n${HEAD}
let id: i32 = 0;
export function setup(): void {}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.${kind}) { id = eventId(); startTimer(20); }
  if (kind == EventKind.AppTimer) { ${deed} }
  io(kind, 0, 0); io(1000 + kind, 0, eventTotal()); if (eventReason() < 0) io(2000 - eventReason(), 0, 0);
}`;

test("an update waits for the word of an app that may give it, and for nobody's else", { timeout: 3 * PATIENCE_MS }, async (t) => {
  const deciding = (await compile("decides", late("applyOta, ", "OtaReady", "applyOta(id, 0);"))).wasm;
  const watching = (await compile("watches", late("", "OtaReady", ""))).wasm;
  for (const [wasm, end] of [[deciding, "OtaFailed"], [watching, "OtaApplied"]] as const) {
    const server = await startServer({ mqttPort: 0, restPort: 0 });
    t.after(() => server.close());
    const assigned = server.packages.add({ type: "FIRMWARE", title: "app", version: "2", tag: null, url: null });
    server.packages.upload(assigned, Buffer.from("image"), "SHA256");
    assignPackage(server.devices.byToken(demoDevice.token)!, "FIRMWARE", assigned, { now: Date.now, events: server.events });
    const made = client(t, server.mqttPort, { access_token: demoDevice.token, firmware_title: "app", firmware_version: "1" }, { ports: { ota: new SlotOta(new MemorySlot()) } });
    const events = made.otaEvents();
    made.runApp(wasm);
    await made.connect();
    let last = "";
    for await (const { type } of events) if ((last = type) === "OtaApplied" || type === "OtaFailed") break;
    assert.equal(last, end);
  }
});

test("a request is left to an app that may reply, however late; where it may not, the caller is told that nobody will", { timeout: 3 * PATIENCE_MS }, async (t) => {
  const replying = (await compile("replies", late("addInteger, beginMessage, sendRpcReply, ", "RpcRequest", 'beginMessage(); addInteger(text("late"), 1); sendRpcReply(id);'))).wasm;
  const silent = (await compile("silent", late("", "RpcRequest", ""))).wasm;
  for (const [wasm, reply] of [[replying, '{"late":1}'], [silent, '{"error":"no handler"}']] as const) {
    const { client: made, link } = await connected(t, { rpc: true });
    made.runApp(wasm);
    // The app begins in a turn of its own.
    await new Promise((resolve) => setTimeout(resolve, 0));
    link.publish("v1/devices/me/rpc/request/7", '{"method":"m","params":{}}');
    const { topic, payload } = await link.packet("publish");
    assert.deepEqual([topic, payload.toString()], ["v1/devices/me/rpc/response/7", reply]);
  }
});

test("a request to a child is left to an app that may reply, and answered once", { timeout: 3 * PATIENCE_MS }, async (t) => {
  const { wasm } = await compile("replies-for-child", late("addInteger, addText, beginMessage, sendChildRpcReply, ", "ChildRpcRequest",
    'beginMessage(); addText(text("device"), text("c")); addInteger(text("id"), id); addInteger(text("data"), 5); sendChildRpcReply();'));
  const broker = await listen(t);
  const made = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, session_limits: false, redeliver: true, reconnect_min_ms: 1 });
  t.after(() => made.stop());
  made.runApp(wasm);
  await made.connect();
  const link = await broker.link();
  // With redeliver, what nobody accepts would end the connection.
  link.publish("v1/gateway/rpc", '{"device":"c","data":{"id":3,"method":"m","params":{}}}', { qos: 1, messageId: 9 });
  await link.packet("publish");
  await made.publish("end", "");
  assert.deepEqual(link.of("publish").map(({ topic, payload }) => [topic, payload.toString()]), [["v1/gateway/rpc", '{"device":"c","id":3,"data":5}'], ["end", ""]]);
  assert.equal(made.stats.disconnects, 0);
});

test("an app hears that its client was built again, with what that lost, and that it has failed", { timeout: 3 * PATIENCE_MS }, async (t) => {
  const { wasm } = await compile("hears", late("", "RpcRequest", ""));
  let traps = 0;
  const { client: made, link } = await connected(t, {}, { hooks: { imports: (functions) => ({
    ...functions,
    now_ms: (): bigint => {
      if (traps-- > 0) throw new Error("injected");
      return functions["now_ms"]!() as bigint;
    },
  }) } });
  const told: number[] = [];
  const heard = new Promise<void>((resolve) => {
    made.runApp(wasm, {
      io(operation, bytes) {
        if (operation >= 1000 && operation < 2000) told.push(operation - 1000, bytes.length);
        if (operation === EventKind.Restarted) traps = Infinity;
        if (operation === 2000 - Status.Trapped && told.includes(EventKind.Failed)) resolve();
        return 0;
      },
    });
  });
  link.answers.publish = false;
  const lost = assert.rejects(made.sendTelemetry({ a: 1 }), withStatus("Trapped"));
  await link.packet("publish");
  traps = 1;
  link.publish("x", "wakes the client");
  await lost;
  await heard;
  assert.equal(told[told.indexOf(EventKind.Restarted) + 1], 1);
});

test("a message that came before the app is not the app's to refuse", { timeout: 3 * PATIENCE_MS }, async (t) => {
  const { wasm } = await compile("early-release", `import { io, releaseEvent } from "${LIBRARY}";
    export function event_buffer(): i32 { io(1, 0, releaseEvent(0) == ${Status.BadState} ? 1 : 0); return 64; }
    export function event_capacity(): i32 { return 64; }
    export function setup(): void {}
    export function on_event(kind: i32, length: i32): void {}`);
  const { client: made, link } = await connected(t);
  const messages = made.subscribe("a/b");
  await link.packet("subscribe");
  link.publish("a/b", "x", { qos: 1, messageId: 9 });
  const answers: number[] = [];
  // In the turn that tells of the message, which the client's module still lends.
  await messages.next();
  made.runApp(wasm, { io: (_operation, bytes) => answers.push(bytes.length) });
  assert.deepEqual(answers, [1]);
  await link.packet("puback");
});

test("an app that fails begins again after a wait at random, below a ceiling that doubles", async (t) => {
  const { wasm } = await compile("falls", `${HEAD}export function setup(): void { unreachable(); }\nexport function on_event(kind: i32, length: i32): void {}`);
  const waits = longWaits(t);
  const made = client(t, (await listen(t)).port, { reconnect_min_ms: 1_000_000, reconnect_max_ms: 3_000_000 },
    { ports: { clock: { ...systemClock, random: () => -0x80000000 } } });
  const events = made.events();
  made.runApp(wasm);
  for (let failure = 0; failure < 4; failure++) await nextEvent(events, "AppFailed");
  assert.deepEqual(waits.slice(0, 4), [500_000, 1_000_000, 1_500_000, 1_500_000]);
});

test("a filter that could not be ended for want of room is still the app's, and can be ended later", () => {
  const memory = new TextEncoder().encode("a/b");
  const answers: number[] = [Status.Full, Status.Ok];
  const client = { unsubscribe: () => answers.shift()!, require: (status: number) => { if (status < 0) throw errorOf(status, "app"); return status; } };
  const host = {
    core: { runner: { use: (call: (module: unknown) => unknown) => call(client) }, inbound: { subscriptions: [] } },
    lent: [], filters: new Map([["a/b", 1]]), isReading: () => false, module: () => ({ span: (at: number, length: number) => memory.subarray(at, at + length) }), setTimer: () => {}, io: null, log: () => {},
  };
  const { unsubscribe } = appFunctions(host as unknown as VerbHost);
  assert.deepEqual([unsubscribe!(0, 3), unsubscribe!(0, 3), unsubscribe!(0, 3)], [Status.Full, Status.Ok, Status.NotFound]);
});
