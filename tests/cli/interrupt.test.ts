// What is left when `npm start` or a build is interrupted: nothing, whoever gets the signal.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PATIENCE_MS = 90_000;
const START = ["--import", "tsx", "host/tools/start.ts", "--port", "0", "--rest-port", "0"];

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "mote-interrupt-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a program, signals it when it has written that, and waits until nobody holds its output any more: neither it nor what it has started. */
async function interruptedAt(pattern: RegExp, signal: NodeJS.Signals, command: string, words: readonly string[], environment: Record<string, string> = {}): Promise<{ code: number | null; signalCode: string | null; output: string }> {
  const child: ChildProcess = spawn(command, words, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment }, detached: true });
  let output = "";
  let isSignalled = false;
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (isSignalled || !pattern.test(output)) return;
      isSignalled = true;
      child.kill(signal);
    });
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
    for (const stream of [child.stdout!, child.stderr!]) stream.destroy();
  }, PATIENCE_MS);
  await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  assert.ok(!isLate, `somebody still holds the output after ${PATIENCE_MS} ms: ${output}`);
  return { code: child.exitCode, signalCode: child.signalCode, output };
}

for (const [when, pattern] of [["as soon as it says how", /Ctrl-C ends it/], ["while the device sends", /Stored/]] as const) {
  test(`npm start ended ${when} leaves no file`, async (t) => {
    const folder = temporaryFolder(t);
    const { code, output } = await interruptedAt(pattern, "SIGINT", process.execPath, [...START, "--engine", "v8"], { TMPDIR: folder });
    assert.equal(code, 0, output);
    assert.match(output, /sent, \d+ stored, nothing lost/);
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("mote-start-")), []);
  });
}

test("npm start ended by SIGTERM to npm leaves no device", async () => {
  // Under `npm test` the word npm is an old one that a dependency brings; who runs the tests is named by `npm_execpath`.
  const { npm_execpath: npm } = process.env;
  const [command, ...words] = npm?.endsWith("npm-cli.js") ? [process.execPath, npm] as const : ["npm"] as const;
  const { output } = await interruptedAt(/Stored/, "SIGTERM", command, [...words, "start", "--", "--port", "0", "--rest-port", "0"]);
  assert.match(output, /sent, \d+ stored, nothing lost/);
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  test(`programs of a build end by ${signal} with what they have started`, async (t) => {
    const program = join(temporaryFolder(t), "build.mts");
    const module = pathToFileURL(join(ROOT, "host/tools/children.ts")).href;
    // A program that is deaf to Ctrl-C at a terminal has a child that holds the output open for as long as it lives.
    writeFileSync(program, `import { spawnWithMe } from ${JSON.stringify(module)};
spawnWithMe("sh", ["-c", "sleep 600 & echo it runs; wait"], { stdio: ["ignore", "inherit", "inherit"] });
`);
    const ended = await interruptedAt(/it runs/, signal, process.execPath, ["--import", "tsx", program]);
    assert.equal(ended.code, code, ended.output);
  });
}
