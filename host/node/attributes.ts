// Subscriptions to shared attributes: per key or for all, asked for again after each reconnect, since the server repeats nothing.

import { checkedSignal, checkFunction, checkTexts } from "./check.ts";
import { textOf } from "./errors.ts";
import { AsyncQueue } from "./queue.ts";
import { notLent, releasable, type Releasable, type Release } from "./release.ts";
import type { JsonValue } from "./values.ts";

/** Shared attributes that changed, and the names of those that were deleted. */
export interface AttributesUpdate extends Releasable {
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly deleted: readonly string[];
}

export type AttributesHandler = (update: AttributesUpdate) => void | Promise<void>;

export interface SubscribeAttributesOptions {
  /** Called for each update, in order, in place of reading the iterator. */
  readonly handler?: AttributesHandler | undefined;
  /** Ask for the values now and after each reconnect, and tell what differs; true when absent. */
  readonly refresh?: boolean | undefined;
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
}

/** Values remembered to tell what changed while there was no connection; the oldest are forgotten, and then told again. */
const KNOWN_MAX = 1024;
/** UTF-16 units of keys in one request, so that small staging areas take it. */
const REQUEST_KEYS_LENGTH = 120;

/** An async iterator of updates; leaving it, `unsubscribe` and the signal end it, also from inside a handler. */
export class AttributesSubscription extends AsyncQueue<AttributesUpdate> {
  readonly keys: ReadonlySet<string> | null;
  readonly isRefreshed: boolean;
  readonly #known = new Map<string, string>();

  constructor(keys: readonly string[] | undefined, capacity: number, onEnd: () => void, options: SubscribeAttributesOptions) {
    const signal = checkedSignal("subscribeAttributes", options);
    checkFunction("subscribeAttributes", "handler", options.handler);
    checkTexts("subscribeAttributes", "keys", keys);
    super(capacity, onEnd, signal);
    this.keys = keys === undefined ? null : new Set(keys);
    this.isRefreshed = options.refresh ?? true;
    if (options.handler !== undefined) void this.#run(options.handler);
  }

  /** Takes an update of the server; false when the reader is too slow. */
  take({ values, deleted, release }: AttributesUpdate): boolean {
    const update = {
      values: this.#wanted(values),
      deleted: deleted.filter((key) => this.keys?.has(key) ?? true),
    };
    return this.#tell(releasable(update, release));
  }

  /** Takes the answer to a request for `asked`, or for all: only what differs from the last update is told. */
  takeAnswer(values: Readonly<Record<string, JsonValue>>, asked: readonly string[] | null): void {
    const wanted = this.#wanted(values);
    const changed = Object.entries(wanted).filter(([key, value]) => this.#known.get(key) !== JSON.stringify(value));
    const isAsked = (key: string): boolean => asked === null || asked.includes(key);
    const deleted = [...this.#known.keys()].filter((key) => isAsked(key) && !Object.hasOwn(values, key));
    this.#tell(releasable({ values: Object.fromEntries(changed), deleted }, notLent));
  }

  unsubscribe(): void {
    this.end();
  }

  #tell(update: AttributesUpdate): boolean {
    if (Object.keys(update.values).length === 0 && update.deleted.length === 0) return true;
    if (!this.push(update)) return false;
    for (const key of update.deleted) this.#known.delete(key);
    for (const [key, value] of Object.entries(update.values)) {
      this.#known.delete(key);
      if (this.#known.size >= KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(key, JSON.stringify(value));
    }
    return true;
  }

  #wanted(values: Readonly<Record<string, JsonValue>>): Record<string, JsonValue> {
    return Object.fromEntries(Object.entries(values).filter(([key]) => this.keys?.has(key) ?? true));
  }

  async #run(handler: AttributesHandler): Promise<void> {
    for await (const update of this) {
      try {
        await handler(update);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : textOf(error), { code: "MOTE_HANDLER_FAILED" });
      }
      // What came before it was unsubscribed is not told any more.
      if (this.isEnded) return;
    }
  }
}

/** The requests after a reconnect: lists of keys, or null for all. A key with a comma cannot be asked for (ThingsBoard, attribute request). */
export function keysToRequest(subscriptions: Iterable<AttributesSubscription>): (readonly string[] | null)[] {
  const union = new Set<string>();
  for (const { keys } of subscriptions) {
    if (keys === null) return [null];
    for (const key of keys) if (!key.includes(",") && key !== "") union.add(key);
  }
  const requests: string[][] = [];
  let length = Infinity;
  for (const key of union) {
    if (length + key.length > REQUEST_KEYS_LENGTH) {
      requests.push([]);
      length = 0;
    }
    requests.at(-1)!.push(key);
    length += key.length + 1;
  }
  return requests;
}

/** A deletion is told by its type alone; the platform never mixes it with values. */
export function attributesUpdate(document: Record<string, JsonValue>, release: Release): AttributesUpdate {
  const { deleted, ...values } = document;
  const isDeletion = Array.isArray(deleted) && deleted.every((name) => typeof name === "string");
  return releasable(isDeletion ? { values, deleted } : { values: document, deleted: [] }, release);
}
