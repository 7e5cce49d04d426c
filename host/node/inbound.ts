// Hands what arrives to its readers: subscriptions, RPC handlers and iterators, attribute updates.

import { EventKind } from "../../build/generated/abi.ts";
import { attributesUpdate, AttributesSubscription, keysToRequest, type SubscribeAttributesOptions } from "./attributes.ts";
import type { LinkEvent } from "./events.ts";
import { parseAnswer, type ModuleEvent } from "./event-record.ts";
import { AsyncQueue } from "./queue.ts";
import type { Release } from "./release.ts";
import { handleRpc, RecentRequests, type RpcHandler, type RpcRequest } from "./rpc.ts";
import { matches, type Declaration } from "./subscription.ts";
import type { JsonValue, MessageValue } from "./values.ts";

/** Asks the server for shared attributes; null = for all. */
export type AskAttributes = (keys: readonly string[] | null) => Promise<Readonly<Record<string, JsonValue>>>;

/** RPC handlers that run at once; what comes meanwhile is not accepted. */
const HANDLERS_MAX = 64;
/** Link events kept for a slow reader; the oldest go first. */
const EVENTS_MAX = 256;

export class Inbound {
  readonly subscriptions = new Set<Declaration<unknown>>();
  rpcHandler: RpcHandler | null = null;
  /** Whether an app beside the client answers requests that nobody here takes. */
  isLeftToApp: () => boolean = () => false;
  readonly #rpc = new Set<AsyncQueue<RpcRequest>>();
  readonly #attributes = new Set<AttributesSubscription>();
  readonly #recent = new RecentRequests();
  readonly #events = new Set<AsyncQueue<LinkEvent>>();
  #handlersRunning = 0;

  constructor(private readonly queueMessages: number, private readonly sendReply: (id: number, value: MessageValue) => Promise<void>) {}

  rpcRequests(signal?: AbortSignal): AsyncIterableIterator<RpcRequest> {
    return this.#add(this.#rpc, this.queueMessages, signal);
  }

  sharedAttributes(keys: readonly string[] | undefined, options: SubscribeAttributesOptions): AttributesSubscription {
    const subscription: AttributesSubscription =
      new AttributesSubscription(keys, this.queueMessages, () => this.#attributes.delete(subscription), options);
    this.#attributes.add(subscription);
    return subscription;
  }

  events(signal?: AbortSignal): AsyncIterableIterator<LinkEvent> {
    return this.#add(this.#events, EVENTS_MAX, signal);
  }

  tell(event: LinkEvent): void {
    for (const queue of this.#events) queue.pushDroppingOldest(event);
  }

  /** Takes an inbound event; true when it was one. */
  take(event: ModuleEvent, release: Release): boolean {
    let isAccepted: boolean;
    if (event.kind === EventKind.Message) isAccepted = this.#message(event, release);
    else if (event.kind === EventKind.RpcRequest) isAccepted = this.#rpcRequest(event, release);
    else if (event.kind === EventKind.SharedAttributes) isAccepted = this.#attributesUpdate(event, release);
    else return false;
    if (!isAccepted) release(false);
    return true;
  }

  /** The connection ended inside a message: the only one that was on its way, whatever its topic. */
  aborted(): void {
    for (const subscription of this.subscriptions) subscription.aborted();
  }

  /** Asks for the shared attributes that somebody wants to know of; all of these, when not told whose. */
  refreshAttributes(ask: AskAttributes, whose: Iterable<AttributesSubscription> = this.#attributes): void {
    const refreshed = [...whose].filter(({ isRefreshed }) => isRefreshed);
    for (const keys of keysToRequest(refreshed)) {
      // What becomes of a request that fails is told by events().
      void ask(keys).then((values) => {
        for (const subscription of refreshed) subscription.takeAnswer(values, keys);
      }, () => {});
    }
  }

  subscribed(filter: string, isAccepted: boolean): void {
    for (const subscription of this.subscriptions) {
      if (subscription.filter !== filter) continue;
      if (isAccepted) subscription.accepted();
      else subscription.refused();
    }
  }

  endAll(): void {
    for (const queue of [...this.subscriptions, ...this.#rpc, ...this.#attributes, ...this.#events]) queue.end();
  }

  #message(event: ModuleEvent, release: Release): boolean {
    let isAccepted = true;
    for (const subscription of this.subscriptions) {
      if (!matches(subscription.filter, event.topic)) continue;
      const taken = subscription.take(event, release);
      if (taken === "refused") isAccepted = false;
      if (taken === "too large") this.tell({ type: "MessageTooLarge", id: 0, topic: event.topic, bytesNeeded: event.total });
    }
    return isAccepted;
  }

  #rpcRequest(event: ModuleEvent, release: Release): boolean {
    if (this.rpcHandler === null && this.#rpc.size === 0 && this.isLeftToApp()) return true;
    const request = this.#recent.take(event, (value) => this.sendReply(event.id, value), release);
    if (request === null) return true;
    const handler = this.rpcHandler;
    if (handler === null && this.#rpc.size === 0) {
      // Said at once, so that nobody waits for an answer that will not come.
      void request.reply({ error: "no handler" }).catch(() => {});
      return true;
    }
    if (handler !== null && this.#handlersRunning >= HANDLERS_MAX) {
      this.#recent.forget(event);
      return false;
    }
    const isAccepted = push(this.#rpc, request);
    if (!isAccepted && handler === null) this.#recent.forget(event);
    if (handler !== null) {
      this.#handlersRunning++;
      void handleRpc(handler, request).finally(() => this.#handlersRunning--);
    }
    return isAccepted;
  }

  #attributesUpdate(event: ModuleEvent, release: Release): boolean {
    const update = attributesUpdate(parseAnswer(event, "shared attributes") as Record<string, JsonValue>, release);
    let isAccepted = true;
    for (const subscription of this.#attributes) isAccepted = subscription.take(update) && isAccepted;
    return isAccepted;
  }

  #add<T>(queues: Set<AsyncQueue<T>>, capacity: number, signal: AbortSignal | undefined): AsyncQueue<T> {
    const queue: AsyncQueue<T> = new AsyncQueue<T>(capacity, () => queues.delete(queue), signal);
    queues.add(queue);
    return queue;
  }
}

function push<T>(queues: Set<AsyncQueue<T>>, item: T): boolean {
  let isAccepted = true;
  for (const queue of queues) isAccepted = queue.push(item) && isAccepted;
  return isAccepted;
}
