// Hands what arrives to its readers: subscriptions, RPC handlers and iterators, attribute updates.

import { EventKind, Release } from "../../build/generated/abi.ts";
import type { LinkEvent } from "./events.ts";
import type { ClientModule, ModuleEvent } from "./module.ts";
import { AsyncQueue } from "./queue.ts";
import { handleRpc, rpcRequest, type RpcHandler, type RpcRequest, type SendReply } from "./rpc.ts";
import { matches, type Subscription } from "./subscription.ts";
import type { JsonValue } from "./values.ts";

/** Shared attributes that changed, and the names of those that were deleted. */
export interface AttributesUpdate {
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly deleted: readonly string[];
}

/** RPC handlers that run at once; what comes meanwhile is not accepted. */
const HANDLERS_MAX = 64;
/** Link events kept for a slow reader; the oldest go first. */
const EVENTS_MAX = 256;

export class Inbound {
  readonly subscriptions = new Set<Subscription>();
  rpcHandler: RpcHandler | null = null;
  readonly #rpc = new Set<AsyncQueue<RpcRequest>>();
  readonly #attributes = new Set<AsyncQueue<AttributesUpdate>>();
  readonly #events = new Set<AsyncQueue<LinkEvent>>();
  #handlersRunning = 0;

  constructor(private readonly queueMessages: number, private readonly sendReply: SendReply) {}

  rpcRequests(signal?: AbortSignal): AsyncIterableIterator<RpcRequest> {
    return this.#add(this.#rpc, this.queueMessages, signal);
  }

  sharedAttributes(signal?: AbortSignal): AsyncIterableIterator<AttributesUpdate> {
    return this.#add(this.#attributes, this.queueMessages, signal);
  }

  events(signal?: AbortSignal): AsyncIterableIterator<LinkEvent> {
    return this.#add(this.#events, EVENTS_MAX, signal);
  }

  tell(event: LinkEvent): void {
    for (const queue of this.#events) queue.pushDroppingOldest(event);
  }

  /** Takes an inbound event; true when it was one. */
  take(event: ModuleEvent, module: ClientModule): boolean {
    let isAccepted: boolean;
    if (event.kind === EventKind.Message) isAccepted = this.#message(event);
    else if (event.kind === EventKind.RpcRequest) isAccepted = this.#rpcRequest(event);
    else if (event.kind === EventKind.SharedAttributes) isAccepted = push(this.#attributes, attributesUpdate(event));
    else return false;
    if (!isAccepted) module.release(Release.NotAccepted);
    return true;
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

  #message(event: ModuleEvent): boolean {
    let isAccepted = true;
    for (const subscription of this.subscriptions) {
      if (!matches(subscription.filter, event.topic)) continue;
      const taken = subscription.take(event);
      if (taken === "refused") isAccepted = false;
      if (taken === "too large") this.tell({ type: "MessageTooLarge", id: 0, topic: event.topic, bytesNeeded: event.total });
    }
    return isAccepted;
  }

  #rpcRequest(event: ModuleEvent): boolean {
    const request = rpcRequest(event, this.sendReply);
    const handler = this.rpcHandler;
    if (handler === null && this.#rpc.size === 0) {
      // Said at once, so that nobody waits for an answer that will not come.
      void request.reply({ error: "no handler" }).catch(() => {});
      return true;
    }
    if (handler !== null) {
      if (this.#handlersRunning >= HANDLERS_MAX) return false;
      this.#handlersRunning++;
      void handleRpc(handler, request).finally(() => this.#handlersRunning--);
    }
    return push(this.#rpc, request);
  }

  #add<T>(queues: Set<AsyncQueue<T>>, capacity: number, signal: AbortSignal | undefined): AsyncQueue<T> {
    signal?.throwIfAborted();
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

function attributesUpdate(event: ModuleEvent): AttributesUpdate {
  const document = JSON.parse(Buffer.from(event.payload).toString("utf8")) as Record<string, JsonValue>;
  // A deletion is told by its type alone; the platform never mixes it with values.
  const { deleted, ...values } = document;
  if (Array.isArray(deleted) && deleted.every((name) => typeof name === "string")) return { values, deleted };
  return { values: document, deleted: [] };
}
