// A real broker for one test: mosquitto on a free port, its log as the place to wait at, and its two command line clients.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "./harness.ts";
import { PATIENCE_MS, Watch } from "./watch.ts";

const BROKER = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"].find((path) => existsSync(path));
const MISSING = "mosquitto is missing: apt install mosquitto mosquitto-clients";

interface Ending {
  readonly code: number | null;
  readonly lines: readonly string[];
}

export class Mosquitto {
  readonly #log: string[] = [];
  readonly #watch = new Watch();
  readonly #child: ChildProcess;
  #hasEnded = false;

  private constructor(readonly port: number, configuration: string) {
    this.#child = spawn(BROKER!, ["-v", "-c", configuration], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        this.#log.push(...lines);
        this.#watch.changed();
      });
    }
    const end = (): void => {
      this.#hasEnded = true;
      this.#watch.changed();
    };
    this.#child.on("error", end).on("close", end);
  }

  static async open(test: TestContext, more: readonly string[] = []): Promise<Mosquitto> {
    if (BROKER === undefined) throw new Error(MISSING);
    const folder = mkdtempSync(join(tmpdir(), "mote-mosquitto-"));
    const port = await freePort();
    const configuration = join(folder, "mosquitto.conf");
    // Running as root it would become another user, which cannot read what it may need.
    writeFileSync(configuration, [`listener ${port} 127.0.0.1`, "allow_anonymous true", "log_dest stderr", "log_type all", ...more, ""].join("\n"));
    const broker = new Mosquitto(port, configuration);
    test.after(() => {
      broker.#child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    });
    await broker.logged(/mosquitto version .* running/);
    return broker;
  }

  /** Waits for the line with this number, counted from 1, that fits. */
  logged(line: RegExp, count = 1): Promise<string> {
    return this.#watch.until(`the broker's line ${line} number ${count}`, () => {
      const found = this.#log.filter((each) => line.test(each))[count - 1];
      if (found === undefined && this.#hasEnded) throw new Error(`mosquitto ended: ${this.#log.join("\n")}`);
      return found;
    }, () => this.#log.slice(-15).join("\n"));
  }

  /** How many lines of the log fit. */
  count(line: RegExp): number {
    return this.#log.filter((each) => line.test(each)).length;
  }

  async publish(topic: string, payload: string, ...words: string[]): Promise<void> {
    const { code, lines } = await this.#run("mosquitto_pub", "-t", topic, "-m", payload, ...words);
    if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}: ${lines.join("\n")}`);
  }

  /** Starts a subscriber and waits until the broker knows it; it prints its lines when it has got `count` messages. */
  async subscriber(id: string, count: number, ...words: string[]): Promise<{ lines: Promise<readonly string[]> }> {
    const ending = this.#run("mosquitto_sub", "-i", id, "-C", `${count}`, "-W", `${PATIENCE_MS / 1000}`, ...words);
    const printed = ending.then(({ code, lines }) => {
      if (code !== 0) throw new Error(`mosquitto_sub ended with ${code} and ${lines.length} of ${count}: ${lines.join("\n").slice(0, 500)}`);
      return lines;
    });
    printed.catch(() => {}); // who waits for the lines hears of it
    await this.logged(new RegExp(`Sending SUBACK to ${id}$`));
    return { lines: printed };
  }

  #run(command: string, ...words: string[]): Promise<Ending> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, ["-h", "127.0.0.1", "-p", `${this.port}`, ...words], { stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.on("error", () => reject(new Error(MISSING)));
      child.on("close", (code) => resolve({ code, lines: output.split("\n").slice(0, -1) }));
    });
  }
}
