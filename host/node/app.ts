// Runs an app module beside a client: setup, events, timer, failure and restart.

import { EventField, EventFlag, EventKind, Status } from "../../build/generated/abi.ts";
import { AppModule, AppTrap, compiledApp, importsOf } from "./app-module.ts";
import { appFunctions, type VerbHost } from "./app-verbs.ts";
import { checkFunction, checkIntegers, checkOptions, INTEGER_MAX } from "./check.ts";
import type { Core } from "./core.ts";
import { errorOf, MoteError, statusName } from "./errors.ts";
import type { ModuleEvent } from "./event-record.ts";
import { utf8, type ClientModule } from "./module.ts";

export interface AppOptions {
  /** Bytes of memory that the app is given; what it was built for when absent or 0. */
  readonly memoryBytes?: number | undefined;
  /** Fuel of one call; APP_FUEL when absent or 0. */
  readonly fuel?: number | undefined;
  /** The board's hardware: the bytes lie in the app's memory. An exception ends the app. */
  readonly io?: ((op: number, bytes: Uint8Array) => number) | undefined;
  /** A line that the app logs, with its LogLevel, which is Debug for what is none. */
  readonly onLog?: ((level: number, line: string) => void) | undefined;
}

/** Failures after which it has run so long count no more. */
const WINDOW_MS = 600_000;

type Plain = Pick<ModuleEvent, "kind" | "flags" | "id" | "reason" | "total" | "offset">;

/** A text of the event in the client's memory. */
interface Span { readonly at: number; readonly bytes: Uint8Array }
interface Texts { readonly topic: Span; readonly payload: Span; readonly name: Span; readonly value: Span }
const NOTHING: Span = { at: 0, bytes: new Uint8Array(0) };

const padded = (length: number): number => (length + 3) & ~3;

export class AppHost {
  /** Filters that the app has declared, with their QoS. */
  readonly filters = new Map<string, 0 | 1>();
  readonly #imports: ReadonlySet<string>;
  readonly #load: () => AppModule;
  readonly #lent: { at: number; from: number; length: number }[] = [];
  #module: AppModule | null = null;
  #isReady = false;
  #isRunning = false;
  #isLent = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #failuresAtMs: number[] = [];
  #failures = 0;

  constructor(private readonly core: Core, wasm: Uint8Array, options: AppOptions) {
    checkOptions("app", options);
    checkFunction("app", "io", options.io);
    checkFunction("app", "onLog", options.onLog);
    checkIntegers("app", options, { memoryBytes: [0, INTEGER_MAX], fuel: [0, INTEGER_MAX] });
    if (core.app !== null) throw errorOf(Status.BadState, "app", { text: "one runs already" });
    const source = compiledApp(wasm);
    this.#imports = importsOf(source);
    const verbs: VerbHost = {
      core, lent: this.#lent, filters: this.filters,
      isReading: () => this.#isLent,
      module: () => this.#module!,
      setTimer: (ms) => this.#setTimer(ms),
      io: options.io ?? null,
      log: options.onLog ?? (() => {}),
    };
    const functions = appFunctions(verbs);
    this.#load = () => {
      try {
        return new AppModule(source, functions, options.memoryBytes || undefined, options.fuel || undefined);
      } catch (error) {
        if (error instanceof MoteError) throw error;
        // An import in another form, said in V8's words.
        throw errorOf(Status.NotFound, "app", { text: (error as Error).message, cause: error });
      }
    };
    try {
      this.#build();
    } catch (error) {
      this.stop();
      throw error instanceof AppTrap ? errorOf(error.reason, "app", { text: error.message, cause: error }) : error;
    }
    core.app = this;
    this.#restart = setTimeout(() => this.#setup(), 0);
  }

  /** Whether it may call this verb: what it answers is left to it where nobody else does. */
  uses(verb: string): boolean {
    return this.#imports.has(verb);
  }

  /** Failures since it was made. */
  get failures(): number {
    return this.#failures;
  }

  /** Ends the app and its subscriptions. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#end();
    clearTimeout(this.#restart);
    this.core.app = null;
    const told = new Set([...this.core.inbound.subscriptions].map(({ filter }) => filter));
    for (const filter of this.filters.keys()) if (!told.has(filter)) this.core.runner.use((module) => module.unsubscribe(utf8(filter)));
  }

  /** Hands on the event that the client's module has just raised. */
  onEvent(event: ModuleEvent, module: ClientModule): void {
    if (!this.#isReady || this.#isRunning) return;
    this.#isLent = true;
    try {
      this.#deliver(event, module);
    } finally {
      this.#isLent = false;
    }
  }

  /** The client's module trapped, and its connection ended with it. */
  onDisconnected(): void {
    setImmediate(() => this.#tell(EventKind.Disconnected, Status.Trapped));
  }

  /** The client has a new instance, which knows nothing of the app's subscriptions. */
  onRebuilt(module: ClientModule, messagesLost: number): void {
    for (const [filter, qos] of this.filters) module.subscribe(utf8(filter), qos);
    setImmediate(() => this.#tell(EventKind.Restarted, Status.Trapped, messagesLost));
  }

  /** The client trapped too often and has stopped. */
  onFailed(messagesLost: number): void {
    setImmediate(() => this.#tell(EventKind.Failed, Status.Trapped, messagesLost));
  }

  #tell(kind: number, reason = 0, total = 0): void {
    if (this.#isReady && !this.#isRunning) this.#deliver({ kind, flags: 0, id: 0, reason, total, offset: 0 }, null);
  }

  #setup(): void {
    this.#isReady = true;
    this.#run("setup");
  }

  #setTimer(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = ms === 0 ? undefined : setTimeout(() => this.#tell(EventKind.AppTimer), ms);
  }

  #deliver(event: Plain, client: ClientModule | null): void {
    const span = (field: number): Span => client?.eventSpan(field) ?? NOTHING;
    const texts: Texts = { topic: span(EventField.Topic), payload: span(EventField.Payload), name: span(EventField.Name), value: span(EventField.Value) };
    const { topic, payload } = texts;
    const room = (this.#module!.eventCapacity - EventField.End - padded(topic.bytes.length)) & ~3;
    if (event.kind !== EventKind.Message || payload.bytes.length <= room || room < 4) return this.#handOver(event, texts);
    // A raw message that is larger than the buffer comes in parts, as it does from a client whose own buffer is small.
    for (let from = 0; from < payload.bytes.length && this.#isReady; from += room) {
      const bytes = payload.bytes.subarray(from, from + room);
      const isLast = from + room >= payload.bytes.length;
      const part = { ...event, flags: isLast ? event.flags : event.flags & ~EventFlag.Last, offset: event.offset + from };
      this.#handOver(part, { ...texts, payload: { at: payload.at + from, bytes } });
    }
  }

  #handOver(event: Plain, { topic, payload, name, value }: Texts): void {
    const app = this.#module!;
    const isInPayload = ({ at, bytes }: Span): boolean => at >= payload.at && at + bytes.length <= payload.at + payload.bytes.length;
    const own = [topic, payload, ...[name, value].filter((each) => !isInPayload(each))];
    const needed = own.reduce((sum, { bytes }) => sum + padded(bytes.length), EventField.End as number);
    const buffer = app.eventBuffer;
    app.memory.fill(0, buffer, buffer + EventField.End);
    app.view.setUint16(buffer + EventField.Size, EventField.End, true);
    if (needed > app.eventCapacity) {
      this.#write({ kind: EventKind.MessageTooLarge, flags: 0, id: event.id, reason: Status.TooLarge, total: needed, offset: event.kind });
      return this.#run("on_event", EventKind.MessageTooLarge, EventField.End);
    }
    this.#write(event);
    let length: number = EventField.End;
    const put = (field: number, text: Span, payloadAt: number): number => {
      let at = 0;
      if (text.bytes.length > 0 && payloadAt > 0 && isInPayload(text)) at = payloadAt + text.at - payload.at;
      else if (text.bytes.length > 0) {
        at = buffer + length;
        app.memory.set(text.bytes, at);
        length += padded(text.bytes.length);
      }
      app.view.setUint32(buffer + field, at, true);
      app.view.setUint32(buffer + field + 4, text.bytes.length, true);
      if (text.bytes.length > 0) this.#lent.push({ at, from: text.at, length: text.bytes.length });
      return at;
    };
    put(EventField.Topic, topic, 0);
    const payloadAt = put(EventField.Payload, payload, 0);
    put(EventField.Name, name, payloadAt);
    put(EventField.Value, value, payloadAt);
    this.#run("on_event", event.kind, length);
  }

  #write({ kind, flags, id, reason, total, offset }: Plain): void {
    const { view, eventBuffer } = this.#module!;
    view.setUint8(eventBuffer + EventField.Kind, kind);
    view.setUint8(eventBuffer + EventField.Flags, flags);
    view.setInt32(eventBuffer + EventField.Id, id, true);
    view.setInt32(eventBuffer + EventField.Reason, reason, true);
    view.setUint32(eventBuffer + EventField.Total, total, true);
    view.setUint32(eventBuffer + EventField.Offset, offset, true);
  }

  #run(name: string, ...values: number[]): void {
    this.#isRunning = true;
    try {
      this.#module!.call(name, ...values);
    } catch (error) {
      if (!(error instanceof AppTrap)) throw error;
      this.#fail(error);
    } finally {
      this.#isRunning = false;
      this.#lent.length = 0;
    }
  }

  #end(): void {
    this.#isReady = false;
    this.#module = null;
    clearTimeout(this.#timer);
  }

  #fail({ reason, message }: AppTrap): void {
    this.#end();
    this.#failures++;
    const { clock } = this.core.ports;
    const nowMs = Number(clock.nowMs());
    this.#failuresAtMs = [...this.#failuresAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs].slice(-32);
    const { minMs, maxMs } = this.core.backoff;
    const ceilingMs = Math.min(maxMs, minMs * 2 ** (this.#failuresAtMs.length - 1));
    this.core.inbound.tell({ type: "AppFailed", reason: statusName(reason), name: message });
    if (!this.#isStopped) this.#restart = setTimeout(() => this.#begin(), ceilingMs * ((clock.random() >>> 0) / 2 ** 32));
  }

  #build(): void {
    this.#module = this.#load();
    this.#module.open();
  }

  #begin(): void {
    try {
      this.#build();
    } catch (error) {
      // What was right at first need not be so again, such as where the event buffer lies.
      if (error instanceof MoteError) return this.#fail(new AppTrap(Status.Trapped, error.text, error));
      if (!(error instanceof AppTrap)) throw error;
      return this.#fail(error);
    }
    this.#setup();
  }
}
