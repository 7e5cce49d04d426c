// What is left when the terminal of a program goes away: nothing, and the broker was told.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { Watch } from "../behaviour/watch.ts";
import { Command, MAIN, PATIENCE_MS } from "./harness.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAMS = join(ROOT, "build/c");
const DEVICE = join(PROGRAMS, "mote-device-wasm3");
const START = ["--import", "tsx", "host/tools/start.ts", "--port", "0", "--rest-port", "0"];

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "mote-hang-up-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A broker, and the file of a device that knows it. */
async function brokerAndConfig(t: TestContext): Promise<{ broker: BareBroker; config: string }> {
  const broker = await BareBroker.open(t);
  const config = join(temporaryFolder(t), "device.json");
  writeFileSync(config, JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, session_limits: false, ack_timeout_s: 600 }));
  return { broker, config };
}

/** A terminal with an interactive shell in it, which runs the program: both tell it when the terminal goes away. */
class Terminal {
  output = "";
  readonly #script: ChildProcess;
  readonly #left: Promise<unknown>;
  readonly #watch = new Watch();

  constructor(t: TestContext, command: string, words: readonly string[], environment: Record<string, string> = {}) {
    const line = [command, ...words].map((word) => `'${word}'`).join(" ");
    this.#script = spawn("script", ["-qec", 'exec bash --norc -ic "$LINE; true"', "/dev/null"], {
      // Whatever runs in the terminal holds the last one of these open.
      cwd: ROOT, stdio: ["pipe", "pipe", "inherit", "pipe"], env: { ...process.env, ...environment, SHELL: "/bin/sh", LINE: line },
    });
    t.after(() => this.#script.kill("SIGKILL"));
    this.#left = once((this.#script.stdio[3] as Readable).resume(), "end", { signal: AbortSignal.timeout(PATIENCE_MS) });
    this.#script.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
      this.#watch.changed();
    });
  }

  async shows(pattern: RegExp): Promise<void> {
    await this.#watch.until(String(pattern), () => pattern.exec(this.output) ?? undefined, () => this.output);
  }

  /** Waits until nothing of what it ran is there any more. */
  async close(): Promise<void> {
    this.#script.kill("SIGKILL");
    await this.#left;
  }
}

for (const [what, packet, command, words] of [
  ["mote device in v8", "publish", process.execPath, [MAIN, "device", "--engine", "v8", "--interval", "50", "--config"]],
  ["mote device in wasm3", "publish", process.execPath, [MAIN, "device", "--engine", "wasm3", "--interval", "50", "--config"]],
  ["the C program", "publish", DEVICE, ["--interval", "50", "--config"]],
  ["an example in C", "subscribe", join(PROGRAMS, "examples/reply-rpc"), []],
  ["an example in TypeScript", "subscribe", process.execPath, ["--import", "tsx", "boards/posix/examples/run.ts", "reply-rpc"]],
] as const) {
  test(`${what} says goodbye when its terminal goes away`, async (t) => {
    const { broker, config } = await brokerAndConfig(t);
    const terminal = new Terminal(t, command, [...words, config]);
    const link = await broker.link();
    await link.packet(packet);
    await terminal.close();
    await link.closed();
    assert.equal(link.packets.at(-1)!.cmd, "disconnect", terminal.output);
    assert.equal(broker.links.length, 1);
  });
}

test("npm start leaves no file when its terminal goes away", async (t) => {
  const folder = temporaryFolder(t);
  const terminal = new Terminal(t, process.execPath, START, { TMPDIR: folder });
  await terminal.shows(/stored +.*sequence/);
  await terminal.close();
  assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("mote-start-")), []);
});

test("SIGHUP ends the server in an orderly way", async (t) => {
  const server = new Command(t, ["server", "--port", "0", "--rest-port", "0"]);
  await server.shows(/access token/);
  server.child.kill("SIGHUP");
  assert.equal((await server.ended).code, 0);
});

for (const [what, command, words] of [
  ["mote device", process.execPath, [MAIN, "device", "--engine", "v8"]],
  ["the C program", DEVICE, []],
] as const) {
  // The terminal says so, its shell says so, and the end of the shell does: none of them is a user who has lost patience.
  test(`${what} still sends what it has when SIGHUP comes again and again`, async (t) => {
    const { broker, config } = await brokerAndConfig(t);
    broker.answers.publish = false;
    const child = spawn(command, [...words, "--config", config, "--interval", "20", "--json"], { stdio: ["ignore", "pipe", "inherit"], timeout: PATIENCE_MS });
    t.after(() => child.kill("SIGKILL"));
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => { output += text; });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const link = await broker.link();
    await link.packet("publish", 3);
    let count = 0;
    const timer = setInterval(() => {
      child.kill("SIGHUP");
      if (++count < 10) return;
      // None later: nobody answers to signals while Node itself ends.
      clearInterval(timer);
      link.answers.publish = true;
      for (const { messageId } of link.of("publish")) link.puback(messageId!);
    }, 20);
    t.after(() => clearInterval(timer));
    assert.equal(await ended, 0, output);
    assert.equal(link.packets.at(-1)!.cmd, "disconnect", output);
    const { event, sent, delivered } = JSON.parse(output.trim().split("\n").at(-1)!) as Record<string, unknown>;
    assert.equal(event, "Stopped");
    assert.equal(delivered, sent);
  });
}

test("the C program under nohup outlives its terminal, and ends by SIGTERM", async (t) => {
  const { broker, config } = await brokerAndConfig(t);
  const child = spawn("nohup", [DEVICE, "--config", config, "--interval", "20", "--json"], { stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE_MS });
  t.after(() => child.kill("SIGKILL"));
  child.stdout.resume();
  child.stderr.resume();
  const ended = new Promise((resolve) => child.on("close", resolve));
  const link = await broker.link();
  await link.packet("publish");
  child.kill("SIGHUP");
  await link.packet("publish", link.of("publish").length + 20);
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
  assert.equal(link.packets.at(-1)!.cmd, "disconnect");
});
