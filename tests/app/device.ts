// A device with an app on one of the engines, run as `mote device` runs it, and what it writes.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Watch } from "../behaviour/watch.ts";
import { MAIN } from "../cli/harness.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export type Line = Readonly<Record<string, unknown>> & { readonly event: string };

export class AppDevice {
  readonly lines: Line[] = [];
  readonly ended: Promise<{ code: number | null; stderr: string }>;
  readonly #watch = new Watch();
  readonly #child: ChildProcess;

  constructor(test: TestContext, engine: string, app: string, port: number, configuration: object = {}, more: readonly string[] = []) {
    const folder = mkdtempSync(join(tmpdir(), "mote-app-"));
    const config = join(folder, "device.json");
    writeFileSync(config, JSON.stringify({
      mqtt_host: "127.0.0.1", mqtt_port: port, access_token: "DEMO_TOKEN", reconnect_min_ms: 1, reconnect_max_ms: 50, ...configuration,
    }));
    const words = ["--config", config, "--app", app, "--json", ...more];
    const [command, ...first] = engine === "v8"
      ? [process.execPath, MAIN, "device", "--engine", "v8"] : [join(ROOT, `build/c/mote-device-${engine}`)];
    this.#child = spawn(command!, [...first, ...words], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => { stderr += text; });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#watch.changed();
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code) => {
        resolve({ code, stderr });
        this.#watch.changed();
      });
    });
    test.after(() => {
      this.#child.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    });
  }

  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Waits for so many lines of an event. */
  async shows(event: string, count = 1): Promise<Line[]> {
    return this.#watch.until(`${count} times ${event}`, () => (this.of(event).length >= count ? this.of(event) : undefined),
      () => this.lines.slice(-10).map((line) => JSON.stringify(line)).join(" ") || "nothing");
  }

  /** Ends it as Ctrl-C does; its exit code. */
  async interrupt(): Promise<number | null> {
    this.#child.kill("SIGINT");
    return (await this.ended).code;
  }
}
