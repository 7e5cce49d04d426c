// `npm start` as a whole: it builds, connects, is cut, and proves that nothing was lost.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { liveView } from "../../host/tools/live-view.ts";
import { nodeFault } from "../../host/tools/setup.ts";
import { Tally } from "../../host/tools/tally.ts";
import { ensureWritable } from "../../host/tools/writable.ts";

const START = fileURLToPath(new URL("../../host/tools/start.ts", import.meta.url));
const PATIENCE_MS = 120_000;

for (const engine of ["v8", "wasm3"]) {
  test(`npm start over ${engine} ends by itself with nothing lost`, async () => {
    const child = spawn(process.execPath, ["--import", "tsx", START, "--engine", engine, "--seconds", "5", "--port", "0", "--rest-port", "0"], {
      stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE_MS,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => { output += text; });
    const code = await new Promise((resolve) => child.on("close", resolve));
    const summary = /^(\d+) sent, (\d+) stored, nothing lost; .* (\d+) of (\d+) RPCs answered; (\d+) cuts, (\d+) connects$/m.exec(output);
    assert.ok(summary, output);
    const [sent, stored, answered, asked, cuts, connects] = summary.slice(1).map(Number);
    assert.ok(sent! > 0);
    assert.equal(stored, sent);
    assert.ok(answered! > 0);
    assert.equal(answered, asked);
    assert.ok(cuts! > 0);
    assert.ok(connects! > cuts!);
    assert.doesNotMatch(output, /\x1b/);
    assert.equal(code, 0, output);
  });
}

for (const words of [["--seconds", "soon"], ["--seconds", "0"], ["--port", "http"], ["--rest-port", "65536"], ["--engine", "v9"]]) {
  test(`npm start ${words.join(" ")} is explained before anything is built`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", START, ...words], { encoding: "utf8", timeout: PATIENCE_MS });
    assert.match(stderr, /^error: option '--[^]*is invalid\. (not a whole number|Allowed choices)/);
    assert.equal(stdout, "");
    assert.equal(status, 1);
  });
}

test("npm start takes no other port than the one that was asked for", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const child = spawn(process.execPath, ["--import", "tsx", START, "--engine", "v8", "--seconds", "1", "--port", String(port), "--rest-port", "0"], { stdio: ["ignore", "ignore", "pipe"], timeout: PATIENCE_MS });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => { stderr += text; });
  const [code] = await once(child, "close");
  assert.match(stderr, new RegExp(`^mote: listen EADDRINUSE: address already in use 127\\.0\\.0\\.1:${port}\n$`));
  assert.equal(code, 1);
});

test("a version of Node that is too old is told, and which one would do", () => {
  for (const version of ["18.20.8", "20.9.0", "16.0.0"]) assert.match(nodeFault(version) ?? "", new RegExp(`^Node ${version} is too old: 20\\.10 or newer`));
  for (const version of ["20.10.0", "20.20.2", "22.0.0", "24.21.0"]) assert.equal(nodeFault(version), null);
});

test("a folder that cannot be written to is told by one line", () => {
  ensureWritable(tmpdir());
  assert.throws(() => ensureWritable("/no/such/folder"), /^Error: cannot write to \/no\/such\/folder \(ENOENT\): what is built goes to its folder build; /);
});

test("what is missing is told with what to do, before anything is built", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mote-path-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = (): { stderr: string; status: number | null; stdout: string } =>
    spawnSync(process.execPath, ["--import", "tsx", START], { encoding: "utf8", timeout: PATIENCE_MS, env: { ...process.env, PATH: folder } });
  // A system without dpkg-query, and without sh to look for the commands.
  const elsewhere = run();
  assert.match(elsewhere.stderr, /no Debian system; install what brings these commands, then run this again: cc, cmake, make\n$/);
  // One whose packages are missing, for a user who may not install them; root would.
  writeFileSync(join(folder, "dpkg-query"), "#!/bin/sh\n[ \"$1\" = --version ]\n", { mode: 0o755 });
  const bare = process.getuid?.() === 0 ? undefined : run();
  if (bare !== undefined) assert.match(bare.stderr, /packages are missing; run this once, then try again:\n {2}sudo apt-get update && sudo apt-get install -y --no-install-recommends gcc .*cmake/);
  assert.deepEqual([elsewhere.stdout, elsewhere.status], ["", 1]);
});

for (const [columns, shown] of [[0, "state"], [undefined, "state"], [40, "state"], [3, "st"]] as const) {
  test(`a terminal that says it has ${columns} columns shows what fits`, () => {
    let text = "";
    const view = liveView({ isTTY: true, columns, write: (part: string) => { text += part; return true; } } as unknown as NodeJS.WriteStream);
    view.show(["state"]);
    view.log("line");
    view.end();
    assert.equal(text.split("\n")[0]!.replaceAll(/\x1b\[[?\d]*[a-zA-Z]/g, ""), shown);
    assert.ok(text.endsWith("\x1b[?25h"), "the cursor is back");
  });
}

test("a loss and a repetition show in the tally", () => {
  const tally = new Tally();
  tally.sent = 4;
  for (const sequence of [1, 2, 2, 4]) tally.store(sequence);
  assert.deepEqual([tally.missing(), tally.stored, tally.repeated], [[3], 3, 1]);
  assert.match(tally.summary(), /1 LOST \(3\)/);
});
