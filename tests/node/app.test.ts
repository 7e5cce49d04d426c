// An app beside a client in V8: what the face of the host promises, besides what the app suite shows on every engine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AppHost } from "../../host/node/index.ts";
import { compile, HEAD, LIBRARY } from "../app/sources.ts";
import { client, connected, listen, nextEvent, withStatus } from "./harness.ts";

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
