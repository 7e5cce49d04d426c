// Proves that both dialects of WebAssembly text are read alike, and that positions get the names of the compiler's text.

import assert from "node:assert/strict";
import { test } from "node:test";
import { borrowNames, parseWat } from "./wat.ts";

const NAMED = `(module
  (type $0 (func (param i32) (result i32)))
  (import "mote" "now_ms" (func $now (result i64)))
  (memory $0 1 1)
  (export "start" (func $start))
  (export "memory" (memory $0))
  (func $leaf (type $0) (param $0 i32) (result i32) local.get $0 ;; a comment (with parentheses)
   call $now i32.wrap_i64)
  (func $start (type $0) (param i32) (result i32) (call $leaf (local.get 0))))`;

const SHIPPED = `(module
  (type (;0;) (func (result i64)))
  (type (;1;) (func (param i32) (result i32)))
  (import "mote" "now_ms" (func (;0;) (type 0)))
  (func (;1;) (type 1) (param i32) (result i32) local.get 0 call 0 i32.wrap_i64)
  (func (;2;) (type 1) (param i32) (result i32) local.get 0 call 1)
  (memory (;0;) 1 1)
  (export "start" (func 2))
  (export "memory" (memory 0)))`;

test("named text: imports, exports, calls and memory", () => {
  const module = parseWat(NAMED);
  assert.deepEqual(module.functions.map((each) => each.name), ["$now", "$leaf", "$start"]);
  assert.deepEqual(module.functions.map((each) => each.calls), [[], ["$now"], ["$leaf"]]);
  assert.equal(module.functions[0]!.imported, "mote.now_ms");
  assert.deepEqual(module.functions[1]!.params, ["i32"]);
  assert.deepEqual(module.functions[0]!.results, ["i64"]);
  assert.deepEqual(module.memories, [{ min: 1, max: 1 }]);
  assert.deepEqual(module.exports.map((each) => each.name), ["start", "memory"]);
});

test("shipped text gets names by position", () => {
  const module = parseWat(SHIPPED);
  borrowNames(module, parseWat(NAMED));
  assert.deepEqual(module.functions.map((each) => each.calls), [[], ["$now"], ["$leaf"]]);
  assert.equal(module.exports[0]!.target, "$start");
  assert.deepEqual(module.functions[1]!.params, ["i32"]);
});

test("text of another build is refused", () => {
  assert.throws(() => borrowNames(parseWat(SHIPPED), parseWat(NAMED.replace("call $now", ""))), /another build/);
  assert.throws(() => borrowNames(parseWat(SHIPPED), parseWat("(module)")), /another build/);
});

test("unbalanced text is refused", () => {
  assert.throws(() => parseWat("(module (func)"), /unbalanced/);
  assert.throws(() => parseWat("(module))"), /unbalanced/);
});
