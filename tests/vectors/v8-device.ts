// Runs build/<profile>.wasm in V8 with a clock, a random source and a network that are all in memory, and watches what the module may touch.

import { readFileSync } from "node:fs";
import { ErrorField, EventField, NetFlag, NetState, RecordsField, Status } from "../../build/generated/abi.ts";
import { ScriptedImage } from "./image.ts";
import type { Answer, Argument, DeviceEvent, Fault, Link, NetAction, Poll, VectorDevice } from "./device.ts";

/** Everything from here up belongs to somebody else: the module must never write it. */
const MEMORY_END = 0xa000;
const UNTOUCHED = Buffer.alloc(0x10000 - MEMORY_END, 0xc7);
/** Half of the range, so that full jitter waits neither never nor longest. */
const RANDOM = 0x7fffffff;

type Exports = Record<string, (...args: (number | bigint)[]) => number> & { memory: WebAssembly.Memory };

const modules = new Map<string, WebAssembly.Module>();

function moduleOf(profile: string): WebAssembly.Module {
  const module = modules.get(profile) ?? new WebAssembly.Module(readFileSync(new URL(`../../build/${profile}.wasm`, import.meta.url)));
  modules.set(profile, module);
  return module;
}

export class V8Device implements VectorDevice {
  private readonly exports: Exports;
  private readonly memory: Buffer;
  private now = 0n;
  private actions: NetAction[] = [];
  private link: Link = "connecting";
  private handle = 0;
  private isOpen = false;
  private inbound: Buffer[] = [];
  private received = 0;
  private room = Infinity;
  /** What the last event lent, which stays as it is until the next `poll` or `stop` (ABI.md, section 5): its record, and what that points to. */
  private lent: { readonly address: number; readonly bytes: Buffer }[] = [];
  /** What the last net_send was not given the room for; the next one must begin with it. */
  private owed: Buffer | undefined;
  /** The name of the running export: only `poll` and `stop` may touch the network, and `disconnect` may close it. */
  private running = "";
  private readonly image = new ScriptedImage((text, taken) => this.actions.push({ kind: "image", text, ...(taken && { taken }) }));

  constructor(profile: string, module = moduleOf(profile)) {
    this.exports = new WebAssembly.Instance(module, { mote: this.imports() }).exports as unknown as Exports;
    this.memory = Buffer.from(this.exports.memory.buffer);
    UNTOUCHED.copy(this.memory, MEMORY_END);
  }

  configure(json: string, startMs: bigint): Answer {
    this.now = startMs;
    const text = Buffer.from(json);
    const address = MEMORY_END - text.length;
    text.copy(this.memory, address);
    const answer = this.run("configure", [address, text.length, MEMORY_END]);
    // ABI.md, section 4: the text may be forgotten when the call returns. Of one that is refused the error text is a part.
    if (answer.result === 0) this.memory.fill(0xaa, address, MEMORY_END);
    return answer;
  }

  fault(): Fault {
    const record = this.record(RecordsField.Error);
    const text = this.memory.readUInt32LE(record + ErrorField.Text);
    return { text: this.text(text, record + ErrorField.TextLength).toString("utf8"), value: this.memory.readInt32LE(record + ErrorField.Value) };
  }

  call(name: string, args: Argument[]): Answer {
    const numbers: number[] = [];
    let at = this.record(RecordsField.Staging);
    const end = at + this.record(RecordsField.StagingCapacity);
    for (const each of args) {
      if (typeof each === "number") {
        numbers.push(each);
        continue;
      }
      if (at + each.bytes.length > end) throw new Error(`${name}: ${each.bytes.length} bytes do not fit the staging area`);
      Buffer.from(each.bytes).copy(this.memory, at);
      if (each.as !== "length") numbers.push(at);
      if (each.as !== "address") numbers.push(each.bytes.length);
      at = (at + each.bytes.length + 3) & ~3;
    }
    return this.run(name, numbers);
  }

  poll(): Poll {
    this.received = 0;
    const { result, actions } = this.run("poll", []);
    const event = result === 0 ? undefined : this.event(result);
    const deadlineMs = this.run("deadline_ms", []).result;
    this.run("wants", []);
    return { actions, event, received: this.received, deadlineMs };
  }

  receive(bytes: Uint8Array): void {
    if (bytes.length > 0) this.inbound.push(Buffer.from(bytes));
  }

  accept(bytes: number): void {
    this.room = bytes;
  }

  setLink(link: Link): void {
    this.link = link;
  }

  setImage(text: string): void {
    this.image.script(text);
  }

  tick(ms: number): void {
    this.now += BigInt(ms);
  }

  unread(): number {
    return this.isOpen ? this.inbound.reduce((sum, each) => sum + each.length, 0) : 0;
  }

  counter(offset: number): number {
    return this.memory.readUInt32LE(this.record(RecordsField.Stats) + offset);
  }

  read(address: number, length: number): Uint8Array {
    return Buffer.from(this.memory.subarray(address, address + length));
  }

  close(): void {
    this.inbound = [];
  }

  private run(name: string, args: number[]): Answer {
    const call = this.exports[name];
    if (!call) throw new Error(`the profile does not export ${name}`);
    this.actions = [];
    this.running = name;
    const result = call(...args);
    this.running = "";
    if (!this.memory.subarray(MEMORY_END).equals(UNTOUCHED)) throw new Error(`${name} wrote above memory_end`);
    if (name === "poll" || name === "stop") this.lent = [];
    for (const { address, bytes } of this.lent) {
      if (!this.memory.subarray(address, address + bytes.length).equals(bytes)) throw new Error(`${name} changed what the last event lent`);
    }
    return { result, actions: this.actions };
  }

  private record(field: number): number {
    return this.memory.readUInt32LE(this.exports["records"]!() + field);
  }

  private event(kind: number): DeviceEvent {
    const at = this.record(RecordsField.Event);
    if (this.memory.readUInt16LE(at + EventField.Size) !== EventField.End) throw new Error("the event record has another size");
    if (this.memory[at + EventField.Kind] !== kind) throw new Error("poll returned another kind than the record has");
    this.lent.push({ address: at, bytes: Buffer.from(this.memory.subarray(at, at + EventField.End)) });
    const span = (field: number): Buffer => {
      const address = this.memory.readUInt32LE(at + field);
      const bytes = this.text(address, at + field + 4);
      this.lent.push({ address, bytes });
      return bytes;
    };
    return {
      kind, flags: this.memory[at + EventField.Flags]!,
      id: this.memory.readInt32LE(at + EventField.Id), reason: this.memory.readInt32LE(at + EventField.Reason),
      topic: span(EventField.Topic), payload: span(EventField.Payload), name: span(EventField.Name), value: span(EventField.Value),
      total: this.memory.readUInt32LE(at + EventField.Total), offset: this.memory.readUInt32LE(at + EventField.Offset),
    };
  }

  private text(address: number, lengthAt: number): Buffer {
    const length = this.memory.readUInt32LE(lengthAt);
    if (address + length > MEMORY_END) throw new Error(`a span goes beyond memory_end: ${address} + ${length}`);
    return Buffer.from(this.memory.subarray(address, address + length));
  }

  /** What every import checks: who calls, with which handle, about which memory. */
  private guard(handle: number, address: number, length: number, another = "stop"): void {
    if (!["poll", "stop", another].includes(this.running)) throw new Error(`${this.running} touches the network`);
    if (handle !== 0 && (handle !== this.handle || !this.isOpen)) throw new Error(`${this.running} uses a handle that is not open`);
    if (address < 0 || length < 0 || address + length > MEMORY_END) throw new Error(`${this.running} passes memory above memory_end`);
  }

  private span(address: number, length: number): Buffer {
    if (address < 0 || length < 0 || address + length > MEMORY_END) throw new Error(`${this.running} passes memory above memory_end`);
    return Buffer.from(this.memory.subarray(address, address + length));
  }

  private imports(): Record<string, (...args: never[]) => number | bigint | void> {
    return {
      net_open: (host: number, length: number, port: number, flags: number) => {
        this.guard(0, host, length);
        if (this.isOpen) throw new Error("a second connection is opened");
        this.isOpen = true;
        this.link = "connecting";
        this.inbound = [];
        this.owed = undefined;
        this.actions.push({ kind: "open", host: this.memory.toString("utf8", host, host + length), port, tls: (flags & NetFlag.Tls) !== 0 });
        return ++this.handle;
      },
      net_state: (handle: number) => {
        this.guard(handle, 0, 0);
        if (this.link === "connecting") return NetState.Connecting;
        return this.link === "open" || this.inbound.length > 0 ? NetState.Open : this.link;
      },
      net_send: (handle: number, from: number, length: number) => {
        this.guard(handle, from, length);
        if (length === 0) throw new Error("net_send of nothing");
        if (this.link !== "open") return this.link === "connecting" ? Status.BadState : this.link;
        const bytes = Buffer.from(this.memory.subarray(from, from + length));
        if (this.owed && !bytes.subarray(0, this.owed.length).equals(this.owed)) throw new Error("net_send does not go on with the bytes that were not accepted");
        const taken = Math.min(length, this.room);
        this.room -= taken;
        this.owed = taken < length ? bytes.subarray(taken) : undefined;
        if (taken > 0) this.actions.push({ kind: "send", bytes: Buffer.from(bytes.subarray(0, taken)) });
        return taken;
      },
      net_recv: (handle: number, to: number, capacity: number) => {
        this.guard(handle, to, capacity);
        const waiting = Buffer.concat(this.inbound);
        if (waiting.length === 0) return typeof this.link === "number" ? this.link : 0;
        const taken = waiting.copy(this.memory, to, 0, capacity);
        this.inbound = taken < waiting.length ? [waiting.subarray(taken)] : [];
        this.received += taken;
        return taken;
      },
      net_close: (handle: number) => {
        this.guard(handle, 0, 0, "disconnect");
        this.isOpen = false;
        this.actions.push({ kind: "close" });
      },
      now_ms: () => this.now,
      // No vector has a store: what is in it is for tests that restart a device.
      store_info: () => 0,
      store_read: () => Status.StoreFailed,
      store_program: () => Status.StoreFailed,
      store_erase: () => Status.StoreFailed,
      store_sync: () => Status.StoreFailed,
      random_u32: () => RANDOM,
      ota_begin: (kind: number, size: number, from: number, length: number) => this.image.begin(kind, size, this.span(from, length)),
      ota_write: (from: number, length: number) => this.image.write(this.span(from, length)),
      ota_verify: (algorithm: number, from: number, length: number) => this.image.verify(algorithm, this.span(from, length)),
      ota_commit: () => this.image.commit(),
      ota_abort: () => this.image.abort(),
      ota_boot_state: () => this.image.bootState(),
      ota_confirm: () => this.image.confirm(),
    };
  }
}
