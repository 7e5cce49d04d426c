// The device client: promises and async iteration over the module.

import { EventKind, Feature, Status, type State } from "../../build/generated/abi.ts";
import { asConfigurationError, prepare, type Configuration, type Prepared } from "./configuration.ts";
import { errorOf, MessageRejectedError, RefusedError, RequestTimeoutError, statusName, type MoteError, type TrappedError } from "./errors.ts";
import { linkEvent, type LinkEvent } from "./events.ts";
import { Inbound, type AttributesUpdate } from "./inbound.ts";
import { messageRecord, telemetryRecord } from "./message.ts";
import { ClientModule, profileModule, utf8, type Counters, type ModuleEvent, type ModuleHooks, type Profile } from "./module.ts";
import { Outbox, type Deferred, type SendOptions } from "./outbox.ts";
import { portsOf, type PortOptions } from "./ports/default.ts";
import type { Ports } from "./ports/port.ts";
import type { RpcHandler, RpcRequest } from "./rpc.ts";
import { Runner } from "./runner.ts";
import { Subscription, type SubscribeOptions } from "./subscription.ts";
import type { JsonText, JsonValue, MessageValues, Telemetry } from "./values.ts";

export interface ClientOptions extends PortOptions {
  /** Which build of the module; "device" when absent. */
  readonly profile?: Profile | undefined;
  /** What a send does while the outbox is full; "wait" when absent. */
  readonly whenFull?: "wait" | "reject" | undefined;
  /** Sends that may wait at once; further ones are rejected. 256 when absent. */
  readonly waitingMax?: number | undefined;
  /** RPC requests and attribute updates that wait for a reader. 64 when absent. */
  readonly queueMessages?: number | undefined;
  /** Memory that the module may use, to see what a device would; its whole page when absent. */
  readonly memoryBytes?: number | undefined;
  /** For tests. */
  readonly hooks?: ModuleHooks | undefined;
}

/** ABI.md's `State`, seen from the host, and `Failed` after too many traps. */
export type LinkState = keyof typeof State | "Failed";

export interface PublishOptions extends SendOptions {
  readonly qos?: 0 | 1 | undefined;
  readonly retain?: boolean | undefined;
}

export interface AttributesRequest {
  /** Names of attributes; without `client` and `shared` all are asked for. */
  readonly client?: readonly string[] | undefined;
  readonly shared?: readonly string[] | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Attributes {
  readonly client: Readonly<Record<string, JsonValue>>;
  readonly shared: Readonly<Record<string, JsonValue>>;
}

export type Stats = Counters & {
  /** Sends that wait for room, messages without PUBACK, traps since the client was made. */
  readonly sendsWaiting: number;
  readonly messagesUnacknowledged: number;
  readonly traps: number;
};

const REQUEST_TIMEOUT_MS = 10_000;
/** Refusals that no further attempt mends: all but "server unavailable" [MQTT-3.2.2.3]. */
const isFinal = (returnCode: number): boolean => returnCode !== 3;

export class DeviceClient {
  readonly #configuration: Prepared;
  readonly #ports: Ports;
  readonly #runner: Runner;
  readonly #outbox: Outbox;
  readonly #inbound: Inbound;
  readonly #requests = new Map<number, Deferred<Attributes>>();
  readonly #connecting = new Set<Deferred<void> & { readonly isRetrying: boolean }>();
  readonly #ending: (() => void)[] = [];
  #phase: "Stopped" | "Trying" | "Connected" | "Draining" = "Stopped";
  #counters: Counters | undefined;
  #traps = 0;
  #messagesLost = 0;

  /** Takes the configuration as an object or as the text of the file; throws a ConfigurationError that names the key. */
  constructor(configuration: Configuration | string, options: ClientOptions = {}) {
    const prepared = prepare(configuration);
    this.#configuration = prepared;
    this.#ports = portsOf(prepared.tls, options);
    this.#outbox = new Outbox(() => this.#runner, options.waitingMax ?? 256, options.whenFull ?? "wait");
    this.#inbound = new Inbound(options.queueMessages ?? 64, (id, value) => {
      const record = messageRecord(value);
      return this.#outbox.publish("RPC reply", {}, (module) => module.sendRpcReply(id, record, {}));
    });
    const source = profileModule(options.profile ?? "device");
    const build = (): ClientModule => {
      const module = new ClientModule(source, this.#ports, options.memoryBytes, options.hooks);
      module.configure(prepared.text, prepared.qos);
      return module;
    };
    try {
      this.#runner = new Runner(build, this.#ports, { minMs: prepared.reconnectMinMs, maxMs: prepared.reconnectMaxMs }, {
        onEvent: (event, module) => this.#onEvent(event, module),
        onTurn: () => this.#outbox.retry(),
        onIdle: () => this.#ended(),
        onTrap: (error, dead) => this.#onTrap(error, dead),
        onRebuilt: (module) => this.#onRebuilt(module),
        onFailed: (error) => this.#onFailed(error),
      });
    } catch (error) {
      throw asConfigurationError(error);
    }
  }

  /** Connects and stays connected; does not wait. */
  start(): void {
    if (this.#configuration.tls?.verify === false) {
      process.emitWarning(`TLS certificates of ${this.#configuration.address} are not verified`, { code: "MOTE_TLS_UNVERIFIED" });
    }
    this.#runner.start();
    if (this.#phase === "Stopped") this.#phase = "Trying";
    if (this.#phase === "Draining") this.#phase = "Connected";
  }

  /**
   * Starts and waits for the connection. The first failure rejects, or with `retry` only what no attempt can mend;
   * a client whose `connect` was rejected is stopped.
   */
  async connect(options: { retry?: boolean; signal?: AbortSignal } = {}): Promise<void> {
    const { signal, retry = false } = options;
    signal?.throwIfAborted();
    this.start();
    if (this.#phase === "Connected") return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#connecting.delete(waiting);
        reject(signal!.reason);
        this.#halt();
      };
      const settled = (): void => {
        this.#connecting.delete(waiting);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiting = {
        isRetrying: retry,
        resolve: () => { settled(); resolve(); },
        reject: (error: unknown) => { settled(); reject(error); },
      };
      this.#connecting.add(waiting);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Resolves when delivered (QoS 1) or appended to the outbox (QoS 0). */
  async sendTelemetry(telemetry: Telemetry, options: PublishOptions = {}): Promise<void> {
    const record = telemetryRecord(telemetry);
    return this.#outbox.publish("telemetry", options, (module) => module.send("send_telemetry", record, options));
  }

  /** Publishes client attributes. */
  async sendAttributes(values: MessageValues | JsonText, options: PublishOptions = {}): Promise<void> {
    const record = messageRecord(values);
    return this.#outbox.publish("attributes", options, (module) => module.send("send_attributes", record, options));
  }

  async publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    const topicBytes = utf8(topic);
    const bytes = typeof payload === "string" ? utf8(payload) : payload.slice();
    return this.#outbox.publish(`publish to ${topic}`, options, (module) => module.publish(topicBytes, bytes, options));
  }

  /** Declares a subscription, which every connection asserts again until its iterator is left. */
  subscribe(filter: string, options: SubscribeOptions = {}): Subscription {
    options.signal?.throwIfAborted();
    const qos = options.qos ?? 1;
    const bytes = utf8(filter);
    this.#runner.use((module) => module.require(module.subscribe(bytes, qos), `subscribe to ${filter}`));
    const subscription: Subscription = new Subscription(filter, qos, options, () => this.#unsubscribe(subscription));
    this.#inbound.subscriptions.add(subscription);
    return subscription;
  }

  /** Asks the server for attributes. */
  async requestAttributes(request: AttributesRequest = {}): Promise<Attributes> {
    const record = messageRecord({ clientKeys: request.client?.join(","), sharedKeys: request.shared?.join(",") });
    const timeoutMs = request.timeoutMs ?? REQUEST_TIMEOUT_MS;
    return this.#outbox.submit<Attributes>("attribute request", { signal: request.signal },
      (module) => module.requestAttributes(record, timeoutMs),
      (id, deferred) => this.#requests.set(id, deferred));
  }

  /** Sets the handler of server-side RPC; null removes it. */
  onRpc(handler: RpcHandler | null): void {
    this.#inbound.rpcHandler = handler;
  }

  rpcRequests(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<RpcRequest> {
    return this.#inbound.rpcRequests(options.signal);
  }

  sharedAttributes(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<AttributesUpdate> {
    return this.#inbound.sharedAttributes(options.signal);
  }

  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<LinkEvent> {
    return this.#inbound.events(options.signal);
  }

  get state(): LinkState {
    if (this.#runner.isFailed) return "Failed";
    if (this.#phase !== "Trying") return this.#phase;
    return ({ none: "Waiting", opening: "Opening", open: "Connecting" } as const)[this.#runner.module?.link() ?? "none"];
  }

  /** What this build of the module can do, by the names of `Feature`. */
  get features(): readonly (keyof typeof Feature)[] {
    const bits = this.#runner.module?.features() ?? 0;
    return (Object.keys(Feature) as (keyof typeof Feature)[]).filter((name) => (bits & Feature[name]) !== 0);
  }

  get stats(): Stats {
    this.#counters = this.#runner.module?.counters() ?? this.#counters!;
    return {
      ...this.#counters,
      sendsWaiting: this.#outbox.waiting, messagesUnacknowledged: this.#outbox.unacknowledged, traps: this.#traps,
    };
  }

  /** Lets the outbox drain for at most `ack_timeout_s` and ends the connection. Iterators stay, for the next `start`. */
  async disconnect(): Promise<void> {
    if (this.#phase === "Stopped") return;
    const ended = new Promise<void>((resolve) => this.#ending.push(resolve));
    this.#phase = "Draining";
    if (this.#runner.use((module) => module.disconnect()) === null) this.#halt();
    await ended;
    await this.#ports.net.settled();
  }

  /** Ends the connection, every iterator and every wait at once. */
  async stop(): Promise<void> {
    this.#halt();
    this.#inbound.endAll();
    await this.#ports.net.settled();
  }

  #onEvent(event: ModuleEvent, module: ClientModule): boolean {
    if (this.#inbound.take(event, module)) return true;
    const { kind, id, reason, topic } = event;
    const told = linkEvent(event);
    if (told !== null) this.#inbound.tell(told);
    switch (kind) {
      case EventKind.Connected:
        this.#phase = this.#phase === "Draining" ? "Draining" : "Connected";
        for (const waiting of this.#connecting) waiting.resolve();
        break;
      case EventKind.Disconnected: this.#onDisconnected(reason); break;
      case EventKind.Refused:
        this.#failConnect(new RefusedError(this.#doing, reason), isFinal(reason));
        break;
      case EventKind.Delivered: this.#outbox.delivered(id); break;
      case EventKind.MessageRejected:
        this.#outbox.rejected(id, new MessageRejectedError(Status.ConnectionClosed, `message to ${topic}`));
        break;
      case EventKind.Subscribed: this.#inbound.subscribed(topic, true); break;
      case EventKind.SubscriptionRefused: this.#inbound.subscribed(topic, false); break;
      case EventKind.AttributesResponse: this.#answered(id, event.payload); break;
      case EventKind.RequestTimeout:
        this.#take(id)?.reject(new RequestTimeoutError(Status.Timeout, "attribute request"));
        break;
      case EventKind.MessageTooLarge:
        this.#take(id)?.reject(errorOf(Status.TooLarge, "attribute request", { text: "receive_buffer", value: event.total }));
        break;
    }
    return false;
  }

  #onDisconnected(reason: number): void {
    if (reason === Status.Requested) {
      this.#ended();
      return;
    }
    if (this.#phase === "Connected") this.#phase = "Trying";
    this.#failConnect(errorOf(reason, this.#doing), false);
  }

  /** Rejects the callers of `connect` who do not want to wait for a further attempt. */
  #failConnect(error: MoteError, isFinal: boolean): void {
    let isRejected = false;
    for (const waiting of this.#connecting) {
      if (waiting.isRetrying && !isFinal) continue;
      waiting.reject(error);
      isRejected = true;
    }
    if (isRejected) this.#halt();
  }

  #onTrap(error: TrappedError, dead: ClientModule): void {
    this.#counters = dead.counters();
    this.#traps++;
    this.#messagesLost = this.#outbox.lost(dead, error);
    for (const id of [...this.#requests.keys()]) this.#take(id)?.reject(error);
    if (this.#phase === "Connected" || this.#phase === "Draining") {
      this.#inbound.tell({ type: "Disconnected", reason: statusName(Status.Trapped) });
    }
    if (this.#phase === "Draining") this.#halt();
    if (this.#phase === "Connected") this.#phase = "Trying";
  }

  #onFailed(error: TrappedError): void {
    this.#inbound.tell({ type: "Failed", cause: String(error.cause ?? error.message) });
    this.#failConnect(error, true);
    this.#ended();
  }

  /** Declares to a new instance what the old one knew. */
  #onRebuilt(module: ClientModule): void {
    for (const { filter, qos } of this.#inbound.subscriptions) module.subscribe(utf8(filter), qos);
    this.#inbound.tell({ type: "Restarted", messagesLost: this.#messagesLost });
  }

  #halt(): void {
    this.#runner.stop();
    this.#ended();
  }

  /** The link is down for good, until the next `start`. */
  #ended(): void {
    this.#phase = "Stopped";
    const error = errorOf(Status.Requested, "ended before delivery was confirmed");
    this.#outbox.abandon(error);
    for (const waiting of this.#connecting) waiting.reject(error);
    for (const id of [...this.#requests.keys()]) this.#take(id)?.reject(error);
    for (const resolve of this.#ending.splice(0)) resolve();
  }

  #unsubscribe(subscription: Subscription): void {
    this.#inbound.subscriptions.delete(subscription);
    if ([...this.#inbound.subscriptions].some(({ filter }) => filter === subscription.filter)) return;
    // A client that failed has nothing to declare to.
    this.#runner.use((module) => module.unsubscribe(utf8(subscription.filter)));
  }

  #answered(id: number, payload: Uint8Array): void {
    const { client = {}, shared = {} } = JSON.parse(Buffer.from(payload).toString("utf8")) as Partial<Attributes>;
    this.#take(id)?.resolve({ client, shared });
  }

  #take(id: number): Deferred<Attributes> | undefined {
    const deferred = this.#requests.get(id);
    this.#requests.delete(id);
    return deferred;
  }

  get #doing(): string {
    return `connect to ${this.#configuration.address}`;
  }
}
