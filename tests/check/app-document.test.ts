// Proves that a verb of apps which one of the lists lacks, or has in another form, is caught.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkAppDocument, declared, documented, listed } from "./app-document.ts";

const read = (name: string): string => readFileSync(new URL(`../../assembly/${name}`, import.meta.url), "utf8");
const [markdown, abi, verbs] = [read("app/ABI.md"), read("abi.ts"), read("app/verbs.ts")];

test("the lists are read: names with their forms", () => {
  assert.equal(documented(markdown, "Imports").get("ota_apply"), "i(ii)");
  assert.equal(documented(markdown, "Exports").get("on_event"), "v(ii)");
  assert.equal(declared(verbs).get("now_ms"), "I()");
  assert.equal(listed('X(log, "v(iii)", PLAIN) \\').get("log"), "v(iii)");
});

test("the lists of this checkout agree", () => {
  assert.deepEqual(checkAppDocument(markdown, abi, verbs, ""), []);
});

test("a difference in any of them is caught", () => {
  assert.equal(checkAppDocument(markdown.replace("`timer(ms)", "`timer(ms, id)"), abi, verbs, "").length, 1);
  assert.equal(checkAppDocument(markdown, abi, verbs.replace('"io"', '"hardware"'), "").length, 2);
  assert.equal(checkAppDocument(`${markdown}\n\`AppLost\`\n`, abi, verbs, "").length, 1);
  assert.ok(checkAppDocument(markdown, abi, verbs, 'X(io, "i(ii)", PLAIN)').length > 1);
});
