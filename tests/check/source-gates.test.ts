// Proves of each gate over the sources that it passes what is allowed and catches what is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkBanned } from "./banned.ts";
import { checkDeadFiles, checkSpecs } from "./dead-files.ts";
import { checkAssemblyLayers, checkEntries, checkExternals, checkHostLayers, checkMemoryData } from "./layers.ts";
import { codeOnly, importsOf, withoutComments } from "./sources.ts";

const files = (entries: Record<string, string>): Map<string, string> => new Map(Object.entries(entries));

test("comments and strings are told from code", () => {
  assert.equal(withoutComments('a; // b\n"// c" /* d */ e'), 'a;     \n"// c"         e');
  assert.equal(codeOnly('f("new X", `y`)'), 'f("     ", ` `)');
});

test("imports are resolved, commented ones ignored", () => {
  const sources = files({ "assembly/base/time.ts": "", "assembly/abi.ts": "" });
  const text = 'import { a } from "../abi";\n// import "./gone"\nimport "./time";';
  assert.deepEqual(importsOf("assembly/base/x.ts", text, sources).map((each) => [each.to, each.line]), [["assembly/abi.ts", 1], ["assembly/base/time.ts", 3]]);
});

test("layers of assembly", () => {
  const all = { "assembly/abi.ts": "", "assembly/base/bytes.ts": "", "assembly/mqtt/encode.ts": "", "assembly/json/scan.ts": "", "assembly/client/outbox.ts": "" };
  const from = (path: string, target: string): string[] => checkAssemblyLayers(files({ ...all, [path]: `import { x } from "${target}";` }));
  assert.deepEqual(from("assembly/client/poll.ts", "../mqtt/encode"), []);
  assert.deepEqual(from("assembly/mqtt/decode.ts", "../base/bytes"), []);
  assert.deepEqual(from("assembly/base/time.ts", "./bytes"), []);
  assert.equal(from("assembly/mqtt/decode.ts", "../json/scan").length, 1);
  assert.equal(from("assembly/json/find.ts", "../mqtt/encode").length, 1);
  assert.equal(from("assembly/mqtt/decode.ts", "../client/outbox").length, 1);
  assert.equal(from("assembly/base/time.ts", "../json/scan").length, 1);
  assert.equal(from("assembly/abi.ts", "./base/bytes").length, 1);
  assert.equal(from("assembly/client/poll.ts", "../../host/node/module").length, 1);
  assert.equal(from("assembly/attic/poll.ts", "../abi").length, 1);
});

test("entries, memory regions and imports of the host have one home each", () => {
  assert.deepEqual(checkEntries(["assembly/profiles/minimal.ts", "./assembly/apps/blink.ts"]), []);
  assert.equal(checkEntries(["assembly/client/poll.ts"]).length, 1);
  assert.deepEqual(checkMemoryData(files({ "assembly/memory.ts": "memory.data(64)", "assembly/json/a.ts": "memory.data<u8>([1, 2]) // memory.data(4)" })), []);
  assert.equal(checkMemoryData(files({ "assembly/json/a.ts": "const a = memory.data(64);" })).length, 1);
  assert.deepEqual(checkExternals(files({ "assembly/host.ts": '@external("mote", "log")' })), []);
  assert.equal(checkExternals(files({ "assembly/base/x.ts": '@external("mote", "log")' })).length, 1);
});

test("layers of the hosts", () => {
  const faults = (path: string, text: string): number => checkHostLayers(files({ [path]: text })).length;
  assert.equal(faults("host/node/instance.ts", "WebAssembly.instantiate()"), 0);
  assert.equal(faults("host/node/device.ts", "WebAssembly.instantiate()"), 1);
  assert.equal(faults("host/cli/mote.ts", 'import "../../tests/vectors/parse.ts"'), 1);
  assert.equal(faults("host/node/device.ts", 'import "../server/broker.ts"'), 1);
  assert.equal(faults("host/c/src/engine_wasm3.c", '#include "wasm3.h"'), 0);
  assert.equal(faults("host/c/src/mote.c", '#include <wasm3.h>'), 1);
  assert.equal(faults("tests/c/x.c", '#include "m3_env.h"'), 1);
  assert.equal(faults("host/c/src/mote.c", '#include "../../../tests/c/helper.h"'), 1);
});

test("banned words, each where it is banned and not elsewhere", () => {
  const count = (path: string, text: string): number => checkBanned(files({ [path]: text })).length;
  const later = ["TO", "DO"].join("");
  const cases: [string, string, number][] = [
    ["assembly/json/a.ts", "let x = new Thing();", 1],
    ["assembly/json/a.ts", "// a new Thing in a comment", 0],
    ["host/node/a.ts", "let x = new Thing();", 0],
    ["assembly/json/a.ts", 'let s = "a" + b;', 1],
    ["assembly/json/a.ts", 'let s = b + "a";', 1],
    ["assembly/json/a.ts", 'const s = utf8("a+b");', 0],
    ["assembly/json/a.ts", "let a: Array<i32>;", 1],
    ["assembly/json/a.ts", "return JsonType.Array;", 0],
    ["assembly/json/a.ts", "let a: f64;", 1],
    ["assembly/json/a.ts", "memory.grow(1)", 1],
    ["assembly/json/a.ts", "String.UTF8.encode(x)", 1],
    ["host/node/a.ts", "console.log(1)", 1],
    ["host/cli/a.ts", "console.log(1)", 0],
    ["host/node/a.ts", `// ${later}: more`, 1],
    ["tests/sim/a.test.ts", "test.only('x')", 1],
    ["tests/sim/a.test.ts", "test('x', { skip: true }, f)", 1],
    ["tests/unit/a.spec.ts", "xit('x', f)", 1],
    ["tests/sim/a.ts", "const p = '/wo" + "rk/main';", 1],
    ["host/c/src/a.c", '"v1/dev' + 'ices/me/telemetry"', 1],
    ["assembly/thingsboard/topics.ts", '"v1/dev' + 'ices/me/telemetry"', 0],
    ["host/server/topics.ts", '"v1/gateway"', 0],
    ["host/node/a.ts", '"v2/fw/request"', 1],
  ];
  for (const [path, text, expected] of cases) assert.equal(count(path, text), expected, `${path}: ${text}`);
});

test("dead files", () => {
  const living = {
    "package.json": '{"scripts":{"check":"tsx tests/check/check.ts"}}',
    "tests/check/check.ts": 'import "./wat.ts";', "tests/check/wat.ts": "",
    "host/c/CMakeLists.txt": "add_library(mote src/mote.c module_${engine}.c)", "host/c/src/module_aot.c": "", "host/c/src/mote.c": '#include "mote.h"', "host/c/include/mote.h": "",
    "tests/a.test.ts": "", "tests/unit/x.spec.ts": "",
  };
  assert.deepEqual(checkDeadFiles(files(living)), []);
  for (const dead of ["host/node/old.ts", "host/c/src/old.c", "host/c/include/old.h"]) {
    assert.deepEqual(checkDeadFiles(files({ ...living, [dead]: "" })), [`${dead}: nobody imports, includes or lists it`]);
  }
});

test("files of the module without a unit spec", () => {
  const sources = { "assembly/memory.ts": "", "assembly/base/time.ts": "", "assembly/app/text.ts": "", "assembly/abi.ts": "", "tests/unit/memory.spec.ts": "" };
  assert.deepEqual(checkSpecs(files(sources)), ["tests/unit/base/time.spec.ts: missing"]);
});
