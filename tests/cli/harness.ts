// Bundles the `mote` command, runs it and watches what it writes.

import { spawn, type ChildProcess } from "node:child_process";
import type { TestContext } from "node:test";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleCommand } from "../../host/tools/bundle.ts";

/** As deep as the real one, because it looks for its module and programs from there, but not where another test packs. */
export const MAIN = fileURLToPath(new URL(`../../build/cli-test/mote-${process.pid}.js`, import.meta.url));
await bundleCommand(MAIN);
process.once("exit", () => [MAIN, `${MAIN}.map`].forEach((file) => rmSync(file, { force: true })));
/** Nothing measures it, and `mote build` loads a compiler: long enough for a busy machine. */
export const PATIENCE_MS = 120_000;

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Command {
  stdout = "";
  stderr = "";
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  #changed: (() => void)[] = [];

  constructor(test: TestContext, words: readonly string[], environment: Record<string, string> = {}) {
    const child = spawn(process.execPath, [MAIN, ...words], {
      stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment }, timeout: PATIENCE_MS,
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => { this.stdout += text; this.#wake(); });
    child.stderr.setEncoding("utf8").on("data", (text: string) => { this.stderr += text; this.#wake(); });
    this.child = child;
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
        this.#wake();
      });
    });
    test.after(() => child.kill("SIGKILL"));
  }

  /** Waits for what the standard output shows. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`ended without ${pattern}: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  interrupt(): Promise<Result> {
    this.child.kill("SIGINT");
    return this.ended;
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

export function mote(test: TestContext, ...words: string[]): Promise<Result> {
  return new Command(test, words).ended;
}
