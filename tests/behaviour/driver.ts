// A client on one of the engines behind one interface: the C program of tests/c/driver.c, or its twin in this process.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";
import { NodeClient } from "./node-client.ts";
import { Watch } from "./watch.ts";

export const ENGINES = ["v8", "wasm3", "aot"] as const;
type Name = (typeof ENGINES)[number];
/** With the profile `device`, unless it says another. */
export type Engine = Name | `minimal on ${Name}`;

/** What a module is built for. */
export type Profile = "minimal" | "device" | "gateway";

export interface Answer {
  readonly command: string;
  readonly result: number;
  readonly status: string;
  /** Of a failure: the key or text that it is about, and the number that belongs to it. */
  readonly text?: string;
  readonly value?: number;
}

export interface DeviceEvent {
  readonly event: string;
  readonly id: number;
  readonly reason: number;
  readonly reason_name: string;
  readonly flags: number;
  readonly topic: string;
  readonly payload?: string;
  readonly payload_hex?: string;
  readonly total: number;
  readonly offset: number;
  readonly name: string;
  readonly value: string;
}

export interface Stats {
  readonly stats: Readonly<Record<string, number>>;
  readonly state: string;
  readonly traps: number;
}

export type Field = string | number | Buffer;

/** Runs one command line; what comes of it goes to `print`. */
interface Machine {
  /** The process of its own that it is; undefined when it lives in this one. */
  readonly pid?: number | undefined;
  write(line: string): void;
  /** As if the machine lost its power. */
  kill(): void;
  /** The end of a test. */
  end(): void;
}

export class Driver {
  /** All that happened, oldest first. */
  readonly events: DeviceEvent[] = [];
  readonly #machine: Machine;
  readonly #watch = new Watch();
  /** Answers that came and were not asked for yet, by the number of their command. */
  readonly #answers = new Map<number, Answer>();
  #asked = 0;
  #answered = 0;
  #stats: Stats | undefined;
  readonly #taken = new WeakSet<DeviceEvent>();
  #hasEnded = false;

  constructor(test: TestContext, readonly engine: Engine, readonly profile: Profile = profileOn(engine)) {
    const print = (line: object): void => this.#take(line);
    const name = engine.split(" ").at(-1) as Name;
    this.#machine = name === "v8" ? node(profile, print) : program(name, profile, print, () => {
      this.#hasEnded = true;
      this.#watch.changed();
    });
    test.after(() => this.#machine.end());
  }

  get pid(): number {
    return this.#machine.pid ?? process.pid;
  }

  /** Runs a command; its answer, whatever it says. */
  async ask(...fields: Field[]): Promise<Answer> {
    const count = ++this.#asked;
    this.#machine.write(fields.map(escape).join("\t"));
    const answer = await this.#until(`the answer to ${String(fields[0])}`, () => this.#answers.get(count));
    this.#answers.delete(count);
    return answer;
  }

  /** Runs a command that must not fail; its result. */
  async run(...fields: Field[]): Promise<number> {
    const answer = await this.ask(...fields);
    if (answer.result < 0) throw new Error(`${this.engine}: ${fields.map(escape).join(" ").slice(0, 200)} answered ${JSON.stringify(answer)}`);
    return answer.result;
  }

  /** The oldest event of a kind that no one has asked for yet. */
  async event(kind: string, isWanted: (event: DeviceEvent) => boolean = () => true): Promise<DeviceEvent> {
    const event = await this.#until(kind, () => this.events.find((each) => each.event === kind && !this.#taken.has(each) && isWanted(each)));
    this.#taken.add(event);
    return event;
  }

  /** Waits until the events fulfil a condition. */
  async until(what: string, isReached: (events: readonly DeviceEvent[]) => boolean): Promise<void> {
    await this.#until(what, () => isReached(this.events) || undefined);
  }

  of(kind: string): DeviceEvent[] {
    return this.events.filter(({ event }) => event === kind);
  }

  /** Lets go of what happened so far. */
  forget(): void {
    this.events.length = 0;
  }

  async stats(): Promise<Stats> {
    await this.run("stats");
    return this.#stats!;
  }

  kill(): void {
    this.#machine.kill();
  }

  /** The same, and waits until nothing is left of the machine: what it held, another one may have. */
  async killed(): Promise<void> {
    this.kill();
    if (this.#machine.pid !== undefined) await this.#watch.until(`the end of ${this.engine}`, () => this.#hasEnded || undefined, () => "a program that runs");
  }

  #take(line: object): void {
    if ("event" in line) this.events.push(line as DeviceEvent);
    else if ("stats" in line) this.#stats = line as Stats;
    else this.#answers.set(++this.#answered, line as Answer);
    this.#watch.changed();
  }

  #until<Found>(what: string, find: () => Found | undefined): Promise<Found> {
    return this.#watch.until(`${what} on ${this.engine}`, () => {
      const found = find();
      if (found === undefined && this.#hasEnded) throw new Error(`the program of ${this.engine} ended before ${what} came`);
      return found;
    }, () => {
      const told = this.events.slice(-12).map(({ event, id, reason_name }) => `${event} ${id} ${reason_name}`);
      return told.length === 0 ? "no event" : `${told.join(", ")} (last of ${this.events.length})`;
    });
  }
}

/** The profile that a client gets by the engine alone. */
export function profileOn(engine: Engine): Profile {
  return engine.startsWith("minimal") ? "minimal" : "device";
}

function escape(field: Field): string {
  if (Buffer.isBuffer(field)) return [...field].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  return String(field).replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n");
}

function node(profile: Profile, print: (line: object) => void): Machine {
  const client = new NodeClient(print, profile);
  // A turn of the event loop for each command, as the loop of the C program polls between two of them.
  return { write: (line) => void setImmediate(() => client.run(line)), kill: () => client.kill(), end: () => client.end() };
}

function program(engine: Name, profile: Profile, print: (line: object) => void, onEnd: () => void): Machine {
  // Compiled ahead of time there is one for each profile; the other one carries them all.
  const path = fileURLToPath(new URL(`../../build/tests/driver${engine === "wasm3" || profile === "device" ? "" : `_${profile}`}-${engine}`, import.meta.url));
  if (!existsSync(path)) throw new Error("no driver: cmake -S tests/c -B build/tests && cmake --build build/tests --parallel 2");
  const child: ChildProcess = spawn(path, [profile], { stdio: ["pipe", "pipe", "inherit"] });
  createInterface({ input: child.stdout! }).on("line", (line) => print(JSON.parse(line) as object)).on("close", onEnd);
  child.stdin!.on("error", () => {});
  const kill = (): void => void child.kill("SIGKILL");
  return { pid: child.pid, write: (line) => void child.stdin!.write(`${line}\n`), kill, end: kill };
}
