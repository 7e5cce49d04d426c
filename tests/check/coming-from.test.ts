// Shows the gate over host/coming-from.md what it must see.

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkComingFrom } from "./coming-from.ts";
import { readSources } from "./sources.ts";

const TOP = join(dirname(fileURLToPath(import.meta.url)), "../..");
const sources = readSources(TOP);
const document = sources.get("host/coming-from.md")!;
const row = "| `m()` | `mote_claim()` | `claim()` | `client.claim()`, `qos` | [a device that a user may claim][examples], [QoS 0][telemetry] |";
/** Tests that a row names, in files as they lie in the project. */
const shown = new Map([
  ["tests/behaviour/telemetry.test.ts", 'behaviour("t", (check) => {\n  check("QoS 0", async (t, engine) => {\n    await driver.run("init", { qos: 0 });\n    await driver.run("ota_stop", 1);\n    await driver.event("OtaFailed");\n  });\n});\n'],
  ["tests/node/wire.test.ts", 'test("it stops", async (t) => {\n  // client.claim()\n  client.stop();\n});\n\ntest("it claims", (t) => {\n  helper();\n});\n\nfunction helper(): void {\n  client.claim();\n}\n'],
  ["tests/app/claims.test.ts", 'let app = "";\nconst APP = `\nexport function setup(): void { claim(); }\n`;\nbefore(async () => {\n  app = await compile(APP);\n});\ntest("it claims", (t) => {\n  start(app);\n});\n'],
]);

function faultsWith(line: string): string[] {
  const table = "| there | C | AssemblyScript | TypeScript | shown by |\n|---|---|---|---|---|\n";
  const labels = { examples: "tests/faces/examples.test.ts", telemetry: "tests/behaviour/telemetry.test.ts", wire: "tests/node/wire.test.ts", claims: "tests/app/claims.test.ts" };
  const links = Object.entries(labels).map(([label, path]) => `[${label}]: ../${path}\n`).join("");
  return checkComingFrom(new Map([...sources, ...shown, ["host/coming-from.md", `${table}${line}\n\n${links}`]]));
}

test("the tables of this checkout name what exists", () => {
  assert.deepEqual(checkComingFrom(sources), []);
  assert.ok((document.match(/^\| /gm) ?? []).length > 150);
});

test("a cell that is empty and a name that does not exist are seen", () => {
  assert.deepEqual(faultsWith(row), []);
  for (const [there, instead] of [
    ["`mote_claim()`", ""], ["mote_claim", "mote_claim_all"], ["mote_claim()", "MOTE_EVENT_HALTED"], ["mote_claim()", "no_such_key"],
    ["`claim()`", "`claimAll()`"], ["`claim()`", "`EventKind.Claimed`"], ["client.claim", "client.claimAll"], ["client.claim()", "NoClass"], ["client.claim()", "no_such_key"],
    ["[examples]", "[example]"], ["a user may", "no user may"], ["[a device that a user may claim][examples], [QoS 0][telemetry]", "shown by nothing"],
  ] as const) {
    assert.notDeepEqual(faultsWith(row.replace(there, instead)), [], `${there} as ${instead}`);
  }
});

test("a call that none of the tests of its row makes in its language is seen", () => {
  // A call of C by a command of the behaviour suite, an event by its name, a key where it stands.
  assert.deepEqual(faultsWith("| `m()` | `mote_ota_stop()`, `MOTE_EVENT_OTA_FAILED`, `qos` | the host's | by itself | [QoS 0][telemetry] |"), []);
  // By a helper that the test calls, and by the app that it starts.
  assert.deepEqual(faultsWith("| `m()` | by itself | `claim()` | `client.claim()` | [it claims][wire], [it claims][claims] |"), []);
  for (const [call, broken] of [
    ["mote_claim()", "| `m()` | `mote_claim()` | by itself | by itself | [QoS 0][telemetry] |"],
    ["EventKind.OtaFailed", "| `m()` | by itself | `EventKind.OtaFailed` | by itself | [QoS 0][telemetry] |"],
    ["client.stopOta()", "| `m()` | by itself | by itself | `client.stopOta()` | [QoS 0][telemetry] |"],
    ["client.claim()", "| `m()` | by itself | by itself | `client.claim()` | [it stops][wire] |"],
    ["claim()", "| `m()` | by itself | `claim()` | by itself | [it claims][wire] |"],
    ["client.stop()", "| `m()` | by itself | by itself | `client.stop()` | [it claims][claims] |"],
  ] as const) {
    assert.deepEqual(faultsWith(broken), [`host/coming-from.md:3 names ${call}, which none of its tests shows`]);
  }
});

test("a file that is not there is seen", () => {
  assert.equal(checkComingFrom(new Map([...sources, ["host/coming-from.md", `${document}\n[lost]: ../tests/lost.ts\n`]])).length, 1);
});
