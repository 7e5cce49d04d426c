// A client on one of the engines, driven by lines as tests/c/driver.c describes them.

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const COMMANDS: Readonly<Record<string, readonly [command: string, ...words: string[]]>> = {
  v8: [process.execPath, "--import", "tsx", path("tests/behaviour/node-driver.ts")],
  wasm3: [path("build/tests/driver-wasm3")],
  aot: [path("build/tests/driver-aot")],
};

/** The engines that are built; V8 always is. */
export const engines: readonly string[] = Object.keys(COMMANDS).filter((engine) => existsSync(COMMANDS[engine]![0]));

export const PATIENCE_MS = 10_000;

export type Line = Readonly<Record<string, unknown>>;

export class Driver {
  readonly lines: Line[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  #changed: (() => void)[] = [];
  #read = 0;
  #hasEnded = false;

  constructor(test: TestContext, engine: string) {
    const [command, ...words] = COMMANDS[engine]!;
    this.#child = spawn(command, words, { stdio: "pipe" });
    this.#child.stderr.pipe(process.stderr);
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#wake();
    }).on("close", () => {
      this.#hasEnded = true;
      this.#wake();
    });
    test.after(() => this.#child.kill("SIGKILL"));
  }

  /** Runs a command; its answer. */
  async run(...fields: (string | number)[]): Promise<Line> {
    const escaped = fields.map((field) => String(field).replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n"));
    const from = this.lines.length;
    this.#child.stdin.write(`${escaped.join("\t")}\n`);
    return this.#find((line) => line["command"] === fields[0], from, `the answer to ${fields[0]}`);
  }

  /** The next event of a kind that was not asked for before. */
  async event(kind: string, isWanted: (line: Line) => boolean = () => true): Promise<Line> {
    const line = await this.#find((each) => each["event"] === kind && isWanted(each), this.#read, kind);
    this.#read = this.lines.indexOf(line) + 1;
    return line;
  }

  async stats(): Promise<{ stats: Record<string, number>; state: string; traps: number }> {
    const from = this.lines.length;
    await this.run("stats");
    return this.lines.slice(from).find((line) => "stats" in line) as never;
  }

  async #find(isWanted: (line: Line) => boolean, from: number, what: string): Promise<Line> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const line = this.lines.slice(from).find(isWanted);
      if (line !== undefined) return line;
      if (deadline.aborted || this.#hasEnded) throw new Error(`${what} did not come: ${JSON.stringify(this.lines)}`);
      await new Promise<void>((resolve) => {
        this.#changed.push(resolve);
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
