// Proves that ABI.md's tables are read as they stand and that a name which abi.ts or host.ts lacks is caught.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkAbiDocument, exportsOf, parseAbiDocument } from "./abi-document.ts";

const read = (name: string): string => readFileSync(new URL(`../../assembly/${name}`, import.meta.url), "utf8");
const [markdown, abi, host] = [read("ABI.md"), read("abi.ts"), read("host.ts")];

test("the tables are read: imports with their results, exports by profile", () => {
  const document = parseAbiDocument(markdown);
  assert.deepEqual(document.imports.get("net_open"), { params: 4, result: "i32" });
  assert.deepEqual(document.imports.get("now_ms"), { params: 0, result: "i64" });
  assert.deepEqual(document.imports.get("net_close"), { params: 1, result: "" });
  assert.deepEqual(document.common.get("configure"), { params: 3, result: "i32" });
  const minimal = exportsOf(document, "minimal");
  const device = exportsOf(document, "device");
  for (const name of ["poll", "records", "send_rpc_reply"]) assert.ok(minimal.includes(name), name);
  for (const name of ["publish", "suspend", "publish_begin", "unix_ms"]) assert.ok(!minimal.includes(name), name);
  for (const name of ["send_telemetry", "publish", "request_attributes"]) assert.ok(device.includes(name), name);
  assert.ok(!device.includes("publish_begin"));
});

test("the documents of this checkout agree", () => {
  assert.deepEqual(checkAbiDocument(markdown, abi, host), []);
});

test("a status, a member, a constant or a call that does not exist is caught", () => {
  for (const wrong of ["`BadStat`", "`Release.Maybe`", "`NO_DEADLINE`", "`poll_again()`"]) {
    assert.equal(checkAbiDocument(`${markdown}\n${wrong}\n`, abi, host).length, 1, wrong);
  }
  assert.notEqual(checkAbiDocument(markdown, abi.replace("  BadState = -5", "  WrongState = -5"), host).length, 0);
});

test("an import that is not documented, or otherwise, is caught", () => {
  assert.equal(checkAbiDocument(markdown, abi, host.replace('"now_ms"', '"time_ms"')).length, 1);
  assert.equal(checkAbiDocument(markdown, abi, host.replace("now_ms(): i64", "now_ms(): i32")).length, 1);
});
