// What the clients of devices and gateways are built on: the module, turned by the runner, and the parts that hear of its events.

import { EventFlag, EventKind, Status } from "../../build/generated/abi.ts";
import type { AppHost } from "./app.ts";
import { asConfigurationError, FILTER_BYTES, prepare, type Configuration, type Prepared } from "./configuration.ts";
import { checkIntegers, checkOptions, checkTexts, checkWord, INTEGER_MAX, WHEN_FULL } from "./check.ts";
import { errorOf, MessageRejectedError, statusName, TrappedError, type MoteError } from "./errors.ts";
import { attributesOf, parseAnswer, type Counters, type ModuleEvent } from "./event-record.ts";
import { linkEvent } from "./events.ts";
import { Inbound } from "./inbound.ts";
import { PROFILES, profileModule } from "./instance.ts";
import { Limits, smallestCount } from "./limits.ts";
import { Link } from "./link.ts";
import { messageRecord } from "./message.ts";
import { Messages } from "./messages.ts";
import { ClientModule, utf8 } from "./module.ts";
import type { Attributes, AttributesRequest, ClientOptions, Stats } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { portsOf } from "./ports/default.ts";
import type { Ports } from "./ports/port.ts";
import { notLent, type Release } from "./release.ts";
import { Requests } from "./requests.ts";
import { Runner } from "./runner.ts";
import type { MessageLimits } from "./split.ts";
import { Updates } from "./updates.ts";

/** What a packet takes in the outbox besides its text: heads, the longest topic that messages leave by, packet id, padding. */
const PACKET_BYTES = 48;
/** The server counts more than the text, and some builds a little more than others. */
const SERVER_BYTES = 300;
const ATTRIBUTES_TIMEOUT_MS = 20_000;

/** What a subscription takes in the outbox: heads, filter, QoS, padding. */
function filterBytes(filter: string): number {
  return (Buffer.byteLength(filter) + 23) & ~3;
}

function checkClientOptions(options: ClientOptions): void {
  const count = [0, INTEGER_MAX] as const;
  checkIntegers("options", options, { waitingMax: count, splitPoints: count, queueMessages: count, memoryBytes: count });
  checkWord("options", "whenFull", options.whenFull, WHEN_FULL);
  checkWord("options", "profile", options.profile, PROFILES);
}

export class Core {
  readonly ports: Required<Ports>;
  readonly runner: Runner;
  readonly outbox: Outbox;
  readonly inbound: Inbound;
  readonly requests: Requests;
  readonly messages: Messages;
  readonly updates: Updates;
  readonly link: Link;
  readonly limits: Limits;
  /** The app beside this client. */
  app: AppHost | null = null;
  /** Takes events first; true when one was its. */
  onEvent: (event: ModuleEvent, release: Release) => boolean = () => false;
  /** Told after a trap, to declare to the new instance what the old one knew. */
  onRebuilt: () => void = () => {};
  readonly #configuration: Prepared;
  readonly #platformBytes: number;
  readonly #splitPoints: number | undefined;
  #counters: Counters | undefined;
  #traps = 0;
  #messagesLost = 0;

  constructor(configuration: Configuration | string, options: ClientOptions) {
    checkClientOptions(options);
    const prepared = prepare(configuration);
    this.#configuration = prepared;
    this.limits = new Limits(prepared.rates);
    this.ports = portsOf(prepared.tls, options);
    this.outbox = new Outbox(() => this.runner, options.waitingMax ?? 256, options.whenFull ?? "wait");
    this.requests = new Requests(this.outbox);
    this.messages = new Messages(this.outbox, () => this.messageLimits(false));
    this.#splitPoints = options.splitPoints;
    this.updates = new Updates((call) => { this.runner.use(call); }, this.ports.ota, () => this.app?.uses("ota_apply") ?? false);
    this.link = new Link(prepared, () => this.runner, (error) => this.#ended(error));
    this.inbound = new Inbound(options.queueMessages ?? 64, async (id, value) => {
      const record = messageRecord(value);
      return this.outbox.publish("RPC reply", {}, (module) => module.sendRpcReply(id, record, {}));
    });
    this.inbound.isLeftToApp = () => this.app?.uses("send_rpc_reply") ?? false;
    this.#platformBytes = prepared.subscriptionBytes + (options.profile?.startsWith("gateway") ? FILTER_BYTES.gateway : 0);
    const source = profileModule(options.profile ?? "device");
    const build = (): ClientModule => {
      const module = new ClientModule(source, this.ports, options.memoryBytes, options.hooks);
      module.configure(prepared.text, prepared.qos);
      return module;
    };
    try {
      this.runner = new Runner(build, this.ports, { minMs: prepared.reconnectMinMs, maxMs: prepared.reconnectMaxMs }, {
        onEvent: (event, module) => this.#onEvent(event, module),
        onTurn: () => this.outbox.retry(),
        onIdle: () => this.link.ended(),
        onTrap: (error, dead) => this.#onTrap(error, dead),
        onRebuilt: (module) => this.#onRebuilt(module),
        onFailed: (error) => this.#onFailed(error),
      });
    } catch (error) {
      throw asConfigurationError(error);
    }
  }

  /** How long whatever failed waits before it begins again. */
  get backoff(): { readonly minMs: number; readonly maxMs: number } {
    return { minMs: this.#configuration.reconnectMinMs, maxMs: this.#configuration.reconnectMaxMs };
  }

  get stats(): Stats {
    this.#counters = this.runner.module?.counters() ?? this.#counters!;
    return {
      ...this.#counters,
      sendsWaiting: this.outbox.waiting, messagesUnacknowledged: this.outbox.unacknowledged, traps: this.#traps,
    };
  }

  async requestAttributes(request: AttributesRequest): Promise<Attributes> {
    const doing = "attribute request";
    checkOptions(doing, request);
    checkTexts(doing, "client", request.client);
    checkTexts(doing, "shared", request.shared);
    for (const key of [...request.client ?? [], ...request.shared ?? []]) {
      // Keys go out joined by commas, and for nothing but commas the server answers with everything.
      if (key === "" || key.includes(",")) throw errorOf(Status.InvalidValue, doing, { text: `the key "${key}"` });
    }
    // No keys are left out: an empty text would be a key.
    const joined = (keys: readonly string[] | undefined): string | undefined => keys?.join(",") || undefined;
    const record = { clientKeys: joined(request.client), sharedKeys: joined(request.shared) };
    const event = await this.requests.ask(doing, "request_attributes", record, ATTRIBUTES_TIMEOUT_MS, request);
    const { client, shared } = attributesOf(parseAnswer(event, doing), doing);
    return { client: attributesOf(client, doing), shared: attributesOf(shared, doing) };
  }

  /** One counter by its `Stat`. */
  counter(which: number): number {
    return this.runner.module?.counter(which) ?? 0;
  }

  /** Data points that one message may have; Infinity = any. */
  pointsMax(isOfChildren: boolean): number {
    if (this.#splitPoints) return this.#splitPoints;
    return smallestCount((isOfChildren ? this.limits.children : this.limits.own).telemetryDataPoints);
  }

  /** Data points beyond which the server said that it never takes a message. */
  pointsTaken(isOfChildren: boolean): number {
    const { told } = this.limits;
    return smallestCount((isOfChildren ? told?.gatewayRateLimits : told?.rateLimits)?.telemetryDataPoints);
  }

  /** Children that one message may be about: each spends a message of telemetry, and one that the server does not know yet two messages more. */
  childrenMax(): number {
    const { telemetryMessages, messages } = this.limits.children;
    return Math.max(Math.min(smallestCount(telemetryMessages), Math.floor(smallestCount(messages) / 2)), 1);
  }

  /** What one message of telemetry or attributes may hold now. */
  messageLimits(isOfChildren: boolean): MessageLimits {
    const { sendBytes, stagingBytes } = this.#configuration;
    const overheadBytes = PACKET_BYTES + this.#declaredBytes();
    const serverBytes = this.limits.told?.maxPayloadSize ?? Infinity;
    const isServer = serverBytes - SERVER_BYTES < sendBytes - overheadBytes;
    return {
      recordBytes: stagingBytes - 4,
      jsonBytes: isServer ? Math.max(serverBytes - SERVER_BYTES, serverBytes / 2) : sendBytes - overheadBytes,
      jsonLimit: isServer ? { name: "maxPayloadSize", overheadBytes: SERVER_BYTES } : { name: "send_buffer", overheadBytes },
      points: this.pointsMax(isOfChildren),
      children: isOfChildren ? this.childrenMax() : Infinity,
    };
  }

  /** Bytes of the outbox that subscriptions keep, each filter once. */
  #declaredBytes(): number {
    const filters = new Set<string>(this.app?.filters.keys());
    for (const { filter } of this.inbound.subscriptions) filters.add(filter);
    const asksRpc = this.requests.hasAskedRpc || this.app?.uses("request_rpc");
    return [...filters].reduce((sum, filter) => sum + filterBytes(filter), this.#platformBytes + (asksRpc ? FILTER_BYTES.rpcResponse : 0));
  }

  async stop(): Promise<void> {
    this.app?.stop();
    this.link.halt();
    this.inbound.endAll();
    this.updates.halt();
    await this.ports.net.settled();
  }

  #onEvent(event: ModuleEvent, module: ClientModule): boolean {
    // An app counts on the limits when it hears of them.
    const told = linkEvent(event, this.limits);
    this.app?.onEvent(event, module);
    const release = this.#releaser(module, event);
    if (this.onEvent(event, release) || this.inbound.take(event, release)) return true;
    if (this.updates.take(event)) return false;
    const { kind, id, reason, topic } = event;
    if (told !== null) this.inbound.tell(told);
    this.requests.take(event);
    switch (kind) {
      case EventKind.Connected:
        this.link.connected();
        this.updates.resume();
        this.inbound.refreshAttributes(this.askAttributes);
        break;
      case EventKind.Disconnected: this.link.disconnected(reason); break;
      case EventKind.Refused: this.link.refused(reason); break;
      case EventKind.Delivered: this.outbox.delivered(id); break;
      case EventKind.MessageRejected:
        this.outbox.rejected(id, new MessageRejectedError(Status.ConnectionClosed, `message to ${topic}`));
        break;
      case EventKind.Subscribed: this.inbound.subscribed(topic, true); break;
      case EventKind.SubscriptionRefused: this.inbound.subscribed(topic, false); break;
      case EventKind.MessageAborted: this.inbound.aborted(); break;
    }
    return false;
  }

  /** Answers the inbound message that the module tells of now. */
  #releaser(module: ClientModule, { kind, flags }: ModuleEvent): Release {
    const answer = module.releaser();
    return (isAccepted) => {
      if (this.runner.module !== module) notLent(isAccepted);
      this.runner.use(() => answer(isAccepted));
      // No event tells those who have read a part of it that nothing more comes.
      if (!isAccepted && kind === EventKind.Message && (flags & EventFlag.Last) === 0) this.inbound.aborted();
    };
  }

  readonly askAttributes = async (keys: readonly string[] | null): Promise<Attributes["shared"]> =>
    (await this.requestAttributes(keys === null ? {} : { shared: keys })).shared;

  #onTrap(error: TrappedError, dead: ClientModule): void {
    this.#counters = dead.counters();
    this.#traps++;
    this.#messagesLost += this.outbox.lost(dead, error);
    this.requests.abandon(error);
    this.updates.lost();
    this.inbound.aborted();
    if (!this.link.trapped()) return;
    this.app?.onDisconnected();
    this.inbound.tell({ type: "Disconnected", reason: statusName(Status.Trapped) });
  }

  #onFailed(error: TrappedError): void {
    const messagesLost = this.#takeLost();
    this.app?.onFailed(messagesLost);
    this.inbound.tell({ type: "Failed", cause: String(error.cause ?? error.message), messagesLost });
    this.link.failed(error);
    this.link.ended();
  }

  /** Declares to a new instance what the old one knew. */
  #onRebuilt(module: ClientModule): void {
    for (const subscription of [...this.inbound.subscriptions]) {
      const { filter, qos } = subscription;
      try {
        module.require(module.subscribe(utf8(filter), qos), `subscribe to ${filter}`);
      } catch (error) {
        // It was declared while there was no module to refuse it.
        if (error instanceof TrappedError) throw error;
        subscription.end(error);
      }
    }
    const messagesLost = this.#takeLost();
    this.app?.onRebuilt(module, messagesLost);
    this.onRebuilt();
    this.inbound.tell({ type: "Restarted", messagesLost });
  }

  /** Messages that a trap lost and nobody was told of. */
  #takeLost(): number {
    const lost = this.#messagesLost;
    this.#messagesLost = 0;
    return lost;
  }

  #ended(error: MoteError): void {
    this.outbox.abandon(error);
    this.requests.abandon(error);
  }
}
