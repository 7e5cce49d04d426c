// A child device of a gateway, as a small client of its own.

import { checkedSignal, checkFunction } from "./check.ts";
import { AsyncQueue } from "./queue.ts";
import { AttributesSubscription, type AttributesUpdate, type SubscribeAttributesOptions } from "./attributes.ts";
import { releasable, type Release } from "./release.ts";
import { handleRpc, type RecentRequests, type RpcRequest } from "./rpc.ts";
import type { ModuleEvent } from "./event-record.ts";
import type { Claim, PublishOptions, RequestOptions } from "./options.ts";
import type { Entry, JsonValue, MessageValue, MessageValues } from "./values.ts";

/** A server-side RPC to a child; ids count for each child on its own. */
export interface ChildRpcRequest extends RpcRequest {
  readonly child: string;
}

export type ChildRpcHandler = (request: ChildRpcRequest) => MessageValue | Promise<MessageValue> | void | Promise<void>;

export interface ChildAttributesUpdate extends AttributesUpdate {
  readonly child: string;
}

/** Attributes of one scope, the only way in which a gateway may ask. */
export interface ChildAttributesRequest extends RequestOptions {
  readonly scope: "client" | "shared";
  readonly keys: readonly string[];
}

/** What a child needs of its gateway. */
export interface ChildLink {
  readonly queueMessages: number;
  /** Of all children, also of those that the gateway has forgotten: they end with it. */
  readonly subscriptions: Set<AttributesSubscription>;
  sendTelemetry(children: Iterable<readonly [string, readonly Entry[]]>, options: PublishOptions): Promise<void>;
  sendAttributes(children: Iterable<readonly [string, MessageValues]>, options: PublishOptions): Promise<void>;
  requestAttributes(name: string, request: ChildAttributesRequest): Promise<Record<string, JsonValue>>;
  claim(name: string, claim: Claim, options: PublishOptions): Promise<void>;
  reply(name: string, id: number, value: MessageValue): Promise<void>;
  /** Whether an app beside the client answers requests that nobody here takes. */
  isLeftToApp(): boolean;
}

/** RPC handlers of one child that run at once; what comes meanwhile is not accepted. */
const HANDLERS_MAX = 16;

export class Child {
  readonly #link: ChildLink;
  readonly #attributes = new Set<AttributesSubscription>();
  #handler: ChildRpcHandler | null = null;
  #handlersRunning = 0;

  constructor(readonly name: string, readonly type: string | undefined, link: ChildLink) {
    this.#link = link;
  }

  /** As `DeviceClient.sendTelemetry`; a list is never sent empty. */
  async sendTelemetry(telemetry: Entry | readonly Entry[], options: PublishOptions = {}): Promise<void> {
    const entries = Array.isArray(telemetry) ? telemetry as readonly Entry[] : [telemetry as Entry];
    return this.#link.sendTelemetry([[this.name, entries]], options);
  }

  async sendAttributes(values: MessageValues, options: PublishOptions = {}): Promise<void> {
    return this.#link.sendAttributes([[this.name, values]], options);
  }

  /** The attributes that there are of those that were asked for. */
  async requestAttributes(request: ChildAttributesRequest): Promise<Record<string, JsonValue>> {
    return this.#link.requestAttributes(this.name, request);
  }

  async claim(claim: Claim = {}, options: PublishOptions = {}): Promise<void> {
    return this.#link.claim(this.name, claim, options);
  }

  /** Sets the handler of RPC to this child, in place of the gateway's; null removes it. */
  onRpc(handler: ChildRpcHandler | null): void {
    checkFunction("onRpc", "handler", handler ?? undefined);
    this.#handler = handler;
  }

  /** Shared attributes of these keys, or of all, as they change. After a reconnect those of named keys are asked for again. */
  subscribeAttributes(keys?: readonly string[], options: SubscribeAttributesOptions = {}): AttributesSubscription {
    const subscription: AttributesSubscription =
      new AttributesSubscription(keys, this.#link.queueMessages, () => {
        this.#attributes.delete(subscription);
        this.#link.subscriptions.delete(subscription);
      }, options);
    this.#attributes.add(subscription);
    this.#link.subscriptions.add(subscription);
    return subscription;
  }

  sharedAttributes(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<AttributesUpdate> {
    return this.subscribeAttributes(undefined, { signal: checkedSignal("sharedAttributes", options) });
  }

  /** @internal False when a reader is too slow. */
  takeAttributes(update: AttributesUpdate): boolean {
    let isAccepted = true;
    for (const subscription of this.#attributes) isAccepted = subscription.take(update) && isAccepted;
    return isAccepted;
  }

  /** @internal Asks again for what subscriptions name; all attributes of a scope cannot be asked for. */
  refresh(): void {
    for (const subscription of this.#attributes) {
      const keys = [...subscription.keys ?? []].filter((key) => !key.includes(","));
      if (!subscription.isRefreshed || keys.length === 0) continue;
      void this.requestAttributes({ scope: "shared", keys }).then((values) => subscription.takeAnswer(values, keys), () => {});
    }
  }

  /** @internal False when it is not accepted. What is passed is the gateway's. */
  takeRpc(
    event: ModuleEvent, release: Release, recent: RecentRequests, fallback: ChildRpcHandler | null, queues: ReadonlySet<AsyncQueue<ChildRpcRequest>>,
  ): boolean {
    const handler = this.#handler ?? fallback;
    if (handler === null && queues.size === 0 && this.#link.isLeftToApp()) return true;
    const request = recent.take(event, (value) => this.#link.reply(this.name, event.id, value), release);
    if (request === null) return true;
    const asked: ChildRpcRequest = releasable({ ...request, child: this.name }, request.release);
    if (handler === null && queues.size === 0) {
      void asked.reply({ error: "no handler" }).catch(() => {});
      return true;
    }
    if (handler !== null && this.#handlersRunning >= HANDLERS_MAX) {
      recent.forget(event);
      return false;
    }
    let isAccepted = true;
    for (const queue of queues) isAccepted = queue.push(asked) && isAccepted;
    if (!isAccepted && handler === null) recent.forget(event);
    if (handler !== null) {
      this.#handlersRunning++;
      void handleRpc(handler, asked).finally(() => this.#handlersRunning--);
    }
    return isAccepted;
  }

  /** @internal */
  end(): void {
    for (const subscription of [...this.#attributes]) subscription.end();
  }
}
