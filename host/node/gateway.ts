// The gateway: a device that speaks for children, which every connection announces again.

import { EventKind, Stat, Status } from "../../build/generated/abi.ts";
import { attributesUpdate } from "./attributes.ts";
import { checkedClaim, checkedSignal, checkFunction, checkOptions, checkPublish, checkText, checkTexts, checkWord } from "./check.ts";
import { Child, type ChildAttributesRequest, type ChildAttributesUpdate, type ChildLink, type ChildRpcHandler, type ChildRpcRequest } from "./children.ts";
import { DeviceClient } from "./client.ts";
import type { Configuration } from "./configuration.ts";
import { errorOf } from "./errors.ts";
import { attributesOf, parseAnswer, type ModuleEvent } from "./event-record.ts";
import { entryValue, messageRecord } from "./message.ts";
import type { SendVerb } from "./module.ts";
import type { ClientOptions, PublishOptions } from "./options.ts";
import { AsyncQueue } from "./queue.ts";
import { releasable, type Release } from "./release.ts";
import { RecentRequests } from "./rpc.ts";
import { countPoints, splitChildAttributes, splitChildTelemetry, type MessageLimits } from "./split.ts";
import type { Entry, JsonValue, MessageValue, MessageValues } from "./values.ts";

const ATTRIBUTES_TIMEOUT_MS = 20_000;
const QUEUE_MESSAGES = 64;
/** Sends of all children that may wait at once, when no other number is given. */
const WAITING_MAX = 4096;

/** Options of a client; the profile is "gateway-large", for many children, unless "gateway" is asked for. */
export interface GatewayOptions extends ClientOptions {
  readonly profile?: "gateway" | "gateway-large" | undefined;
}

export class GatewayClient extends DeviceClient {
  readonly #children = new Map<string, Child>();
  readonly #rpc = new Set<AsyncQueue<ChildRpcRequest>>();
  readonly #attributes = new Set<AsyncQueue<ChildAttributesUpdate>>();
  readonly #recent = new RecentRequests();
  readonly #queueMessages: number;
  readonly #link: ChildLink;
  #handler: ChildRpcHandler | null = null;

  constructor(configuration: Configuration | string, options: GatewayOptions = {}) {
    super(configuration, { ...options, profile: options.profile ?? "gateway-large", waitingMax: options.waitingMax ?? WAITING_MAX });
    this.#queueMessages = options.queueMessages ?? QUEUE_MESSAGES;
    this.#link = {
      queueMessages: this.#queueMessages,
      subscriptions: new Set(),
      sendTelemetry: (children, sendOptions) => this.#sendTelemetry(children, sendOptions),
      sendAttributes: (children, sendOptions) => this.#sendAttributes(children, sendOptions),
      requestAttributes: (name, request) => this.#requestAttributes(name, request),
      claim: async (name, claim, sendOptions) => {
        const doing = `claim of ${name}`;
        return this.#publish(doing, "gateway_claim", { [name]: checkedClaim(doing, claim) }, sendOptions);
      },
      reply: (name, id, value) => this.#publish(`RPC reply of ${name}`, "gateway_rpc_reply", { device: name, id, data: value }, {}),
      isLeftToApp: () => this.core.app?.uses("gateway_rpc_reply") ?? false,
    };
    this.core.onEvent = (event, release) => this.#onEvent(event, release);
    this.core.onRebuilt = () => { for (const child of this.#children.values()) void this.#announce(child, {}).catch(() => {}); };
  }

  /**
   * Announces a child, now and after each reconnect; resolves with the PUBACK. The type counts for a device that the server does
   * not know yet. A child that is connected already is answered as it is.
   */
  async connectChild(name: string, type?: string, options: PublishOptions = {}): Promise<Child> {
    checkText("connect", "name", name);
    if (type !== undefined) checkText(`connect ${name}`, "type", type);
    checkPublish(`connect ${name}`, options);
    const known = this.#children.get(name);
    if (known !== undefined) return known;
    const child = new Child(name, type, this.#link);
    this.#children.set(name, child);
    try {
      await this.#announce(child, options);
    } catch (error) {
      child.end();
      if (this.#children.get(name) === child) this.#children.delete(name);
      throw error;
    }
    return child;
  }

  /** Says that a child is gone, ends its iterators and forgets it. */
  async disconnectChild(name: string, options: PublishOptions = {}): Promise<void> {
    checkText("disconnect", "name", name);
    checkPublish(`disconnect ${name}`, options);
    this.#children.get(name)?.end();
    this.#children.delete(name);
    await this.#publish(`disconnect ${name}`, "gateway_disconnect", { device: name }, options);
  }

  /** The child of this name, if it is connected. */
  child(name: string): Child | undefined {
    return this.#children.get(name);
  }

  /** All children that are connected, in the order in which they were. */
  children(): IterableIterator<Child> {
    return this.#children.values();
  }

  /** Telemetry of many children in as few messages as the limits allow; children without entries are left out. */
  async sendChildTelemetry(children: Iterable<readonly [name: string, entries: readonly Entry[]]>, options: PublishOptions = {}): Promise<void> {
    return this.#sendTelemetry(children, options);
  }

  async sendChildAttributes(children: Iterable<readonly [name: string, values: MessageValues]>, options: PublishOptions = {}): Promise<void> {
    return this.#sendAttributes(children, options);
  }

  /** Sets the handler of RPC to children that have none of their own. */
  onChildRpc(handler: ChildRpcHandler | null): void {
    checkFunction("onChildRpc", "handler", handler ?? undefined);
    this.#handler = handler;
  }

  childRpcRequests(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<ChildRpcRequest> {
    return this.#add(this.#rpc, checkedSignal("childRpcRequests", options));
  }

  /** Shared attributes of all children, as they change. */
  childAttributes(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<ChildAttributesUpdate> {
    return this.#add(this.#attributes, checkedSignal("childAttributes", options));
  }

  override async stop(): Promise<void> {
    const stopped = super.stop();
    for (const queue of [...this.#link.subscriptions, ...this.#rpc, ...this.#attributes]) queue.end();
    await stopped;
  }

  #announce(child: Child, options: PublishOptions): Promise<void> {
    const doing = `connect ${child.name}`;
    const record = messageRecord({ device: child.name, type: child.type });
    return this.core.outbox.publish(doing, options, (module) => {
      const refused = module.counter(Stat.MessagesRefused);
      const id = module.send("gateway_connect", record, options);
      // A full outbox counts what it refuses. The table of children is not full for a while, but until one is disconnected.
      if (id === Status.Full && module.counter(Stat.MessagesRefused) === refused) throw errorOf(id, doing, { text: "children_buffer" });
      return id;
    });
  }

  async #publish(doing: string, verb: SendVerb, value: MessageValue, options: PublishOptions): Promise<void> {
    checkPublish(doing, options);
    const record = messageRecord(value);
    return this.core.outbox.publish(doing, options, (module) => module.send(verb, record, options));
  }

  async #sendTelemetry(children: Iterable<readonly [string, readonly Entry[]]>, options: PublishOptions): Promise<void> {
    const filled = [...merged(listOf("telemetry of children", children, Array.isArray))].filter(([, entries]) => entries.length > 0);
    const value = Object.fromEntries(filled.map(([name, entries]) => [name, entries.map(entryValue)]));
    return this.core.messages.send("telemetry of children", "gateway_telemetry", filled.length === 0 ? [] : value, options,
      () => filled.reduce((sum, [, entries]) => sum + countPoints(entries), 0), (limits) => splitChildTelemetry(filled, limits), this.#limits(), filled.length);
  }

  async #sendAttributes(children: Iterable<readonly [string, MessageValues]>, options: PublishOptions): Promise<void> {
    const listed = listOf("attributes of children", children, (values) => typeof values === "object" && values !== null);
    const isOnce = new Set(listed.map(([name]) => name)).size === listed.length;
    if (!isOnce) throw errorOf(Status.InvalidValue, "attributes of children", { text: "a child stands twice" });
    return this.core.messages.send("attributes of children", "gateway_attributes", Object.fromEntries(listed), options,
      () => countPoints(listed.map(([, values]) => values)), (limits) => splitChildAttributes(listed, limits), this.#limits(), listed.length);
  }

  async #requestAttributes(name: string, request: ChildAttributesRequest): Promise<Record<string, JsonValue>> {
    const doing = `attribute request for ${name}`;
    checkOptions(doing, request);
    const { scope, keys } = request;
    checkTexts(doing, "keys", keys);
    checkWord(doing, "scope", scope, ["client", "shared"]);
    // The server would take no key for all of both scopes.
    if (keys === undefined || keys.length === 0) throw errorOf(Status.InvalidValue, doing, { text: "keys" });
    const record = { id: 0, device: name, client: scope === "client", keys };
    const event = await this.core.requests.ask(doing, "gateway_request_attributes", record, ATTRIBUTES_TIMEOUT_MS, request);
    const { value, values } = attributesOf(parseAnswer(event, doing), doing);
    if (values !== undefined) return attributesOf(values, doing);
    if (value === undefined) return {};
    // Servers before 3.3 do not say which of several keys it is.
    if (keys.length > 1) throw errorOf(Status.Malformed, doing, { text: "value without its key" });
    return { [keys[0]!]: value };
  }

  #limits(): MessageLimits {
    return this.core.messageLimits(true);
  }

  #onEvent(event: ModuleEvent, release: Release): boolean {
    let isAccepted = true;
    if (event.kind === EventKind.Connected) for (const child of this.#children.values()) child.refresh();
    if (event.kind === EventKind.ChildAttributes) isAccepted = this.#takeAttributes(event, release);
    else if (event.kind === EventKind.ChildRpcRequest) isAccepted = this.#takeRpc(event, release);
    else return false;
    if (!isAccepted) release(false);
    return true;
  }

  #takeAttributes(event: ModuleEvent, release: Release): boolean {
    const child = childName(event);
    const data: unknown = event.value === "" ? undefined : JSON.parse(event.value);
    if (typeof data !== "object" || data === null || Array.isArray(data)) {
      this.core.inbound.tell({ type: "InvalidMessage", topic: child, reason: "WrongType" });
      return true;
    }
    const update = attributesUpdate(data as Record<string, JsonValue>, release);
    let isAccepted = this.#children.get(child)?.takeAttributes(update) ?? true;
    for (const queue of this.#attributes) isAccepted = queue.push(releasable({ ...update, child }, release)) && isAccepted;
    return isAccepted;
  }

  /** The server may also ask for a child that only its messages have named. */
  #takeRpc(event: ModuleEvent, release: Release): boolean {
    const name = childName(event);
    const child = this.#children.get(name) ?? new Child(name, undefined, this.#link);
    return child.takeRpc(event, release, this.#recent, this.#handler, this.#rpc);
  }

  #add<Item>(queues: Set<AsyncQueue<Item>>, signal: AbortSignal | undefined): AsyncQueue<Item> {
    const queue: AsyncQueue<Item> = new AsyncQueue<Item>(this.#queueMessages, () => queues.delete(queue), signal);
    queues.add(queue);
    return queue;
  }
}

/** The pairs of a name and what a message says of it, checked. */
function listOf<Item>(doing: string, children: Iterable<readonly [string, Item]>, isItem: (item: unknown) => boolean): (readonly [string, Item])[] {
  const isList = typeof children === "object" && children !== null && Symbol.iterator in children;
  const listed = isList ? [...children] : [null];
  for (const pair of listed) {
    if (!Array.isArray(pair) || typeof pair[0] !== "string" || !isItem(pair[1])) throw errorOf(Status.InvalidValue, doing, { text: "children" });
  }
  return listed as (readonly [string, Item])[];
}

/** A child that stands twice has its entries one behind the other. */
function merged(children: Iterable<readonly [string, readonly Entry[]]>): Map<string, readonly Entry[]> {
  const byName = new Map<string, readonly Entry[]>();
  for (const [name, entries] of children) byName.set(name, [...byName.get(name) ?? [], ...entries]);
  return byName;
}

/** The name as the event has it is JSON text without its quotes. */
function childName({ topic }: ModuleEvent): string {
  return JSON.parse(`"${topic}"`) as string;
}
