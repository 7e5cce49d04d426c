// Proves of each gate over a compiled module that it passes what is allowed and catches what is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as gate from "./module-gates.ts";
import { parseWat } from "./wat.ts";

const module = (fields: string): ReturnType<typeof parseWat> => parseWat(`(module ${fields})`);
const GOOD_MEMORY = `(memory 1 1) (export "memory" (memory 0))`;

test("start", () => {
  assert.deepEqual(gate.checkStart(module("(func)")), []);
  assert.equal(gate.checkStart(module("(func) (start 0)")).length, 1);
});

test("exports of one function", () => {
  const shared = (...names: string[]): string => `(func) ${names.map((name) => `(export "${name}" (func 0))`).join(" ")}`;
  assert.deepEqual(gate.checkSharedExports(module(shared("a"))), []);
  assert.match(gate.checkSharedExports(module(shared("a", "b")))[0]!, /^a, b are one function/);
});

test("what is apart", () => {
  const source = new Map([["assembly/a.ts", "// @ts-ignore: decorator\n@apart\nexport function f(): void {}\n"], ["tests/a.ts", "@apart\nfunction g()"]]);
  assert.deepEqual(gate.checkApart(module("(func $assembly/a/f)"), source), []);
  assert.match(gate.checkApart(module("(func $assembly/a/g)"), source)[0]!, /^\$assembly\/a\/f was inlined/);
});

test("what is to be inlined ahead of time", () => {
  assert.deepEqual(gate.checkOften(module("(func $assembly/a/f)"), ["a/f"]), []);
  assert.match(gate.checkOften(module("(func $assembly/a/f)"), ["a/f", "a/g"])[0]!, /^a\/g of host/);
});

test("memory", () => {
  assert.deepEqual(gate.checkMemory(module(GOOD_MEMORY)), []);
  for (const bad of [`(memory 1) (export "memory" (memory 0))`, `(memory 0 1) (export "memory" (memory 0))`, "(memory 1 1)", `(import "env" "memory" (memory 1 1))`]) {
    assert.notEqual(gate.checkMemory(module(bad)).length, 0, bad);
  }
});

test("imports: one missing, one too many, one from another module", () => {
  const now = `(import "mote" "now_ms" (func (result i64)))`;
  assert.deepEqual(gate.checkImports(module(now), ["now_ms"]), []);
  assert.deepEqual(gate.checkImports(module(""), ["now_ms"]), ["import mote.now_ms is missing"]);
  assert.deepEqual(gate.checkImports(module(now), []), ["import mote.now_ms is not allowed"]);
  assert.equal(gate.checkImports(module(`(import "env" "abort" (func))`), []).length, 1);
  assert.equal(gate.checkImports(module(`(import "mote" "g" (global i32))`), ["g"]).length, 2);
});

test("exports: one missing, one too many, a global", () => {
  const fields = `${GOOD_MEMORY} (func $poll) (export "poll" (func $poll))`;
  assert.deepEqual(gate.checkExports(module(fields), ["poll"]), []);
  assert.deepEqual(gate.checkExports(module(fields), ["poll", "start"]), ["export start is missing"]);
  assert.deepEqual(gate.checkExports(module(fields), []), ["export poll is not allowed"]);
  assert.equal(gate.checkExports(module(`${fields} (export "State.Idle" (global 0))`), ["poll"]).length, 1);
});

test("signatures", () => {
  const documented = new Map([["poll", { params: 1, result: "i32" }], ["now_ms", { params: 0, result: "i64" }]]);
  const good = `(func $poll (param i32) (result i32)) (export "poll" (func $poll)) (import "mote" "now_ms" (func (result i64)))`;
  assert.deepEqual(gate.checkSignatures(module(good), documented), []);
  assert.equal(gate.checkSignatures(module(good.replace("(param i32)", "(param i64)")), documented).length, 1);
  assert.equal(gate.checkSignatures(module(good.replace("(param i32)", "")), documented).length, 1);
  assert.equal(gate.checkSignatures(module(good.replace("(result i64)", "(result i32)")), documented).length, 1);
});

test("instructions that no client module may contain", () => {
  assert.deepEqual(gate.checkInstructions(module("(func i32.const 1 drop memory.copy)")), []);
  for (const bad of ["f64.add", "f32.const 1", "i32.trunc_f64_s", "call_indirect", "memory.grow", "return_call 0"]) {
    assert.notEqual(gate.checkInstructions(module(`(func ${bad})`)).length, 0, bad);
  }
  for (const bad of ["(func (param f64))", "(func (result f32))", "(global f64 (f64.const 0))", "(type (func (param f32)))", "(table 1 funcref)", "(elem (i32.const 0) 0)"]) {
    assert.notEqual(gate.checkInstructions(module(bad)).length, 0, bad);
  }
});

test("heap", () => {
  assert.deepEqual(gate.checkHeap(module("(func $assembly/base/bytes/renewal)")), []);
  for (const bad of ["$~lib/rt/stub/__alloc", "$~lib/rt/itcms/Object#get:next", "$__new", "$x/__renew"]) {
    assert.equal(gate.checkHeap(module(`(func ${bad})`)).length, 1, bad);
  }
});

const chain = (length: number): string =>
  Array.from({ length: length + 1 }, (_, at) => `(func $f${at} ${at < length ? `call $f${at + 1}` : ""})`).join(" ") + `(export "f" (func $f0))`;

test("depth: five calls below an export pass, six do not; an import counts", () => {
  assert.deepEqual(gate.checkDepth(module(chain(5))), { faults: [], deepest: ["$f0", "$f1", "$f2", "$f3", "$f4", "$f5"] });
  assert.equal(gate.checkDepth(module(chain(6))).faults.length, 1);
  assert.equal(gate.checkDepth(module(`(import "mote" "log" (func $f6)) ${chain(5).replace("(func $f5 )", "(func $f5 call $f6)")}`)).faults.length, 1);
});

test("recursion, direct and through another function", () => {
  assert.match(gate.checkDepth(module(`(func $a call $a) (export "a" (func $a))`)).faults.join(), /recursion: \$a > \$a/);
  assert.match(gate.checkDepth(module(`(func $a call $b) (func $b call $a) (export "a" (func $a))`)).faults.join(), /recursion/);
});
