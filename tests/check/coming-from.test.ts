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
const row = "| `m()` | `mote_stop()` | `claim()` | `client.stop()` | [said before, during][outage] |";

function faultsWith(line: string): string[] {
  const table = "| there | C | AssemblyScript | TypeScript | shown by |\n|---|---|---|---|---|\n";
  return checkComingFrom(new Map([...sources, ["host/coming-from.md", `${table}${line}\n\n[outage]: ../tests/behaviour/outage.test.ts\n`]]));
}

test("the tables of this checkout name what exists", () => {
  assert.deepEqual(checkComingFrom(sources), []);
  assert.ok((document.match(/^\| /gm) ?? []).length > 150);
});

test("a cell that is empty and a name that does not exist are seen", () => {
  assert.deepEqual(faultsWith(row), []);
  for (const [there, instead] of [
    ["`mote_stop()`", ""], ["mote_stop", "mote_halt"], ["mote_stop()", "MOTE_EVENT_HALTED"], ["mote_stop()", "no_such_key"],
    ["claim()", "claimAll()"], ["claim()", "EventKind.Claimed"], ["client.stop", "client.standStill"], ["client.stop()", "NoClass"], ["client.stop()", "no_such_key"],
    ["outage", "outages"], ["said before, during", "no such test"], ["[said before, during][outage]", "shown by nothing"],
  ] as const) {
    assert.notDeepEqual(faultsWith(row.replace(there, instead)), [], `${there} as ${instead}`);
  }
});

test("a file that is not there is seen", () => {
  assert.equal(checkComingFrom(new Map([...sources, ["host/coming-from.md", `${document}\n[lost]: ../tests/lost.ts\n`]])).length, 1);
});
