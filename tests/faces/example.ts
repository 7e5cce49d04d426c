// Runs one example program on one face, and reads the lines that it writes.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { examples } from "../../boards/posix/examples/all.ts";
import type { Configuration } from "../../host/node/index.ts";
import { Watch } from "../behaviour/watch.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export const FACES = ["C", "AS", "TS"] as const;
export type Face = (typeof FACES)[number];

/** An example that runs. */
export abstract class Program {
  readonly lines: string[] = [];
  /** When it has ended by itself or was interrupted; rejects when it failed. */
  abstract readonly ended: Promise<void>;
  readonly #watch = new Watch();
  #failure: Error | undefined;

  static start(test: TestContext, face: Face, name: string, configuration: Configuration): Program {
    return face === "TS" ? new ModuleProgram(test, name, configuration) : new ChildProgram(test, face, name, configuration);
  }

  /** Waits for a line that has this in it. */
  async shows(text: string): Promise<void> {
    await this.#watch.until(`a line with ${text}`, () => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.lines.find((line) => line.includes(text));
    }, () => this.lines.join(" / ") || "no line");
  }

  /** Interrupts it, unless it has ended by itself, and waits for its end. */
  abstract end(): Promise<void>;

  protected print(line: string): void {
    this.lines.push(line);
    this.#watch.changed();
  }

  protected failed(error: Error): void {
    this.#failure = error;
    this.#watch.changed();
  }
}

class ModuleProgram extends Program {
  readonly ended: Promise<void>;
  readonly #ending = new AbortController();

  constructor(test: TestContext, name: string, configuration: Configuration) {
    super();
    this.ended = examples[name]!({ configuration, signal: this.#ending.signal, print: (line) => this.print(line) });
    this.ended.catch((error: Error) => this.failed(error));
    test.after(() => this.#ending.abort());
  }

  override async end(): Promise<void> {
    this.#ending.abort();
    await this.ended;
  }
}

class ChildProgram extends Program {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  constructor(test: TestContext, face: "C" | "AS", name: string, configuration: Configuration) {
    super();
    const folder = mkdtempSync(join(tmpdir(), "mote-example-"));
    const config = join(folder, "device.json");
    writeFileSync(config, JSON.stringify(configuration));
    const file = join(ROOT, face === "C" ? `build/c/examples/${name}` : `build/apps/${name}.wasm`);
    if (!existsSync(file)) throw new Error(`no ${file}: npm run build`);
    const [command, words] = face === "C" ? [file, [config]]
      : [join(ROOT, "build/c/mote-device-wasm3"), ["--config", config, "--app", file, "--profile", name.startsWith("gateway-") ? "gateway" : "device"]];
    this.#child = spawn(command!, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    // An app writes its lines to the log.
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) createInterface({ input: stream }).on("line", (line) => this.print(line));
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${face} ${name} ended with ${code}: ${this.lines.join(" / ")}`))));
    });
    this.ended.catch((error: Error) => this.failed(error));
    test.after(() => {
      this.#child.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    });
  }

  override async end(): Promise<void> {
    this.#child.kill("SIGINT");
    await this.ended;
  }
}
