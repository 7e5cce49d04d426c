// `mote build`: what comes out is what a host takes, and what no host takes is refused with its place.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compileApp } from "../../host/app/compile.ts";
import { AppError } from "../../host/app/compiler.ts";
import { compile, HEAD, LIBRARY } from "./sources.ts";

const SETUP = "export function setup(): void {}\n";
const ON_EVENT = "export function on_event(kind: i32, length: i32): void {}\n";

interface Running { readonly exports: Record<string, (...values: number[]) => number>; readonly fuel: { value: number }; readonly memory: Uint8Array }

/** Runs an app with imports that answer 0. */
async function running(name: string, source: string, options = {}): Promise<Running> {
  const { wasm } = await compile(name, source, options);
  const wasmApi = (globalThis as unknown as { WebAssembly: { instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }> } }).WebAssembly;
  const mote = new Proxy({}, { get: () => () => 0 });
  const { instance } = await wasmApi.instantiate(wasm, { mote });
  const exports = instance.exports as Record<string, unknown>;
  return {
    exports: exports as Running["exports"], fuel: exports["fuel"] as Running["fuel"],
    memory: new Uint8Array((exports["memory"] as { buffer: ArrayBuffer }).buffer),
  };
}

async function refusal(name: string, source: string, options = {}): Promise<string> {
  const error: unknown = await compile(name, source, options).then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof AppError, String(error));
  return error.message;
}

test("a round of a loop takes one fuel, and so does the entry of a function", async () => {
  const source = `${HEAD}${SETUP}@inline function nothing(): void {}
    let sum: i32 = 0;
    export function on_event(kind: i32, length: i32): void { for (let i = 0; i < kind; i++) sum += load<i32>(i & 7); }`;
  const { exports, fuel } = await running("rounds", source);
  const taken = (rounds: number): number => {
    fuel.value = 1000;
    exports["on_event"]!(rounds, 0);
    return 1000 - fuel.value;
  };
  assert.equal(taken(20) - taken(10), 10);
  assert.ok(taken(0) >= 1);
});

test("an endless loop, nested or bare, traps when the fuel is gone", async () => {
  for (const [name, body] of [["bare", "for (;;) {}"], ["nested", "for (;;) { for (let i = 0; i < 3; i++) load<u8>(i); }"], ["while", "while (kind == kind) { store<u8>(0, 1); }"]] as const) {
    const { exports, fuel } = await running(`endless-${name}`, `${HEAD}${SETUP}export function on_event(kind: i32, length: i32): void { ${body} }`);
    fuel.value = 100_000;
    assert.throws(() => exports["on_event"]!(1, 0), /unreachable/, name);
    assert.ok(fuel.value < 0);
  }
});

test("a recursion ends by its fuel long before a stack does, also one through two functions or a table", async () => {
  const recursions = {
    direct: "function again(n: i32): i32 { return again(n + load<i32>(n)) + 1; }",
    mutual: "function again(n: i32): i32 { return other(n) + load<i32>(n); } function other(n: i32): i32 { return again(n) + load<i32>(4); }",
    table: "function apply(f: (n: i32) => i32, n: i32): i32 { return f(n); } function again(n: i32): i32 { return apply(load<i32>(n) ? again : never, n) + 1; } function never(n: i32): i32 { return again(n); }",
  };
  for (const [name, recursion] of Object.entries(recursions)) {
    const { exports, fuel } = await running(`recursion-${name}`, `${HEAD}${SETUP}${recursion} export function on_event(kind: i32, length: i32): void { store<i32>(8, again(0)); }`);
    fuel.value = 100_000;
    exports["setup"]!();
    fuel.value = 100_000;
    assert.throws(() => exports["on_event"]!(0, 0), /unreachable/, name);
  }
});

test("a recursion that ends is allowed, and told", async () => {
  const source = `${HEAD}${SETUP}function down(n: i32): i32 { return n > 0 ? down(n - 1) + load<i32>(n) : 0; } export function on_event(kind: i32, length: i32): void { store<i32>(8, down(kind)); }`;
  const { recursive } = await compile("down", source);
  assert.ok(recursive.some((name) => name.endsWith("/down")), String(recursive));
  assert.ok(!recursive.some((name) => name.endsWith("on_event")), String(recursive));
});

test("a float is refused with its line, unless the target has floats", async () => {
  const source = `${HEAD}let level: f64 = 1;\nexport function setup(): void {\n  level *= 1.5;\n}\n${ON_EVENT}`;
  assert.match(await refusal("float", source), /float\.ts:4 is a float.*--floats/);
  const { exports, fuel } = await running("float", source, { hasFloats: true });
  fuel.value = 10;
  exports["setup"]!();
});

test("an allocation is refused with its line, unless there is a heap, which ends with the memory", async () => {
  const source = `${HEAD}class Point { x: i32 = 0; }\n${SETUP}export function on_event(kind: i32, length: i32): void {\n  const point = new Point();\n  store<i32>(8, point.x + length);\n}`;
  assert.match(await refusal("heap", source), /heap\.ts:5 allocates.*--heap/);
  const { exports, fuel } = await running("heap", source, { hasHeap: true });
  fuel.value = 1000;
  exports["setup"]!();
  exports["on_event"]!(1, 2);
});

test("an import that no host has, and a known one in another form, are refused by name", async () => {
  const foreign = `@external("env", "now") declare function now(): i32;\n@external("mote", "reboot") declare function reboot(): void;\n@external("mote", "timer") declare function timer(): void;\n`;
  const message = await refusal("imports", `${HEAD}${foreign}export function setup(): void { store<i32>(8, now()); reboot(); timer(); }\n${ON_EVENT}`);
  assert.match(message, /imports\.ts:5 imports env\.now, which no host has/);
  assert.match(message, /imports\.ts:5 imports mote\.reboot/);
  assert.match(message, /imports\.ts:5 imports mote\.timer as v\(\), hosts have i\(i\)/);
});

test("a missing export and one in another form are refused by name", async () => {
  const message = await refusal("exports", `export function setup(): i32 { return 0; }\n${ON_EVENT}`);
  assert.match(message, /exports no function event_buffer/);
  assert.match(message, /exports setup as i\(\), hosts call v\(\)/);
});

test("data that do not fit the memory are refused, and a mistake of the source is shown with its place", async () => {
  assert.match(await refusal("memory", `${HEAD}@lazy const BIG: usize = memory.data(3000);\nexport function setup(): void { store<u8>(BIG, 1); }\n${ON_EVENT}`, { memoryBytes: 2048 }), /2048/);
  assert.match(await refusal("mistake", `${HEAD}export function setup(): void { nothing(); }\n${ON_EVENT}`), /mistake\.ts\(2,\d+\)/);
  assert.match(await refusal("nowhere", `import { a } from "./not-there";\n${HEAD}export function setup(): void { a(); }\n${ON_EVENT}`), /not-there/);
});

test("values that the top level computes are there when setup runs", async () => {
  const source = `${HEAD}const five = (): i32 => 5;\nlet value: i32 = five() * 3;\nexport function setup(): void { store<i32>(8, value); }\n${ON_EVENT}`;
  const { exports, fuel, memory } = await running("start", source);
  fuel.value = 100;
  exports["setup"]!();
  assert.equal(memory[8], 15);
});

test("a text is UTF-8 with its escapes read, and stands once however often it is written", async () => {
  const source = `import { addressOf, lengthOf, text } from "${LIBRARY}";\n${HEAD}export function setup(): void { store<i32>(0, lengthOf(text("gr\\u00fc\\"n")) + (text("same") == text("same") ? 100 : 0)); memory.copy(16, addressOf(text("gr\\u00fc\\"n")), 6); }\n${ON_EVENT}`;
  const { exports, fuel, memory } = await running("texts", source);
  fuel.value = 100;
  exports["setup"]!();
  assert.equal(memory[0], 106);
  assert.equal(Buffer.from(memory.slice(16, 22)).toString(), 'grü"n');
});

test("what text() cannot be made of is refused with its line", async () => {
  const logs = (argument: string): string => `import { log, text } from "${LIBRARY}";\n${HEAD}const NAME = "x";\nexport function setup(): void {\n  log(2, text(${argument}));\n}\n${ON_EVENT}`;
  for (const argument of ["NAME", "`tick`", "'single'", '"a" + "b"']) assert.match(await refusal("text-of", logs(argument)), /text-of\.ts:5 calls text\(\) with something else than one literal/, argument);
  for (const argument of ['"\\x41"', '"\\ud83d"', '"\\0"']) assert.match(await refusal("text-as", logs(argument)), /text-as\.ts:5 has ".*", whose escapes are not those of JSON/, argument);
});

test("a place is told of files whose names have spaces, too", async () => {
  const source = `${HEAD}@external("mote", "reboot") declare function reboot(): void;\nexport function setup(): void {\n  reboot();\n}\n`;
  assert.match(await refusal("größe 1", `${source}${ON_EVENT}`), /größe 1\.ts:4 imports mote\.reboot/);
  assert.match(await refusal("größe 2", `${HEAD}let level: f64 = 1;\nexport function setup(): void {\n  level *= 1.5;\n}\n${ON_EVENT}`), /größe 2\.ts:4 is a float/);
});

test("an app of the issue's size has no more code than it needs", async () => {
  const { wasm, imports } = await compile("small", `import { addDecimal, beginMessage, EventKind, sendTelemetry, startTimer, text } from "${LIBRARY}";\n${HEAD}
    export function setup(): void { startTimer(1000); }
    export function on_event(kind: i32, length: i32): void { if (kind != EventKind.AppTimer) return; beginMessage(); addDecimal(text("temperature"), 215, 1); sendTelemetry(); startTimer(1000); }`);
  assert.deepEqual([...imports].sort(), ["send_telemetry", "timer"]);
  assert.ok(wasm.length < 900, `${wasm.length} bytes`);
});

test("the app that the documentation shows is built wherever it lies", async (t) => {
  const page = readFileSync(new URL("../../assembly/app/ABI.md", import.meta.url), "utf8");
  const [, source] = /```ts\n([^]*?)```/.exec(page)!;
  const folder = mkdtempSync(join(tmpdir(), "mote app ü-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "first.ts"), source!);
  const { imports } = await compileApp(join(folder, "first.ts"));
  assert.deepEqual([...imports].sort(), ["send_telemetry", "timer"]);
});
