// The same apps beside the same client on every engine, against the local server: what they do, and what becomes of those that fail.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import wabt from "wabt";
import { EventKind, Feature, State, Status } from "../../build/generated/abi.ts";
import { plainValue } from "../../host/server/values.ts";
import { compileApp } from "../../host/app/compile.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { behaviour, Site } from "../behaviour/harness.ts";
import { Watch } from "../behaviour/watch.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = join(ROOT, "build/test/apps");
const SHARED = "/api/plugins/telemetry/DEVICE/{id}/SHARED_SCOPE";

/** An app that does what its caller asks, harmful or not. */
const SERVANT = `
import { addBoolean, addDecimal, addInteger, addText, AppPublish, eventPayload, EventFlag, lengthOf, addressOf, beginMessage, equals, errorText, errorValue, eventFlags, Feature, features, stat, Stat, state, unsubscribe, eventId, EventKind, eventName, eventOffset, eventReason, eventTotal, eventValue, findJson,
  foundJson, log, nowMs, publish, readDecimal, requestAttributes, sendAttributes, sendRpcReply, sendTelemetry, startTimer, subscribe, text, textAt, unescape } from "${LIBRARY}";
${HEAD}
let calls: i32 = 0;
let seen: i32 = 0;
let parts: i32 = 0;
let wrong: i32 = 0;
@lazy const BUFFER: usize = memory.data(64);
@lazy const BIG: usize = memory.data(400);
function deep(n: i32): i32 { return deep(n + load<u8>(n & 7)) + 1; }
function is(method: usize): bool { return equals(eventName(), method); }
function reply(key: usize, value: i64): void { beginMessage(); addInteger(key, value); sendRpcReply(eventId()); }
export function setup(): void {
  subscribe(text("orders/#"), 1);
  beginMessage();
  addText(text("app"), text("begun"));
  sendAttributes();
}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.MessageTooLarge) {
    beginMessage();
    addInteger(text("tooLarge"), eventTotal());
    addInteger(text("kind"), eventOffset());
    addInteger(text("reason"), eventReason());
    sendRpcReply(eventId());
  }
  if (kind == EventKind.Message) {
    if (eventOffset() != seen) wrong++;
    for (let i = 0; i < lengthOf(eventPayload()); i++) if (load<u8>(addressOf(eventPayload()) + i) != <u8>(i + seen)) wrong++;
    seen += lengthOf(eventPayload());
    parts++;
    if (eventFlags() & EventFlag.Last) {
      beginMessage(); addInteger(text("bytes"), seen); addInteger(text("total"), eventTotal()); addInteger(text("parts"), parts); addInteger(text("wrong"), wrong);
      sendTelemetry();
      seen = parts = wrong = 0;
    }
  }
  if (kind == EventKind.AppTimer) { beginMessage(); addInteger(text("timer"), 1); sendTelemetry(); }
  if (kind != EventKind.RpcRequest) return;
  calls++;
  if (is(text("hang"))) for (;;) {}
  if (is(text("recurse"))) store<i32>(BUFFER, deep(1));
  if (is(text("trap"))) unreachable();
  if (is(text("wild"))) store<u8>(<usize>load<u32>(BUFFER) + 0x7fffffff, 1);
  if (is(text("calls"))) reply(text("calls"), calls);
  if (is(text("timer"))) reply(text("result"), startTimer(1));
  if (is(text("find"))) { beginMessage(); addDecimal(text("found"), readDecimal(eventValue(), text("a.1.b"), 2, -1), 2); sendRpcReply(eventId()); }
  if (is(text("own"))) reply(text("found"), readDecimal(text("{\\"x\\":[1,{\\"y\\":-12.75}]}"), text("x.1.y"), 1, 0));
  if (is(text("type"))) reply(text("type"), findJson(eventValue(), text("t")));
  if (is(text("unescape"))) {
    findJson(eventValue(), text("t"));
    const bytes = unescape(foundJson(), BUFFER, 64);
    beginMessage();
    addText(text("text"), textAt(BUFFER, bytes < 0 ? 0 : bytes));
    addInteger(text("bytes"), bytes);
    sendRpcReply(eventId());
  }
  if (is(text("outside"))) reply(text("result"), publish(textAt(0xfff0, 0xff), 0));
  if (is(text("huge"))) { beginMessage(); addText(text("a"), textAt(BIG, 400)); addText(text("b"), textAt(BIG, 400)); reply(text("result"), sendTelemetry()); }
  if (is(text("filters"))) {
    memory.fill(BIG, 0x66, 150);
    beginMessage();
    addInteger(text("own"), unsubscribe(text("orders/#")));
    addInteger(text("gone"), unsubscribe(text("orders/#")));
    addInteger(text("clients"), unsubscribe(text("v1/devices/me/rpc/request/+")));
    addBoolean(text("long"), subscribe(textAt(BIG, 150), 0) > 0);
    addInteger(text("end"), unsubscribe(textAt(BIG, 150)));
    sendRpcReply(eventId());
  }
  if (is(text("keys"))) {
    beginMessage(); addText(text("sharedKeys"), text(",,"));
    const commas = requestAttributes(1000);
    const bytes = errorText(BUFFER, 64);
    beginMessage(); addText(text("clientKeys"), text(",a"));
    const one = requestAttributes(1000);
    beginMessage(); addInteger(text("commas"), commas); addText(text("text"), textAt(BUFFER, bytes)); addBoolean(text("one"), one > 0); sendRpcReply(eventId());
  }
  if (is(text("facts"))) {
    beginMessage();
    addInteger(text("state"), state());
    addInteger(text("connects"), stat(Stat.Connects));
    addInteger(text("none"), stat(<Stat>7));
    addInteger(text("above"), stat(Stat.End));
    addBoolean(text("raw"), (features() & Feature.Raw) != 0);
    addBoolean(text("gateway"), (features() & Feature.Gateway) != 0);
    sendRpcReply(eventId());
  }
  if (is(text("error"))) {
    subscribe(text("a/#/b"), 7);
    const value = errorValue();
    const bytes = errorText(BUFFER, 64);
    beginMessage();
    addInteger(text("value"), value);
    addText(text("text"), textAt(BUFFER, bytes));
    addInteger(text("short"), errorText(BUFFER, 2));
    addInteger(text("outside"), errorText(0xfff0, 64));
    sendRpcReply(eventId());
  }
  if (is(text("options"))) { beginMessage(); reply(text("result"), sendTelemetry(64)); }
  if (is(text("publish"))) reply(text("result"), publish(text("v1/devices/me/telemetry"), text("{\\"raw\\":7}"), AppPublish.Qos1));
}
`;

let servant = "";
let endless = "";
const examples: Record<string, string> = {};

before(async () => {
  servant = await compileToFile("servant", SERVANT, { memoryBytes: 4096 });
  endless = await compileToFile("endless", `${HEAD}export function setup(): void { for (;;) {} }\nexport function on_event(kind: i32, length: i32): void {}\n`);
  mkdirSync(FOLDER, { recursive: true });
  for (const name of ["thermostat", "gpio-rpc"]) {
    examples[name] = join(FOLDER, `${name}.wasm`);
    writeFileSync(examples[name], (await compileApp(join(ROOT, `assembly/apps/${name}.ts`))).wasm);
  }
});

async function assemble(name: string, wat: string): Promise<Uint8Array> {
  const module = (await wabt()).parseWat(name, wat, { mutable_globals: true });
  try {
    module.validate();
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

async function rpc(site: Site, method: string, params: unknown = {}): Promise<unknown> {
  const { status, text } = await site.rest("POST", "/api/rpc/twoway/{id}", { method, params, timeout: 15_000 });
  assert.equal(status, 200, `${method}: ${status} ${text}`);
  return JSON.parse(text) as unknown;
}

/** A device whose app answers. */
async function running(t: TestContext, engine: string, app: string, configuration: object = {}): Promise<{ site: Site; device: AppDevice }> {
  const site = await Site.open(t);
  const device = new AppDevice(t, engine, app, site.port, configuration);
  await device.shows("Connected");
  await site.until("the subscription to RPC", () => site.device.session?.isSubscribedToRpc === true);
  return { site, device };
}

behaviour("apps", Feature.Raw, (check) => {
  check("the thermostat heats its room to the setpoint that the server has, and tells", async (t, engine) => {
    const { site, device } = await running(t, engine, examples["thermostat"]!);
    await site.stored("temperature", "setpoint", "heating");
    assert.deepEqual(device.of("Pin")[0], { event: "Pin", pin: 1, level: 1 });
    assert.equal(site.telemetry.get("setpoint"), 21);
    await site.rest("POST", SHARED, { setpoint: 5.5 });
    await device.shows("Pin", 2);
    assert.deepEqual(device.of("Pin")[1], { event: "Pin", pin: 1, level: 0 });
    const state = await rpc(site, "getState") as { temperature: number; setpoint: number; heating: boolean };
    assert.equal(state.setpoint, 5.5);
    assert.equal(state.heating, false);
    const warmer = await rpc(site, "setSetpoint", { value: 29.75 }) as { setpoint: number; heating: boolean };
    assert.deepEqual([warmer.setpoint, warmer.heating], [29.75, true]);
    assert.deepEqual(await rpc(site, "setSetpoint", { value: 300 }), { error: "value must be from 5 to 30" });
    assert.deepEqual(await rpc(site, "explode"), { error: "unknown method" });
    assert.equal(await device.interrupt(), 0);
    assert.equal(device.of("AppFailed").length, 0);
  });

  check("a thermostat that comes later takes the setpoint from the server's attributes", async (t, engine) => {
    const site = await Site.open(t);
    await site.rest("POST", SHARED, { setpoint: 12.25 });
    const device = new AppDevice(t, engine, examples["thermostat"]!, site.port);
    await site.until("the setpoint of the server", () => site.telemetry.get("setpoint") === 12.25);
    assert.equal(device.of("AppFailed").length, 0);
  });

  check("pins are read and switched by RPC, and told as attributes", async (t, engine) => {
    const { site, device } = await running(t, engine, examples["gpio-rpc"]!);
    const all = (on: number[]): object => Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((pin) => [String(pin), on.includes(pin)]));
    assert.deepEqual(await rpc(site, "getGpioStatus"), all([]));
    assert.deepEqual(await rpc(site, "setGpioStatus", { pin: 3, enabled: true }), all([3]));
    assert.deepEqual(await rpc(site, "setGpioStatus", { pin: 8, enabled: true }), all([3, 8]));
    assert.deepEqual(await rpc(site, "setGpioStatus", { pin: 3, enabled: false }), all([8]));
    assert.deepEqual(await rpc(site, "setGpioStatus", { pin: 9, enabled: true }), { error: "no such pin" });
    assert.deepEqual(await rpc(site, "setGpioStatus", {}), { error: "no such pin" });
    await site.until("the attribute of pin 8", () => {
      const attribute = site.device.attributes.CLIENT_SCOPE.get("8");
      return attribute !== undefined && plainValue(attribute.value) === true;
    });
    assert.deepEqual(device.of("Pin").map(({ pin, level }) => [pin, level]), [[3, 1], [8, 1], [3, 0]]);
  });

  for (const [method, reason, name] of [["hang", "Timeout", /^fuel$/], ["recurse", "Timeout", /^fuel$/], ["trap", "Trapped", /unreachable/], ["wild", "Trapped", /out of bounds/]] as const) {
    check(`an app that fails by ${method} is ended and begins again, and its client does not notice`, async (t, engine) => {
      const { site, device } = await running(t, engine, servant);
      assert.deepEqual(await rpc(site, "calls"), { calls: 1 });
      assert.deepEqual(await rpc(site, "calls"), { calls: 2 });
      await site.rest("POST", "/api/rpc/oneway/{id}", { method, params: {} });
      const [failed] = await device.shows("AppFailed");
      assert.equal(failed!["reason"], reason);
      assert.match(String(failed!["name"]), name);
      // The app may still be down when the request comes; then nobody answers it.
      let answer: unknown;
      for (let attempt = 0; attempt < 20 && answer === undefined; attempt++) {
        const { status, text } = await site.rest("POST", "/api/rpc/twoway/{id}", { method: "calls", params: {}, timeout: 1000 });
        if (status === 200) answer = JSON.parse(text);
      }
      assert.deepEqual(answer, { calls: 1 });
      assert.equal(device.of("AppFailed").length, 1);
      assert.equal(device.of("Disconnected").length + device.of("Restarted").length, 0);
      assert.equal(site.connectsMs.length, 1);
    });
  }

  check("an endless setup fails again and again under the backoff, while the client stays connected", async (t, engine) => {
    const { site, device } = await running(t, engine, endless);
    const failures = await device.shows("AppFailed", 4);
    for (const { reason, name } of failures) assert.deepEqual([reason, name], ["Timeout", "fuel"]);
    assert.equal(device.of("Disconnected").length, 0);
    assert.equal(site.connectsMs.length, 1);
    assert.equal(await device.interrupt(), 0);
  });

  check("verbs: values are found in JSON, texts unescaped, misuse is answered by its Status", async (t, engine) => {
    const { site } = await running(t, engine, servant, { staging_buffer: 512 });
    assert.deepEqual(await rpc(site, "find", { a: [0, { b: 12.3456 }] }), { found: 12.34 });
    assert.deepEqual(await rpc(site, "find", { a: "none" }), { found: -0.01 });
    assert.deepEqual(await rpc(site, "own"), { found: -127 });
    assert.deepEqual(await rpc(site, "type", { t: { u: null } }), { type: 7 });
    assert.deepEqual(await rpc(site, "unescape", { t: 'a "b" \n ü' }), { text: 'a "b" \n ü', bytes: 10 });
    assert.deepEqual(await rpc(site, "outside"), { result: Status.InvalidValue });
    assert.deepEqual(await rpc(site, "huge"), { result: Status.TooLarge });
    assert.deepEqual(await rpc(site, "options"), { result: Status.InvalidValue });
    assert.ok((await rpc(site, "publish") as { result: number }).result > 0);
    await site.stored("raw");
    assert.deepEqual(await rpc(site, "timer"), { result: Status.Ok });
    await site.stored("timer");
  });

  check("an app asks for the state of the link, a counter, what the client can do, and what a status is about", async (t, engine) => {
    const { site } = await running(t, engine, servant);
    assert.deepEqual(await rpc(site, "facts"), {
      state: State.Connected, connects: 1, none: Status.InvalidValue, above: Status.InvalidValue, raw: true, gateway: false,
    });
    assert.deepEqual(await rpc(site, "error"), { value: 7, text: "qos", short: Status.TooLarge, outside: Status.InvalidValue });
  });

  check("a request for no key at all is refused: the server would answer with everything", async (t, engine) => {
    const { site } = await running(t, engine, servant);
    assert.deepEqual(await rpc(site, "keys"), { commas: Status.InvalidValue, text: "keys", one: true });
  });

  check("a raw message that is larger than the app's buffer comes in parts", async (t, engine) => {
    const broker = await BareBroker.open(t);
    new AppDevice(t, engine, servant, broker.port, { rpc: false, shared_attributes: false, session_limits: false, receive_buffer: 2048 });
    const link = await broker.link();
    const sent = new Watch();
    broker.onPacket = () => sent.changed();
    const count = (): number => link.of("publish").length;
    // What the app says when it begins tells that it has subscribed.
    await sent.until("its attributes", () => count() >= 1 || undefined, () => "nothing");
    for (const bytes of [1500, 440, 441, 0]) {
      const before = count();
      link.send({ cmd: "publish", topic: "orders/1", payload: Buffer.from(Array.from({ length: bytes }, (_, index) => index & 255)), qos: 0, dup: false, retain: false });
      await sent.until(`${bytes} bytes`, () => count() > before || undefined, () => `${count()} messages`);
      // 512 bytes, of which 60 are the record and 8 the topic.
      assert.deepEqual(JSON.parse(link.of("publish").at(-1)!.payload.toString()), { bytes, total: bytes, parts: Math.max(1, Math.ceil(bytes / 444)), wrong: 0 });
    }
  });

  check("an app ends its own subscriptions and no other, and a filter may be as long as the staging area", async (t, engine) => {
    const { site } = await running(t, engine, servant);
    assert.deepEqual(await rpc(site, "filters"), { own: Status.Ok, gone: Status.NotFound, clients: Status.NotFound, long: true, end: Status.Ok });
    assert.deepEqual(await rpc(site, "calls"), { calls: 2 });
  });

  check("an event that does not fit the app's buffer arrives as MessageTooLarge, and can be answered", async (t, engine) => {
    const { site } = await running(t, engine, servant, { receive_buffer: 2048 });
    const answer = await rpc(site, "calls", { filler: "x".repeat(600) }) as Record<string, number>;
    assert.equal(answer["kind"], EventKind.RpcRequest);
    assert.equal(answer["reason"], Status.TooLarge);
    assert.ok(answer["tooLarge"]! > 600 && answer["tooLarge"]! < 1000, JSON.stringify(answer));
    assert.deepEqual(await rpc(site, "calls"), { calls: 1 });
  });

  check("an app without its fuel counter, with an import that no host has, or that is no module is refused by name", async (t, engine) => {
    const exports = '(memory (export "memory") 1 1) (func (export "setup")) (func (export "on_event") (param i32 i32)) (func (export "event_buffer") (result i32) i32.const 0) (func (export "event_capacity") (result i32) i32.const 64)';
    const globals = '(global (export "fuel") (mut i32) (i32.const 0)) (global (export "memory_bytes") i32 (i32.const 4096))';
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["no-fuel", `(module ${exports} (global (export "memory_bytes") i32 (i32.const 4096)))`, /fuel/],
      ["fixed-fuel", `(module ${exports} (global (export "fuel") i32 (i32.const 9)) (global (export "memory_bytes") i32 (i32.const 4096)))`, /fuel/],
      ["unknown-import", `(module (import "mote" "reboot" (func)) ${exports} ${globals})`, /reboot/],
      ["other-module", `(module (import "env" "io" (func (param i32 i32 i32) (result i32))) ${exports} ${globals})`, /io/],
      ["no-setup", `(module ${exports.replace('"setup"', '"begin"')} ${globals})`, /setup/],
      ["far-buffer", `(module ${exports.replace("i32.const 0)", "i32.const 65532)")} ${globals})`, /event_buffer/],
      ["too-much-memory", `(module ${exports} ${globals.replace("4096", "70000")})`, /memory_bytes/],
    ];
    const site = await Site.open(t);
    for (const [name, wat, pattern] of cases) {
      const file = join(FOLDER, `${name}-${engine}`);
      writeFileSync(`${file}.wasm`, await assemble(name, wat));
      const device = new AppDevice(t, engine, `${file}.wasm`, site.port);
      const { code, stderr } = await device.ended;
      assert.equal(code, 2, `${name}: ${stderr}`);
      assert.match(stderr + JSON.stringify(device.lines), pattern, name);
    }
    writeFileSync(join(FOLDER, `text-${engine}.wasm`), "no module");
    assert.equal((await new AppDevice(t, engine, join(FOLDER, `text-${engine}.wasm`), site.port).ended).code, 2);
    assert.equal(site.connectsMs.length, 0);
  });
});
