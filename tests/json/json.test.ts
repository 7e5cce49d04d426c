// Asserts that the module's JSON reader takes exactly what JSON.parse takes, in `device` and in `minimal`, whole and truncated, and finds the same values;
// the C host, which reads what the module does not see, takes the same.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { JsonField, JsonType, RecordsField, Status } from "../../build/generated/abi.ts";

const DEPTH_MAX = 32;
/** Places above everything that the module carves, which is nothing here. */
const TEXT = 0x4000;
const PATH = 0x3000;
const ROOM = 0x8000;

const module = new WebAssembly.Module(readFileSync("build/device.wasm"));
const imports = Object.fromEntries(WebAssembly.Module.imports(module).map((each) => [each.name, () => 0]));
const device = new WebAssembly.Instance(module, { mote: imports }).exports as unknown as {
  memory: WebAssembly.Memory;
  records(): number;
  json_find(text: number, textLength: number, path: number, pathLength: number): number;
  json_text(text: number, textLength: number, to: number, capacity: number): number;
};
const memory = Buffer.from(device.memory.buffer);
const record = memory.readUInt32LE(device.records() + RecordsField.JsonValue);

function find(document: Buffer, path = ""): { type: number; from: number; span: Buffer } {
  // What stands behind the text must not matter.
  memory.fill(0x22, TEXT - 8, TEXT + document.length + 8);
  document.copy(memory, TEXT);
  const pathLength = memory.write(path, PATH);
  const type = device.json_find(TEXT, document.length, PATH, pathLength);
  const from = memory.readUInt32LE(record + JsonField.Text);
  return { type, from, span: type < 0 ? Buffer.alloc(0) : Buffer.from(memory.subarray(from, from + memory.readUInt32LE(record + JsonField.TextLength))) };
}

function parse(document: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(document)) };
  } catch {
    return undefined;
  }
}

/** The reader looks no further than the value that it finds, so a text is one value when the element behind it stands where it was put. */
function isOneValue(document: Buffer): boolean {
  const { type, from } = find(Buffer.concat([Buffer.from("["), document, Buffer.from(",0]")]), "1");
  return type === JsonType.Number && from === TEXT + document.length + 2;
}

const minimal = new WebAssembly.Module(readFileSync("build/minimal.wasm"));
const MEMORY_END = 0x8000;

/** The profile that reads byte by byte has no json_find: what its configuration has for the host is only checked. */
function isTakenByMinimal(text: Buffer): boolean {
  const { memory: own, configure } = new WebAssembly.Instance(minimal, { mote: imports }).exports as unknown as { memory: WebAssembly.Memory; configure(text: number, length: number, end: number): number };
  text.copy(Buffer.from(own.buffer), MEMORY_END - text.length);
  return configure(MEMORY_END - text.length, text.length, MEMORY_END) === Status.Ok;
}

const agreed: Buffer[] = [];
function agree(document: Buffer): void {
  // An instance for each document takes its time.
  if (agreed.push(Buffer.from(document)) % 4 === 1) {
    const text = Buffer.concat([Buffer.from('{"mqtt_host":"h","host":{"":'), document, Buffer.from("}}")]);
    assert.equal(isTakenByMinimal(text), parse(text) !== undefined, JSON.stringify(text.toString("latin1")));
  }
  assert.equal(isOneValue(document), parse(document) !== undefined, JSON.stringify(document.toString("latin1")));
}

/** Numbers that look random and are the same in each run. */
let seed = 1;
function below(bound: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * bound);
}
function pick<T>(list: readonly T[]): T {
  return list[below(list.length)]!;
}

const SCALARS = ["0", "-0", "12", "-1.5", "1e5", "1E+05", "01", "1.", ".5", "1e", "-", "+1", "true", "false", "null", "tru", "nulll", "True", '"a"', '""', '"\\n\\u00e9"', '"é€😀"', '"\\x"', '"\\u12G4"', '"\t"', '"'];
/** Bytes at the edges of what UTF-8 allows behind some first byte. */
const EDGES = [0x00, 0x22, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];

function write(depth: number): string {
  const space = pick(["", "", "", " ", "\n\t\r ", "\f"].slice(0, below(30) ? 5 : 6));
  const kind = depth ? below(4) : 0;
  if (kind < 2) return space + pick(SCALARS.slice(0, below(4) ? SCALARS.length : 5)) + space;
  const members = Array.from({ length: below(4) }, () => (kind === 2 ? "" : `"${pick(["a", "b", ""])}"${space}:`) + write(depth - 1));
  return pick(kind === 2 ? ["["] : ["{"]) + members.join(below(30) ? "," : ",,") + space + (below(30) ? (kind === 2 ? "]" : "}") : pick(["", "]", "}"]));
}

test("takes what JSON.parse takes, and nothing else", () => {
  for (let index = 0; index < 20000; index++) {
    const document = Buffer.from(write(4));
    if (!below(8) && document.length) document[below(document.length)] = below(256);
    agree(document);
  }
});

test("every byte alone, in a string, behind a backslash and in \\u", () => {
  for (let first = 0; first < 256; first++) {
    for (const bytes of [[first], [0x22, first, 0x22], [0x22, 0x5c, first, 0x22], [0x22, 0x5c, 0x75, 0x30, first, 0x61, 0x46, 0x22]]) agree(Buffer.from(bytes));
    for (const second of EDGES) {
      for (const bytes of [[first, second], [first, second, 0x80], [first, 0xbf, second, 0x80]]) agree(Buffer.from([0x22, ...bytes, 0x22]));
    }
  }
});

test("a text cut short asks for more bytes, wherever it is cut", () => {
  const document = Buffer.from('{"a":[true,false,null,-1.5e-3,"\\u00e9\\"é"],"b":{"c":{}}}');
  for (let length = 0; length < document.length; length++) assert.equal(find(document.subarray(0, length)).type, Status.MoreBytes, `${length}`);
  assert.equal(find(document).type, JsonType.Object);
});

/** The verdicts of the C host, 1 or 0 for each text. */
function verdicts(texts: readonly Buffer[]): string {
  const input = Buffer.concat(texts.flatMap((text) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return [length, text];
  }));
  const { stdout, stderr, status } = spawnSync("build/tests/json_check", { input, encoding: "utf8", maxBuffer: 1 << 24 });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("the C host takes the same, cut short or not", () => {
  const texts = agreed.flatMap((document) => [document, document.subarray(0, below(document.length + 1))]);
  const found = verdicts(texts);
  assert.equal(found.length, texts.length);
  texts.forEach((text, index) => assert.equal(found[index] === "1", parse(text) !== undefined, JSON.stringify(text.toString("latin1"))));
});

test("finds what a walk along the path finds", () => {
  const value = { a: [1, "x", [true, { b: null }]], "": 0, b: { a: { a: "é" } }, "0": [] };
  const document = Buffer.from(JSON.stringify(value));
  for (const path of ["", "a", "a.0", "a.1", "a.2.0", "a.2.1", "a.2.1.b", "b.a", "b.a.a", "0", "a.3", "a.x", "a.-1", "a.2.2", "0.0", "b.0", "a.0.0", "a.4294967297", "c"]) {
    const expected = path === "" ? value : path.split(".").reduce<unknown>((at, step) => (typeof at === "object" && at !== null && (!Array.isArray(at) || /^\d+$/.test(step)) ? (at as Record<string, unknown>)[step] : undefined), value);
    const { type, span } = find(document, path);
    if (expected === undefined) assert.equal(type, Status.NotFound, path);
    else assert.ok(isDeepStrictEqual(JSON.parse(type === JsonType.Text ? `"${span}"` : String(span)), expected), path);
  }
});

test("nests as deep as the limit and no deeper", () => {
  for (const [begin, end] of [["[", "]"], ['{"a":', "}"]] as const) {
    const nested = (depth: number): Buffer => Buffer.from(begin.repeat(depth) + "1" + end.repeat(depth));
    assert.ok(find(nested(DEPTH_MAX)).type > 0);
    assert.equal(find(nested(DEPTH_MAX + 1)).type, Status.TooDeep);
    const path = Array(DEPTH_MAX).fill(begin === "[" ? "0" : "a").join(".");
    assert.equal(find(nested(DEPTH_MAX), path).type, JsonType.Number);
    assert.equal(find(nested(DEPTH_MAX + 1), path).type, Status.TooDeep);
    assert.equal(verdicts([nested(DEPTH_MAX), nested(DEPTH_MAX + 1)]), "10");
  }
});

test("json_text writes every escape as JSON.parse reads it, within its room", () => {
  const texts = ["\\b\\f\\n\\r\\t\\\"\\\\\\/", "\\u0000\\u007f\\u0080\\u07FF\\u0800\\uD7ff\\ue000\\uffff", "\\ud800\\udc00\\uDBFF\\uDFFF", "é\\u00e9€😀"];
  for (let code = 0; code < 0x10000; code += 61) if (code < 0xd800 || code > 0xdfff) texts.push(`\\u${code.toString(16).padStart(4, "0")}`);
  for (const text of texts) {
    const length = memory.write(text, TEXT);
    const expected = Buffer.from(JSON.parse(`"${text}"`) as string);
    assert.equal(device.json_text(TEXT, length, ROOM, expected.length), expected.length, text);
    assert.deepEqual(Buffer.from(memory.subarray(ROOM, ROOM + expected.length)), expected, text);
    memory.fill(0xee, ROOM, ROOM + 64);
    if (expected.length) assert.equal(device.json_text(TEXT, length, ROOM, expected.length - 1), Status.TooLarge, text);
    assert.equal(memory[ROOM + expected.length - 1 + (expected.length ? 0 : 1)], 0xee, text);
  }
  for (const half of ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x", "\\ud800\\n1234"]) {
    assert.equal(device.json_text(TEXT, memory.write(half, TEXT), ROOM, 64), Status.InvalidUtf8, half);
  }
});
