// The client module's exports as calls with records, texts and options, and what its records say.

import { ErrorField, EventField, JsonField, OptionField, RecordsField, Release as Disposition, Stat, StatNames, Status } from "../../build/generated/abi.ts";
import { readEvent, type Counters, type ModuleEvent } from "./event-record.ts";
import { errorOf, type MoteError } from "./errors.ts";
import { Instance, type CompiledProfile, type ModuleHooks } from "./instance.ts";
import type { Ports } from "./ports/port.ts";
import { notLent, type Release } from "./release.ts";

/** Verbs that publish a record and take options. */
export type SendVerb = "send_telemetry" | "send_attributes" | "claim" |
  "gateway_connect" | "gateway_disconnect" | "gateway_telemetry" | "gateway_attributes" | "gateway_rpc_reply" | "gateway_claim";
/** Verbs that ask by a record and take a timeout. */
export type RequestVerb = "request_attributes" | "request_rpc" | "gateway_request_attributes";

export interface PublishFlags {
  readonly qos?: 0 | 1 | undefined;
  readonly retain?: boolean | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text for the module, as UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export class ClientModule {
  readonly #instance: Instance;
  #defaultQos: 0 | 1 = 1;
  #staging = 0;
  #stagingCapacity = 0;
  // Fixed addresses, asked once.
  #event = 0;
  #error = 0;
  #stats = 0;
  #json = 0;
  #polls = 0;

  /** `memoryBytes` gives the module less than its page, as an engine on a device does. */
  constructor(source: CompiledProfile, ports: Ports, memoryBytes?: number, hooks: ModuleHooks = {}) {
    this.#instance = new Instance(source, ports, memoryBytes, hooks);
  }

  features(): number {
    return this.#instance.call("features");
  }

  configure(json: string, defaultQos: 0 | 1): void {
    const text = utf8(json);
    const { memory, memoryEnd, view } = this.#instance;
    if (text.length > memoryEnd) throw errorOf(Status.TooLarge, "configuration", { value: text.length });
    memory.set(text, memoryEnd - text.length);
    const result = this.#instance.call("configure", memoryEnd - text.length, text.length, memoryEnd);
    const records = this.#instance.call("records");
    this.#instance.need(records, RecordsField.End);
    const record = (field: number, bytes: number): number => {
      const at = view.getUint32(records + field, true);
      this.#instance.need(at, bytes);
      return at;
    };
    this.#error = record(RecordsField.Error, ErrorField.End);
    this.require(result, "configuration");
    this.#event = record(RecordsField.Event, EventField.End);
    this.#stats = record(RecordsField.Stats, Stat.End);
    this.#json = record(RecordsField.JsonValue, JsonField.End);
    this.#stagingCapacity = view.getUint32(records + RecordsField.StagingCapacity, true);
    this.#staging = record(RecordsField.Staging, this.#stagingCapacity);
    this.#defaultQos = defaultQos;
  }

  start(): void {
    this.require(this.#instance.call("start"), "start");
  }

  disconnect(): void {
    this.require(this.#instance.call("disconnect"), "disconnect");
  }

  stop(): void {
    this.require(this.#instance.call("stop"), "stop");
  }

  poll(): number {
    this.#polls++;
    return this.#instance.call("poll");
  }

  deadlineMs(): number {
    return this.#instance.call("deadline_ms");
  }

  wants(): number {
    return this.#instance.call("wants");
  }

  release(disposition: number): void {
    this.require(this.#instance.call("event_release", disposition), "release");
  }

  /** Answers the inbound message of the last event, and no other one; a refusal stands. */
  releaser(): Release {
    const polls = this.#polls;
    let isRefused = false;
    return (isAccepted) => {
      if (polls !== this.#polls) notLent(isAccepted);
      if (isRefused) return;
      this.release(isAccepted ? Disposition.Accepted : Disposition.NotAccepted);
      isRefused = !isAccepted;
    };
  }

  /** Verbs answer as in ABI.md, section 7: an id, 0, or a Status below zero. */
  send(verb: SendVerb, record: Uint8Array, flags: PublishFlags): number {
    const { options } = this.#lend([record], flags);
    return this.#instance.call(verb, record.length, options);
  }

  request(verb: RequestVerb, record: Uint8Array, timeoutMs: number): number {
    this.#lend([record]);
    return this.#instance.call(verb, record.length, timeoutMs);
  }

  forgetCredentials(): number {
    return this.#instance.call("forget_credentials");
  }

  ota(verb: "ota_start" | "ota_stop", kind: number): number {
    return this.#instance.call(verb, kind);
  }

  applyOta(kind: number, isAccepted: boolean): number {
    return this.#instance.call("ota_apply", kind, isAccepted ? 1 : 0);
  }

  sendRpcReply(requestId: number, record: Uint8Array, flags: PublishFlags): number {
    const { options } = this.#lend([record], flags);
    return this.#instance.call("send_rpc_reply", requestId, record.length, options);
  }

  publish(topic: Uint8Array, payload: Uint8Array, flags: PublishFlags): number {
    const { at, options } = this.#lend([topic, payload], flags);
    return this.#instance.call("publish", at, topic.length, at + topic.length, payload.length, options);
  }

  subscribe(filter: Uint8Array, qos: 0 | 1): number {
    return this.#instance.call("subscribe", this.#lend([filter]).at, filter.length, qos);
  }

  unsubscribe(filter: Uint8Array): number {
    return this.#instance.call("unsubscribe", this.#lend([filter]).at, filter.length);
  }

  /** The event that `poll` returned. */
  event(): ModuleEvent {
    return readEvent(this.#instance.view, this.#event, (at, length) => this.#instance.need(at, length));
  }

  /** A text of that event by its field: the address, and the bytes as long as nothing is polled. */
  eventSpan(field: number): { readonly at: number; readonly bytes: Uint8Array } {
    const at = this.#instance.view.getUint32(this.#event + field, true);
    const length = this.#instance.view.getUint32(this.#event + field + 4, true);
    return { at, bytes: length === 0 ? new Uint8Array(0) : this.#instance.need(at, length) };
  }

  /** Looks a value up in a JSON text of the event, given by its address, or in any other bytes. Answers its type and its place in the text. */
  jsonFind(text: Uint8Array, address: number | null, path: Uint8Array): { type: number; at: number; length: number } {
    const { at } = this.#lend(address === null ? [text, path] : [path]);
    const type = this.#instance.call("json_find", address ?? at, text.length, address === null ? at + text.length : at, path.length);
    const u32 = (field: number): number => this.#instance.view.getUint32(this.#json + field, true);
    return { type, at: type < 0 ? 0 : u32(JsonField.Text) - (address ?? at), length: type < 0 ? 0 : u32(JsonField.TextLength) };
  }

  /** The text of a JSON string without its escapes, or a Status. */
  jsonText(text: Uint8Array, address: number | null, capacity: number): Uint8Array | number {
    const { at } = this.#lend(address === null ? [text] : []);
    const to = address === null ? at + text.length : at;
    const length = this.#instance.call("json_text", address ?? at, text.length, to, Math.min(capacity, this.#staging + this.#stagingCapacity - to));
    return length < 0 ? length : this.#instance.need(to, length).slice();
  }

  /** The bytes of the largest message record. */
  get stagingBytes(): number {
    return this.#stagingCapacity;
  }

  /** One counter by its `Stat`; also of an instance that trapped, whose memory is still there. */
  counter(field: number): number {
    return this.#instance.view.getUint32(this.#stats + field, true);
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
    const text = this.#instance.span(this.#instance.view.getUint32(at + ErrorField.Text, true), this.#instance.view.getUint32(at + ErrorField.TextLength, true));
    return errorOf(status, doing, {
      text: text === null ? "" : decoder.decode(text),
      value: this.#instance.view.getInt32(at + ErrorField.Value, true),
    });
  }

  /** What the module has of a connection, as its imports show it. */
  link(): "none" | "opening" | "open" {
    return this.#instance.link();
  }

  /** Ends the instance without its help. */
  discard(): void {
    this.#instance.discard();
  }

  /** Lays texts and options behind one another in the staging area. */
  #lend(parts: Uint8Array[], flags: PublishFlags = {}): { at: number; options: number } {
    const hasOptions = flags.qos !== undefined || flags.retain !== undefined;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const needed = hasOptions ? padded(length) + OptionField.End : length;
    if (needed > this.#stagingCapacity) throw errorOf(Status.TooLarge, "message", { text: "staging_buffer", value: needed });
    let at = this.#staging;
    for (const part of parts) {
      this.#instance.memory.set(part, at);
      at += part.length;
    }
    if (!hasOptions) return { at: this.#staging, options: 0 };
    at = this.#staging + padded(length);
    this.#instance.view.setUint16(at + OptionField.Size, OptionField.End, true);
    this.#instance.view.setUint8(at + OptionField.Qos, flags.qos ?? this.#defaultQos);
    this.#instance.view.setUint8(at + OptionField.Retain, flags.retain ? 1 : 0);
    return { at: this.#staging, options: at };
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
