// Runs the client of the C host in a process of its own; the line protocol is described at the top of tests/c/vector_runner.c.

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { EventKind, NetFlag } from "../../build/generated/abi.ts";
import { scriptOf, showBegin, showVerify } from "./image.ts";
import type { Answer, Argument, DeviceEvent, Fault, Link, NetAction, Poll, VectorDevice } from "./device.ts";

/** Bytes of linear memory: what V8Device leaves below its pattern. */
const MEMORY_SIZE = 0xa000;
const RANDOM = "7fffffff";
const PATIENCE_MS = 10000;
const ESCAPES: Record<string, string> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n" };

interface Reply { fields: string[]; lines: string[][] }

/** One process plays many vectors, one after the other. */
export class CRunner {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  private lines: string[][] = [];
  private errors = "";
  private failure: Error | undefined;

  constructor(program: string) {
    this.process = spawn(program, { stdio: "pipe" });
    this.process.stderr.on("data", (data: Buffer) => (this.errors += data.toString()));
    this.process.on("error", (error) => this.fail(error));
    this.process.on("exit", (code, signal) => this.fail(new Error(`${program} ended: ${signal ?? code} ${this.errors.slice(0, 2000)}`)));
    createInterface({ input: this.process.stdout }).on("line", (line) => this.take(line));
  }

  ask(...words: string[]): Promise<Reply> {
    const line = words.map((word) => word.replace(/[\\\t\n]/g, (found) => ESCAPES[found]!)).join("\t");
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      const timer = setTimeout(() => reject(new Error(`no answer to ${line.slice(0, 100)}`)), PATIENCE_MS);
      const settle = <T>(done: (value: T) => void) => (value: T): void => {
        clearTimeout(timer);
        done(value);
      };
      this.waiting.push({ resolve: settle(resolve), reject: settle(reject) });
      this.process.stdin.write(`${line}\n`);
    });
  }

  end(): void {
    this.process.removeAllListeners("exit");
    this.process.stdin.end("quit\n");
  }

  private take(line: string): void {
    if (!line.startsWith("= ")) {
      this.lines.push(line.split("\t"));
      return;
    }
    const lines = this.lines;
    this.lines = [];
    this.waiting.shift()?.resolve({ fields: line.slice(2).split("\t"), lines });
  }

  private fail(error: Error): void {
    this.failure = error;
    for (const each of this.waiting.splice(0)) each.reject(error);
  }
}

export class CDevice implements VectorDevice {
  /** What arrives without a connection is lost, as in any network. */
  private isOpen = false;

  constructor(private readonly runner: CRunner) {}

  async configure(json: string, startMs: bigint): Promise<Answer> {
    const answer = await this.answer("init", String(MEMORY_SIZE), String(startMs), json);
    await this.runner.ask("random", RANDOM);
    return answer;
  }

  async fault(): Promise<Fault> {
    const [, value, text] = find((await this.runner.ask("fault")).lines, "fault");
    return { value: Number(value), text: bytesOf(text).toString("utf8") };
  }

  call(name: string, args: Argument[]): Promise<Answer> {
    const words = args.map((each) => (typeof each === "number" ? String(each) : `${each.as}:${Buffer.from(each.bytes).toString("hex")}`));
    return this.answer("call", name, ...words);
  }

  async poll(): Promise<Poll> {
    const { fields, lines } = await this.runner.ask("poll");
    refuse(lines);
    const event = lines.find(([name]) => name === "event");
    return {
      actions: this.observe(lines), event: event && eventOf(event),
      received: Number(lines.find(([name]) => name === "rx")?.[1] ?? 0), deadlineMs: Number(fields[1]),
    };
  }

  async receive(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0 && this.isOpen) await this.runner.ask("rx", Buffer.from(bytes).toString("hex"));
  }

  async accept(bytes: number): Promise<void> {
    await this.runner.ask("accept", bytes === Infinity ? "all" : String(bytes));
  }

  async setLink(link: Link): Promise<void> {
    await this.runner.ask("net", String(link));
  }

  async setImage(text: string): Promise<void> {
    await this.runner.ask("image", ...scriptOf(text).map(String));
  }

  async tick(ms: number): Promise<void> {
    await this.runner.ask("tick", String(ms));
  }

  async unread(): Promise<number> {
    return this.isOpen ? Number((await this.runner.ask("unread")).fields[0]) : 0;
  }

  async counter(offset: number): Promise<number> {
    return Number((await this.runner.ask("counter", String(offset))).fields[0]);
  }

  async read(address: number, length: number): Promise<Uint8Array> {
    return bytesOf(find((await this.runner.ask("read", String(address), String(length))).lines, "memory")[1]);
  }

  async close(): Promise<void> {
    await this.runner.ask("free");
  }

  private async answer(...words: string[]): Promise<Answer> {
    const { fields, lines } = await this.runner.ask(...words);
    refuse(lines);
    return { result: Number(fields[0]), actions: this.observe(lines) };
  }

  private observe(lines: string[][]): NetAction[] {
    const actions = actionsOf(lines);
    for (const { kind } of actions) if (kind === "open" || kind === "close") this.isOpen = kind === "open";
    return actions;
  }
}

/** What the runner complains of. */
function refuse(lines: string[][]): void {
  const complaint = lines.find(([name]) => name!.startsWith("?"));
  if (complaint) throw new Error(complaint.join(" "));
}

function actionsOf(lines: string[][]): NetAction[] {
  return lines.flatMap(([name, first, second, third, fourth]): NetAction[] => {
    if (name === "open") return [{ kind: "open", host: first!, port: Number(second), tls: (Number(third) & NetFlag.Tls) !== 0 }];
    if (name === "tx") return [{ kind: "send", bytes: bytesOf(first) }];
    if (name === "image") return [imageAction(first!, [second, third, fourth])];
    return name === "close" ? [{ kind: "close" }] : [];
  });
}

function imageAction(verb: string, [first, second, third]: (string | undefined)[]): NetAction {
  if (verb === "begins") return { kind: "image", text: showBegin(Number(first), Number(second), bytesOf(third)) };
  if (verb === "verifies") return { kind: "image", text: showVerify(Number(first), bytesOf(second)) };
  return { kind: "image", text: verb, ...(verb === "takes" && { taken: bytesOf(first) }) };
}

function eventOf(fields: string[]): DeviceEvent {
  const [, name, flags, id, reason, total, offset, topic, payload, method, value] = fields;
  const kind = Object.entries(EventKind).find(([each]) => each.toLowerCase() === name!.toLowerCase().replaceAll("_", ""));
  if (!kind) throw new Error(`an event that abi.ts does not have: ${name}`);
  return {
    kind: kind[1], flags: Number(flags), id: Number(id), reason: Number(reason), total: Number(total), offset: Number(offset),
    topic: bytesOf(topic), payload: bytesOf(payload), name: bytesOf(method), value: bytesOf(value),
  };
}

function find(lines: string[][], name: string): string[] {
  return lines.find(([first]) => first === name) ?? [];
}

function bytesOf(hex: string | undefined): Buffer {
  return Buffer.from(hex ?? "", "hex");
}
