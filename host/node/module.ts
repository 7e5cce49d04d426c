// Loads the client module and calls it: the only file that touches WebAssembly.

import { readFileSync, existsSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { ABI_VERSION, ErrorField, EventField, JsonField, OptionField, RecordsField, Stat, StatNames, Status } from "../../build/generated/abi.ts";
import { readEvent, type Counters, type ModuleEvent } from "./event-record.ts";
import { errorOf, MoteError, TrappedError } from "./errors.ts";
import { bindImports, type BoundImports, type ImportFunctions } from "./imports.ts";
import type { Ports } from "./ports/port.ts";

export type Profile = "minimal" | "device" | "gateway" | "gateway-large";

/** For tests: looks at or changes what goes across the seam. */
export interface ModuleHooks {
  imports?(functions: ImportFunctions): ImportFunctions;
  /** `name` is "" once after loading, else the export that has returned. */
  afterExport?(name: string, memory: Uint8Array, memoryEnd: number): void;
}

/** Verbs that publish a record and take options. */
export type SendVerb = "send_telemetry" | "send_attributes" | "claim" |
  "gateway_connect" | "gateway_disconnect" | "gateway_telemetry" | "gateway_attributes" | "gateway_rpc_reply" | "gateway_claim";
/** Verbs that ask by a record and take a timeout. */
export type RequestVerb = "request_attributes" | "request_rpc" | "gateway_request_attributes";

export interface PublishFlags {
  readonly qos?: 0 | 1 | undefined;
  readonly retain?: boolean | undefined;
}

type Exports = Record<string, (...values: number[]) => number>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const compiled = new Map<Profile, WebAssembly.Module>();

/** Compiles a profile once for all clients of the process. */
export function profileModule(profile: Profile): WebAssembly.Module {
  let module = compiled.get(profile);
  if (module === undefined) {
    // Beside the bundle, or in the build folder of a checkout.
    const places = [`./${profile}.wasm`, `../../build/${profile}.wasm`].map((place) => new URL(place, import.meta.url));
    const found = places.find((place) => existsSync(place));
    if (found === undefined) throw new Error(`${profile}.wasm is not there; build it with "npm run build"`);
    module = new WebAssembly.Module(readFileSync(found));
    compiled.set(profile, module);
  }
  return module;
}

/** Text for the module, as UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export class ClientModule {
  readonly #exports: Exports;
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #memoryEnd: number;
  readonly #imports: BoundImports;
  readonly #hooks: ModuleHooks;
  #isTrapped = false;
  #defaultQos: 0 | 1 = 1;
  #staging = 0;
  #stagingCapacity = 0;
  // Fixed addresses, asked once.
  #event = 0;
  #error = 0;
  #stats = 0;
  #json = 0;

  /** `memoryBytes` gives the module less than its page, as an engine on a device does. */
  constructor(source: WebAssembly.Module, ports: Ports, memoryBytes?: number, hooks: ModuleHooks = {}) {
    this.#hooks = hooks;
    this.#imports = bindImports(ports, (at, length) => this.#span(at >>> 0, length >>> 0));
    const functions = hooks.imports?.(this.#imports.functions) ?? this.#imports.functions;
    for (const { module, name } of WebAssembly.Module.imports(source)) {
      if (module !== "mote" || !(name in functions)) throw new Error(`the module needs ${module}.${name}, which this host lacks`);
    }
    const { exports } = instantiateSync(source, { mote: functions });
    this.#exports = exports as unknown as Exports;
    const memory = exports.memory;
    if (memory === undefined) throw new Error("the module exports no memory");
    this.#memory = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#memoryEnd = Math.min(memoryBytes ?? this.#memory.length, this.#memory.length);
    hooks.afterExport?.("", this.#memory, this.#memoryEnd);
    const version = this.#call("abi_version");
    if (version >> 8 !== ABI_VERSION >> 8) {
      throw new Error(`the module speaks ABI ${version >> 8}.${version & 255}, this host ${ABI_VERSION >> 8}.${ABI_VERSION & 255}`);
    }
  }

  features(): number {
    return this.#call("features");
  }

  configure(json: string, defaultQos: 0 | 1): void {
    const text = utf8(json);
    if (text.length > this.#memoryEnd) throw errorOf(Status.TooLarge, "configuration", { value: text.length });
    this.#memory.set(text, this.#memoryEnd - text.length);
    const result = this.#call("configure", this.#memoryEnd - text.length, text.length, this.#memoryEnd);
    const records = this.#call("records");
    this.#need(records, RecordsField.End);
    const record = (field: number, bytes: number): number => {
      const at = this.#view.getUint32(records + field, true);
      this.#need(at, bytes);
      return at;
    };
    this.#error = record(RecordsField.Error, ErrorField.End);
    this.require(result, "configuration");
    this.#event = record(RecordsField.Event, EventField.End);
    this.#stats = record(RecordsField.Stats, Stat.End);
    this.#json = record(RecordsField.JsonValue, JsonField.End);
    this.#stagingCapacity = this.#view.getUint32(records + RecordsField.StagingCapacity, true);
    this.#staging = record(RecordsField.Staging, this.#stagingCapacity);
    this.#defaultQos = defaultQos;
  }

  start(): void {
    this.require(this.#call("start"), "start");
  }

  disconnect(): void {
    this.require(this.#call("disconnect"), "disconnect");
  }

  stop(): void {
    this.require(this.#call("stop"), "stop");
  }

  poll(): number {
    return this.#call("poll");
  }

  deadlineMs(): number {
    return this.#call("deadline_ms");
  }

  wants(): number {
    return this.#call("wants");
  }

  release(disposition: number): void {
    this.require(this.#call("event_release", disposition), "event_release");
  }

  /** Verbs answer as in ABI.md, section 7: an id, 0, or a Status below zero. */
  send(verb: SendVerb, record: Uint8Array, flags: PublishFlags): number {
    const { options } = this.#lend([record], flags);
    return this.#call(verb, record.length, options);
  }

  request(verb: RequestVerb, record: Uint8Array, timeoutMs: number): number {
    this.#lend([record]);
    return this.#call(verb, record.length, timeoutMs);
  }

  forgetCredentials(): number {
    return this.#call("forget_credentials");
  }

  ota(verb: "ota_start" | "ota_stop", kind: number): number {
    return this.#call(verb, kind);
  }

  applyOta(kind: number, isAccepted: boolean): number {
    return this.#call("ota_apply", kind, isAccepted ? 1 : 0);
  }

  sendRpcReply(requestId: number, record: Uint8Array, flags: PublishFlags): number {
    const { options } = this.#lend([record], flags);
    return this.#call("send_rpc_reply", requestId, record.length, options);
  }

  publish(topic: Uint8Array, payload: Uint8Array, flags: PublishFlags): number {
    const { at, options } = this.#lend([topic, payload], flags);
    return this.#call("publish", at, topic.length, at + padded(topic.length), payload.length, options);
  }

  subscribe(filter: Uint8Array, qos: 0 | 1): number {
    return this.#call("subscribe", this.#lend([filter]).at, filter.length, qos);
  }

  unsubscribe(filter: Uint8Array): number {
    return this.#call("unsubscribe", this.#lend([filter]).at, filter.length);
  }

  /** The event that `poll` returned. */
  event(): ModuleEvent {
    return readEvent(this.#view, this.#event, (at, length) => this.#need(at, length));
  }

  /** A text of that event by its field: the address, and the bytes as long as nothing is polled. */
  eventSpan(field: number): { readonly at: number; readonly bytes: Uint8Array } {
    const at = this.#view.getUint32(this.#event + field, true);
    const length = this.#view.getUint32(this.#event + field + 4, true);
    return { at, bytes: length === 0 ? new Uint8Array(0) : this.#need(at, length) };
  }

  /** Looks a value up in a JSON text of the event, given by its address, or in any other bytes. Answers its type and its place in the text. */
  jsonFind(text: Uint8Array, address: number | null, path: Uint8Array): { type: number; at: number; length: number } {
    const { at } = this.#lend(address === null ? [text, path] : [path]);
    const type = this.#call("json_find", address ?? at, text.length, address === null ? at + padded(text.length) : at, path.length);
    const u32 = (field: number): number => this.#view.getUint32(this.#json + field, true);
    return { type, at: type < 0 ? 0 : u32(JsonField.Text) - (address ?? at), length: type < 0 ? 0 : u32(JsonField.TextLength) };
  }

  /** The text of a JSON string without its escapes, or a Status. */
  jsonText(text: Uint8Array, address: number | null, capacity: number): Uint8Array | number {
    const { at } = this.#lend(address === null ? [text] : []);
    const to = address === null ? at + padded(text.length) : at;
    const length = this.#call("json_text", address ?? at, text.length, to, Math.min(capacity, this.#staging + this.#stagingCapacity - to));
    return length < 0 ? length : this.#need(to, length).slice();
  }

  /** The bytes of the largest message record. */
  get stagingBytes(): number {
    return this.#stagingCapacity;
  }

  /** One counter by its `Stat`; also of an instance that trapped, whose memory is still there. */
  counter(field: number): number {
    return this.#view.getUint32(this.#stats + field, true);
  }

  counters(): Counters {
    const counters: Record<string, number> = {};
    for (let field: number = Stat.Size + 4; field < Stat.End; field += 4) {
      const name = StatNames[field]!;
      counters[name.charAt(0).toLowerCase() + name.slice(1)] = this.counter(field);
    }
    return counters as Counters;
  }

  /** Throws the error of a result below zero, with what the error record says about it; answers any other result. */
  require(result: number, doing: string): number {
    if (result < 0) throw this.error(result, doing);
    return result;
  }

  error(status: number, doing: string): MoteError {
    const at = this.#error;
    const text = this.#span(this.#view.getUint32(at + ErrorField.Text, true), this.#view.getUint32(at + ErrorField.TextLength, true));
    return errorOf(status, doing, {
      text: text === null ? "" : decoder.decode(text),
      value: this.#view.getInt32(at + ErrorField.Value, true),
    });
  }

  /** What the module has of a connection, as its imports show it. */
  link(): "none" | "opening" | "open" {
    return this.#imports.link();
  }

  /** Ends the instance without its help. */
  discard(): void {
    this.#isTrapped = true;
    this.#imports.closeAll();
  }

  /** Lays texts and options behind one another in the staging area. */
  #lend(parts: Uint8Array[], flags: PublishFlags = {}): { at: number; options: number } {
    const hasOptions = flags.qos !== undefined || flags.retain !== undefined;
    const length = parts.reduce((sum, part) => sum + padded(part.length), hasOptions ? OptionField.End : 0);
    if (length > this.#stagingCapacity) throw errorOf(Status.TooLarge, "message", { text: "staging_buffer", value: length });
    let at = this.#staging;
    for (const part of parts) {
      this.#memory.set(part, at);
      at += padded(part.length);
    }
    if (!hasOptions) return { at: this.#staging, options: 0 };
    this.#view.setUint16(at + OptionField.Size, OptionField.End, true);
    this.#view.setUint8(at + OptionField.Qos, flags.qos ?? this.#defaultQos);
    this.#view.setUint8(at + OptionField.Retain, flags.retain ? 1 : 0);
    return { at: this.#staging, options: at };
  }

  #call(name: string, ...values: number[]): number {
    const call = this.#exports[name];
    if (call === undefined) throw errorOf(Status.NotInProfile, name);
    if (this.#isTrapped) throw errorOf(Status.Trapped, name);
    try {
      const result = call(...values);
      this.#hooks.afterExport?.(name, this.#memory, this.#memoryEnd);
      return result;
    } catch (cause) {
      this.#isTrapped = true;
      throw new TrappedError(Status.Trapped, name, { cause });
    }
  }

  /** The bytes at an address, or null when one of them is not in the memory that was given. */
  #span(at: number, length: number): Uint8Array | null {
    return at + length <= this.#memoryEnd ? this.#memory.subarray(at, at + length) : null;
  }

  /** The same for what the module says; an address outside is a bug of the module, as a trap is. */
  #need(at: number, length: number): Uint8Array {
    const bytes = this.#span(at >>> 0, length >>> 0);
    if (bytes !== null) return bytes;
    this.#isTrapped = true;
    throw new TrappedError(Status.Trapped, "address outside the memory", { value: at });
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
