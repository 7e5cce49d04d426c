// Apps that do what none should, on every engine: the app may end, its client and its host may not.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Feature, Status } from "../../build/generated/abi.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { behaviour, Site } from "../behaviour/harness.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

const FOLDER = fileURLToPath(new URL("../../build/test/apps/", import.meta.url));
const NO_EVENTS = "export function on_event(kind: i32, length: i32): void {}\n";
const ALONE = { rpc: false, shared_attributes: false, session_limits: false };

/** Every verb that takes a span, with one that begins or ends outside of the memory. */
const OUTSIDE = `
import { addInteger, beginMessage, sendTelemetry, startTimer, text } from "${LIBRARY}";
${HEAD}
${[["send_telemetry", 3], ["send_attributes", 3], ["send_rpc_reply", 4], ["publish", 5], ["subscribe", 3], ["unsubscribe", 2], ["request_attributes", 3], ["request_rpc", 3], ["claim", 3],
  ["json_find", 5], ["json_text", 4], ["io", 3], ["error_text", 2]].map(([name, count]) =>
  `@external("mote", "${name}") declare function ${name}(${Array.from({ length: Number(count) }, (_, index) => `p${index}: i32`).join(", ")}): i32;`).join("\n")}
let wrong: i32 = 0;
function refused(place: i32, result: i32): void { if (result != ${Status.InvalidValue} && wrong == 0) wrong = place; }
function all(at: i32, length: i32): void {
  refused(1, send_telemetry(at, length, 0));
  refused(2, send_attributes(at, length, 0));
  refused(3, send_rpc_reply(1, at, length, 0));
  refused(4, publish(at, length, 0, 1, 0));
  refused(5, publish(0, 1, at, length, 0));
  refused(6, subscribe(at, length, 0));
  refused(7, unsubscribe(at, length));
  refused(8, request_attributes(at, length, 1000));
  refused(9, request_rpc(at, length, 1000));
  refused(10, claim(at, length, 0));
  refused(11, json_find(at, length, 0, 1, 64));
  refused(12, json_find(0, 1, at, length, 64));
  refused(13, json_find(0, 1, 0, 1, at == 0 ? -16 : at));
  refused(14, json_text(at, length, 0, 1));
  refused(15, json_text(0, 1, at, length));
  refused(16, io(1, at, length));
  refused(17, error_text(at, length));
}
export function setup(): void {
  all(-16, 32);
  all(-1, 2);
  all(0, -1);
  all(65532, 8);
  all(2044, 8); // the first of them are its own: it was built for 2048
  all(0x7fffffff, 0x7fffffff);
  beginMessage(); addInteger(text("outside"), wrong); sendTelemetry();
}
${NO_EVENTS}`;

/** Tells of each verb that refuses what it is given: the status, and what belongs to it. */
const REFUSED = `
import { addInteger, addJson, addText, beginDocument, beginMessage, connectChild, errorText, errorValue, EventKind, findJson, LogLevel, OtaKind, publish, releaseEvent, requestAttributes, requestRpc, sendAttributes, sendTelemetry, startTimer, stopOta,
  subscribe, text, textAt, unsubscribe } from "${LIBRARY}";
${HEAD}
@external("mote", "io") declare function io(op: i32, bytes: usize, length: i32): i32;
@lazy const WHAT: usize = memory.data(32);
@lazy const LONG: usize = memory.data(300);
function tell(status: i32): void {
  const value = errorValue();
  const length = errorText(WHAT, 32);
  beginMessage(); addInteger(text("status"), status); addText(text("text"), textAt(WHAT, length)); addInteger(text("value"), value);
  sendTelemetry(1);
}
export function setup(): void {}
export function on_event(kind: i32, length: i32): void {
  if (kind != EventKind.Connected) return;
  tell(subscribe(text("a"), 2));
  tell(subscribe(text("a/#/b")));
  tell(unsubscribe(text("none")));
  tell(publish(text("t"), text("x"), 99));
  tell(publish(text("a/#"), text("x"), 1));
  memory.fill(LONG, 0x61, 300);
  tell(publish(text("t"), textAt(LONG, 300), 1));
  tell(startTimer(-1));
  tell(io(1, -1, 2));
  tell(releaseEvent(1));
  tell(stopOta(OtaKind.Firmware));
  beginMessage(); tell(connectChild());
  beginMessage(); addText(text("sharedKeys"), text(",")); tell(requestAttributes(1000));
  beginMessage(); tell(requestRpc(1000));
  beginMessage(); addText(text("method"), text("m")); tell(requestRpc(0));
  beginDocument(text("{\\"a\\":")); tell(sendTelemetry(1));
  beginDocument(text("[]")); tell(sendTelemetry(1));
  beginDocument(text("[{}]")); tell(sendAttributes(1));
  tell(findJson(text("{}"), text("a")));
  tell(findJson(text("{\\"a\\""), text("a")));
}
`;

behaviour("apps that misbehave", Feature.Raw, (check) => {
  check("what a verb refuses is told by the same status, text and number", async (t, engine) => {
    const app = await compileToFile("refused", REFUSED);
    const broker = await BareBroker.open(t);
    new AppDevice(t, engine, app, broker.port, { ...ALONE, staging_buffer: 256, send_buffer: 4096 });
    const link = await broker.link();
    await link.packet("publish", 19);
    const told = link.of("publish").map(({ payload }) => Object.values(JSON.parse(payload.toString()) as object).join(" "));
    assert.deepEqual(told, [
      `${Status.InvalidValue} qos 2`, `${Status.InvalidTopic}  0`, `${Status.NotFound} filter 0`, `${Status.InvalidValue} options 99`, `${Status.InvalidTopic}  0`,
      `${Status.TooLarge} staging_buffer 308`, `${Status.InvalidValue} timer 2073600000`, `${Status.InvalidValue} memory 0`, `${Status.BadState}  0`, `${Status.BadState}  0`,
      `${Status.NotInProfile} gateway_connect 0`, `${Status.InvalidValue} keys 0`, `${Status.MissingKey}  0`, `${Status.InvalidValue}  0`, `${Status.MoreBytes}  0`,
      `${Status.InvalidValue}  0`, `${Status.InvalidValue}  0`, `${Status.NotFound}  0`, `${Status.MoreBytes}  0`,
    ]);
  });

  check("memory.grow, which gives nothing, takes nothing away either", async (t, engine) => {
    const app = await compileToFile("grows", `import { addInteger, beginMessage, EventKind, sendTelemetry, startTimer, text } from "${LIBRARY}";\n${HEAD}
      let ticks: i32 = 0;
      export function setup(): void { startTimer(1); }
      export function on_event(kind: i32, length: i32): void {
        if (kind != EventKind.AppTimer) return;
        const grown = memory.grow(0) + memory.grow(1);
        beginMessage(); addInteger(text("ticks"), ++ticks); addInteger(text("grown"), grown); sendTelemetry();
        if (ticks < 3) startTimer(1);
      }`);
    const site = await Site.open(t);
    const device = new AppDevice(t, engine, app, site.port);
    await site.until("three rounds", () => site.telemetry.get("ticks") === 3);
    assert.equal(site.telemetry.get("grown"), 0, "one page, and no more to be had");
    assert.equal(device.of("AppFailed").length, 0);
  });

  check("an event buffer that moves outside ends the app each time it begins, and only that", async (t, engine) => {
    const app = await compileToFile("moves", `import { EventKind, state, State } from "${LIBRARY}";
      export function event_buffer(): i32 { return state() == State.Connected ? -4 : 64; }
      export function event_capacity(): i32 { return 128; }
      export function setup(): void {}
      export function on_event(kind: i32, length: i32): void { if (kind == EventKind.Connected) unreachable(); }`);
    const site = await Site.open(t);
    const device = new AppDevice(t, engine, app, site.port);
    const [first, ...later] = await device.shows("AppFailed", 3);
    assert.equal(first!["reason"], "Trapped");
    for (const { reason, name } of later) assert.deepEqual([reason, name], ["Trapped", "event_buffer"]);
    assert.equal(device.of("Disconnected").length, 0);
    assert.equal(await device.interrupt(), 0);
  });

  check("what already fails while it is loaded is no app: it is refused by its name", async (t, engine) => {
    const loaded = (name: string, body: string): Promise<string> => compileToFile(name,
      `import { log, text } from "${LIBRARY}";\nexport function event_buffer(): i32 { log(2, text("asked")); ${body} }\nexport function event_capacity(): i32 { return 64; }\nexport function setup(): void {}\n${NO_EVENTS}`);
    mkdirSync(FOLDER, { recursive: true });
    const empty = join(FOLDER, `empty-${engine}.wasm`);
    writeFileSync(empty, "");
    const site = await Site.open(t);
    for (const [app, pattern] of [
      [await loaded("loads-endlessly", "for (;;) {} return 64;"), /fuel/],
      [await loaded("loads-and-traps", "unreachable(); return 64;"), /unreachable/],
      [await loaded("loads-askew", "return 66;"), /event_buffer/],
      [empty, /Malformed|bytes that the format does not allow/],
    ] as const) {
      const device = new AppDevice(t, engine, app, site.port);
      const { code, stderr } = await device.ended;
      assert.match(stderr + JSON.stringify(device.lines), pattern);
      assert.doesNotMatch(stderr, /\n {4}at /, "no stack of the host's own");
      assert.equal(code, 2, stderr);
    }
    assert.equal(site.connectsMs.length, 0);
  });

  check("a verb may be used while the event buffer is asked for", async (t, engine) => {
    const app = await compileToFile("early", `import { log, text } from "${LIBRARY}";\nexport function event_buffer(): i32 { log(2, text("asked")); return 64; }\nexport function event_capacity(): i32 { return 64; }\nexport function setup(): void {}\n${NO_EVENTS}`);
    const site = await Site.open(t);
    const device = new AppDevice(t, engine, app, site.port);
    assert.deepEqual(await device.shows("Log"), [{ event: "Log", level: 2, line: "asked" }]);
  });

  check("spans outside of the memory are refused by every verb", async (t, engine) => {
    const app = await compileToFile("outside", OUTSIDE);
    const site = await Site.open(t);
    new AppDevice(t, engine, app, site.port);
    await site.stored("outside");
    assert.equal(site.telemetry.get("outside"), 0, "the number of the first verb that took it");
  });

  check("the bytes that TooLarge tells of a publish with a QoS are enough", async (t, engine) => {
    const app = await compileToFile("asks", `import { AppPublish, errorValue, EventKind, publish, text, textAt } from "${LIBRARY}";\n${HEAD}
      @lazy const PAYLOAD: usize = memory.data(300);
      export function setup(): void {}
      export function on_event(kind: i32, length: i32): void {
        if (kind != EventKind.Connected) return;
        if (publish(text("t"), textAt(PAYLOAD, 130), AppPublish.Qos1) > 0) publish(text("fits"), 0, 0);
        else { store<i32>(PAYLOAD, errorValue()); publish(text("needs"), textAt(PAYLOAD, 4), 0); }
      }`);
    const broker = await BareBroker.open(t);
    const told = async (session: number, staging: number): Promise<{ topic: string; payload: Buffer }> => {
      const device = new AppDevice(t, engine, app, broker.port, { ...ALONE, qos: 0, staging_buffer: staging });
      const link = await broker.link(session);
      const first = await link.packet("publish");
      const { topic, payload } = first.topic === "t" ? await link.packet("publish", 2) : first;
      assert.equal(await device.interrupt(), 0);
      return { topic, payload: payload as Buffer };
    };
    const { topic, payload } = await told(1, 128);
    assert.equal(topic, "needs");
    assert.equal((await told(2, payload.readInt32LE(0))).topic, "fits");
    assert.equal((await told(3, payload.readInt32LE(0) - 4)).topic, "needs");
  });

  check("a logged line that is no UTF-8 is shown with what can be read of it", async (t, engine) => {
    const app = await compileToFile("logs", `import { log, textAt } from "${LIBRARY}";\n${HEAD}
      @lazy const LINE: usize = memory.data<u8>([0x61, 0xff, 0x62]);
      export function setup(): void { log(2, textAt(LINE, 3)); }\n${NO_EVENTS}`);
    const site = await Site.open(t);
    const device = new AppDevice(t, engine, app, site.port);
    assert.deepEqual(await device.shows("Log"), [{ event: "Log", level: 2, line: "a\ufffdb" }]);
  });

  check("a line of a level that there is not is shown as the least important one", async (t, engine) => {
    const app = await compileToFile("levels", `import { log, text } from "${LIBRARY}";\n${HEAD}
      export function setup(): void { log(3, text("debug")); log(4, text("more")); log(-1, text("less")); log(0, text("error")); }\n${NO_EVENTS}`);
    const site = await Site.open(t);
    const device = new AppDevice(t, engine, app, site.port);
    assert.deepEqual((await device.shows("Log", 4)).map(({ level, line }) => [level, line]), [[3, "debug"], [3, "more"], [3, "less"], [0, "error"]]);
  });

  check("a message that the app does not accept comes again with redeliver, and nothing is released but what it reads", async (t, engine) => {
    const app = await compileToFile("refuses", `import { addInteger, AppPublish, beginMessage, eventFlags, EventFlag, EventKind, publish, releaseEvent, sendTelemetry, startTimer, subscribe, text } from "${LIBRARY}";\n${HEAD}
      let refused: i32 = 0;
      let early: i32 = 0;
      export function setup(): void { subscribe(text("orders/#"), 1); early = releaseEvent(0); startTimer(1); }
      export function on_event(kind: i32, length: i32): void {
        if (kind == EventKind.AppTimer) { beginMessage(); addInteger(text("setup"), early); addInteger(text("timer"), releaseEvent(0)); sendTelemetry(AppPublish.Qos0); }
        if (kind == EventKind.Message && refused == 0) { refused = 1; beginMessage(); addInteger(text("refused"), releaseEvent(0)); sendTelemetry(AppPublish.Qos0); }
      }`);
    const broker = await BareBroker.open(t);
    const device = new AppDevice(t, engine, app, broker.port, { ...ALONE, redeliver: true, clean_session: false, client_id: "refuser" });
    const link = await broker.link();
    assert.deepEqual(JSON.parse((await link.packet("publish")).payload.toString()), { setup: Status.BadState, timer: Status.BadState });
    const message = { cmd: "publish", topic: "orders/1", payload: "x", qos: 1, messageId: 9, dup: false, retain: false } as const;
    link.send(message);
    await link.closed();
    assert.deepEqual(link.of("publish").slice(1).map(({ payload }) => payload.toString()), []);
    assert.equal(link.of("puback").length, 0);
    const again = await broker.link(2);
    await again.packet("subscribe");
    again.send({ ...message, dup: true });
    assert.equal((await again.packet("puback")).messageId, 9);
    assert.deepEqual(device.of("Disconnected").map(({ reason }) => reason), ["Redelivery"]);
    assert.equal(device.of("AppFailed").length, 0);
  });
});
