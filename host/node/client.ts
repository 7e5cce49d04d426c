// The device client: promises and async iteration over the module.

import { Feature, Status } from "../../build/generated/abi.ts";
import { AppHost, type AppOptions } from "./app.ts";
import type { AttributesSubscription, AttributesUpdate, SubscribeAttributesOptions } from "./attributes.ts";
import { checkedClaim, checkedSignal, checkFunction, checkPublish, checkSubscribe, checkText, isText } from "./check.ts";
import type { Configuration } from "./configuration.ts";
import { Core } from "./core.ts";
import { errorOf, MoteError } from "./errors.ts";
import { parseAnswer } from "./event-record.ts";
import type { LinkEvent } from "./events.ts";
import type { SessionLimits } from "./limits.ts";
import { messageRecord } from "./message.ts";
import { StreamSubscription } from "./message-stream.ts";
import { utf8 } from "./module.ts";
import type { Attributes, AttributesRequest, Claim, ClientOptions, LinkState, PublishOptions, RequestOptions, Stats } from "./options.ts";
import type { RpcHandler, RpcRequest } from "./rpc.ts";
import { Subscription, type Declaration, type SubscribeOptions } from "./subscription.ts";
import type { OtaEvent, OtaHandler, OtaUrlHandler, UpdateKind } from "./updates.ts";
import type { JsonText, JsonValue, MessageValue, MessageValues, Telemetry } from "./values.ts";

/** Longer than the server takes to say that nobody answers, which is 60 s. */
const RPC_TIMEOUT_MS = 65_000;

export class DeviceClient {
  /** @internal */
  protected readonly core: Core;

  /** Takes the configuration as an object or as the text of the file; throws a ConfigurationError that names the key. */
  constructor(configuration: Configuration | string, options: ClientOptions = {}) {
    this.core = new Core(configuration, options);
  }

  /** Connects and stays connected; does not wait. */
  start(): void {
    this.core.link.start();
  }

  /**
   * Starts and waits for the connection. The first failure rejects, or with `retry` only what no attempt can mend;
   * a client whose `connect` was rejected is stopped.
   */
  async connect(options: { retry?: boolean; signal?: AbortSignal } = {}): Promise<void> {
    const signal = checkedSignal("connect", options);
    await this.core.link.connect(options.retry ?? false, signal);
  }

  /** Lets the outbox drain for at most `ack_timeout_s` and ends the connection. Iterators stay, for the next `start`; one that comes before takes it back. */
  async disconnect(): Promise<void> {
    await this.core.link.disconnect();
    await this.core.ports.net.settled();
  }

  /** Ends the connection, every iterator and every wait at once. */
  async stop(): Promise<void> {
    await this.core.stop();
  }

  /**
   * Resolves when delivered (QoS 1) or appended to the outbox (QoS 0). What exceeds the limits of the buffers, of the server
   * or of its data points is sent in several messages, entries and their times kept; `TooLarge` for one value that never fits.
   */
  async sendTelemetry(telemetry: Telemetry, options: PublishOptions = {}): Promise<void> {
    return this.core.messages.telemetry(telemetry, options);
  }

  /** Publishes client attributes, in several messages where they exceed the limits. */
  async sendAttributes(values: MessageValues | JsonText, options: PublishOptions = {}): Promise<void> {
    return this.core.messages.attributes(values, options);
  }

  /** Lets a user claim the device. Delivery says that the server looks at it; the outcome is not told to devices. */
  async claim(claim: Claim = {}, options: PublishOptions = {}): Promise<void> {
    checkPublish("claim", options);
    const record = messageRecord(checkedClaim("claim", claim));
    return this.core.outbox.publish("claim", options, (module) => module.send("claim", record, options));
  }

  async publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    checkText("publish", "topic", topic);
    const doing = `publish to ${topic}`;
    checkPublish(doing, options);
    if (!(payload instanceof Uint8Array)) checkText(doing, "payload", payload);
    const topicBytes = checkedText(doing, topic, Status.InvalidTopic);
    const bytes = typeof payload === "string" ? checkedText(doing, payload, Status.InvalidUtf8) : payload.slice();
    return this.core.outbox.publish(doing, options, (module) => module.publish(topicBytes, bytes, options));
  }

  /** Declares a subscription, which every connection asserts again until its iterator is left. */
  subscribe(filter: string, options: SubscribeOptions = {}): Subscription {
    checkSubscribe(filter, options);
    const qos = options.qos ?? 1;
    this.#declare(filter, qos);
    return this.#declared(new Subscription(filter, qos, options, () => this.#unsubscribe(filter)));
  }

  /** The same with messages of any size, each payload a stream of its own; at most `partsMax` parts of it wait for their reader. */
  subscribeStream(filter: string, options: SubscribeOptions & { readonly partsMax?: number } = {}): StreamSubscription {
    checkSubscribe(filter, options);
    const qos = options.qos ?? 1;
    this.#declare(filter, qos);
    return this.#declared(new StreamSubscription(filter, qos, options, () => this.#unsubscribe(filter)));
  }

  /** Asks the server for attributes; 20 s when no time is given. */
  async requestAttributes(request: AttributesRequest = {}): Promise<Attributes> {
    return this.core.requestAttributes(request);
  }

  /**
   * Forgets the credentials that provisioning gave: the next `start` asks the server for others. Throws a BadStateError while the
   * client is started, and without the key `provision`.
   */
  forgetCredentials(): void {
    const isForgotten = this.core.runner.use((module) => module.require(module.forgetCredentials(), "forgetCredentials"));
    // After a trap there is nobody to remember it.
    if (isForgotten === null) throw errorOf(Status.BadState, "forgetCredentials");
  }

  /** Calls a method of the server's rule chain; its answer, or a RemoteError for one with a member `error`. 65 s when no time is given. */
  async requestRpc(method: string, params?: MessageValue, options: RequestOptions = {}): Promise<JsonValue> {
    checkText("RPC", "method", method);
    const doing = `RPC ${method}`;
    return parseAnswer(await this.core.requests.ask(doing, "request_rpc", { method, params }, RPC_TIMEOUT_MS, options), doing);
  }

  /** Sets the handler of server-side RPC; null removes it. A request that the server repeats is not run again. */
  onRpc(handler: RpcHandler | null): void {
    checkFunction("onRpc", "handler", handler ?? undefined);
    this.core.inbound.rpcHandler = handler;
  }

  rpcRequests(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<RpcRequest> {
    return this.core.inbound.rpcRequests(checkedSignal("rpcRequests", options));
  }

  /** Shared attributes of these keys, or of all: their values now, what changes, and after a reconnect what changed meanwhile. */
  subscribeAttributes(keys?: readonly string[], options: SubscribeAttributesOptions = {}): AttributesSubscription {
    const subscription = this.core.inbound.sharedAttributes(keys, options);
    if (this.state === "Connected") this.core.inbound.refreshAttributes(this.core.askAttributes, [subscription]);
    return subscription;
  }

  /** Updates of shared attributes as the server sends them, without any request. */
  sharedAttributes(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<AttributesUpdate> {
    return this.core.inbound.sharedAttributes(undefined, { signal: checkedSignal("sharedAttributes", options), refresh: false });
  }

  /** Asks for the package that is assigned now; it is downloaded when it differs from what runs. */
  startOta(kind: UpdateKind = "firmware"): void {
    this.core.updates.start(kind);
  }

  /** Gives up a download. */
  stopOta(kind: UpdateKind = "firmware"): void {
    this.core.updates.stop(kind);
  }

  /** Sets who is asked before a verified image is applied; without one every image is. */
  onOta(handler: OtaHandler | null): void {
    checkFunction("onOta", "handler", handler ?? undefined);
    this.core.updates.handler = handler;
  }

  /** Sets who fetches images that the server names by URL; without one such an update fails. */
  onOtaUrl(handler: OtaUrlHandler | null): void {
    checkFunction("onOtaUrl", "handler", handler ?? undefined);
    this.core.updates.urlHandler = handler;
  }

  otaEvents(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<OtaEvent> {
    return this.core.updates.events(checkedSignal("otaEvents", options));
  }

  /** Runs an app module beside this client, one at a time; throws when the host cannot take it. assembly/app/ABI.md. */
  runApp(wasm: Uint8Array, options: AppOptions = {}): AppHost {
    return new AppHost(this.core, wasm, options);
  }

  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<LinkEvent> {
    return this.core.inbound.events(checkedSignal("events", options));
  }

  get state(): LinkState {
    return this.core.link.state;
  }

  /** What the server said that it allows; null before it has. */
  get sessionLimits(): SessionLimits | null {
    return this.core.limits.told;
  }

  /** What this build of the module can do, by the names of `Feature`. */
  get features(): readonly (keyof typeof Feature)[] {
    const bits = this.core.runner.module?.features() ?? 0;
    return (Object.keys(Feature) as (keyof typeof Feature)[]).filter((name) => (bits & Feature[name]) !== 0);
  }

  get stats(): Stats {
    return this.core.stats;
  }

  /** Comes before the iterator is made: of one that the module refuses nothing may be left. */
  #declare(filter: string, qos: 0 | 1): void {
    const doing = `subscribe to ${filter}`;
    const bytes = checkedText(doing, filter, Status.InvalidTopic);
    this.core.runner.use((module) => module.require(module.subscribe(bytes, qos), doing));
  }

  #declared<Made extends Declaration<unknown>>(subscription: Made): Made {
    this.core.inbound.subscriptions.add(subscription);
    return subscription;
  }

  #unsubscribe(filter: string): void {
    const { subscriptions } = this.core.inbound;
    for (const each of subscriptions) if (each.isEnded) subscriptions.delete(each);
    if ([...subscriptions].some((each) => each.filter === filter) || this.core.app?.filters.has(filter)) return;
    try {
      // A client that failed has nothing to declare to.
      this.core.runner.use((module) => module.unsubscribe(utf8(filter)));
    } catch (error) {
      // The trap has been told by events(), and who leaves an iterator cannot mend it.
      if (!(error instanceof MoteError)) throw error;
    }
  }
}

/** The bytes of a text; the status is what the module says of bytes that are none. */
function checkedText(doing: string, text: string, status: number): Uint8Array {
  if (!isText(text)) throw errorOf(status, doing, { text: "half of a surrogate pair" });
  return utf8(text);
}
