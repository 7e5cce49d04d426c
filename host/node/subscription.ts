// One subscription: an async iterator of messages, put together from the parts in which the module delivers them.

import { EventFlag, Status } from "../../build/generated/abi.ts";
import { errorOf, SubscriptionRefusedError } from "./errors.ts";
import type { ModuleEvent } from "./event-record.ts";
import { AsyncQueue } from "./queue.ts";
import { releasable, type Releasable, type Release } from "./release.ts";

/** A message, or with the option `parts` a part of one. */
export interface Message extends Releasable {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly dup: boolean;
  /** Bytes of the whole payload, and where this part begins in it. */
  readonly total: number;
  readonly offset: number;
}

export interface SubscribeOptions {
  readonly qos?: 0 | 1 | undefined;
  /** Deliver parts as they come, of any message, instead of whole messages. */
  readonly parts?: boolean | undefined;
  /** Bytes of the largest message that is put together; larger ones are passed over, and `events()` tells. */
  readonly messageBytesMax?: number | undefined;
  /** Messages that wait for the reader; what comes then is not accepted (ABI.md, section 6). */
  readonly queueMessages?: number | undefined;
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
}

export type Taken = "accepted" | "refused" | "too large";

const MESSAGE_BYTES_MAX = 65536;
const QUEUE_MESSAGES = 64;

/** A subscription as it is declared to the module, whatever is made of its messages. */
export abstract class Declaration<Item> extends AsyncQueue<Item> {
  /** Resolves when the server has accepted the subscription for the first time. */
  readonly ready: Promise<void>;
  #settleReady!: (error?: unknown) => void;

  constructor(readonly filter: string, readonly qos: 0 | 1, options: SubscribeOptions, onEnd: () => void) {
    super(options.queueMessages ?? QUEUE_MESSAGES, onEnd, options.signal);
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Who does not wait for `ready` learns of a refusal from the iterator.
    this.ready.catch(() => {});
  }

  /** Takes a message or a part of one. */
  abstract take(event: ModuleEvent, release: Release): Taken;
  /** The connection ended inside a message. */
  abstract aborted(): void;

  accepted(): void {
    this.#settleReady();
  }

  refused(): void {
    const error = new SubscriptionRefusedError(Status.NotFound, `subscribe to ${this.filter}`, { text: "refused by the server" });
    this.#settleReady(error);
    this.end(error);
  }

  unsubscribe(): void {
    this.end();
  }

  override end(error?: unknown): void {
    super.end(error);
    this.#settleReady(error ?? errorOf(Status.Requested, `subscribe to ${this.filter}`));
  }
}

/** Whole messages, or parts as they come. */
export class Subscription extends Declaration<Message> {
  readonly isParts: boolean;
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];
  /** Of the parts that came. */
  #bytes = 0;

  constructor(filter: string, qos: 0 | 1, options: SubscribeOptions, onEnd: () => void) {
    super(filter, qos, options, onEnd);
    this.isParts = options.parts ?? false;
    this.#bytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX;
  }

  override take(event: ModuleEvent, release: Release): Taken {
    const { topic, flags, payload, total, offset } = event;
    const isLast = (flags & EventFlag.Last) !== 0;
    const message = {
      topic, payload, total, offset,
      qos: flags & EventFlag.Qos1 ? 1 : 0 as 0 | 1,
      retain: (flags & EventFlag.Retain) !== 0,
      dup: (flags & EventFlag.Dup) !== 0,
    };
    if (this.isParts) return this.push(releasable(message, release)) ? "accepted" : "refused";
    if (offset === 0) this.aborted();
    if (total > this.#bytesMax) return isLast ? "too large" : "accepted";
    // The message had begun before there was this subscription.
    if (offset !== this.#bytes) return "accepted";
    this.#parts.push(payload);
    this.#bytes += payload.length;
    if (!isLast) return "accepted";
    const whole = this.#parts.length === 1 ? payload : new Uint8Array(Buffer.concat(this.#parts));
    this.aborted();
    return this.push(releasable({ ...message, payload: whole, offset: 0 }, release)) ? "accepted" : "refused";
  }

  override aborted(): void {
    this.#parts = [];
    this.#bytes = 0;
  }
}

/** Whether a topic matches a filter [MQTT-4.7]; `$` topics are not matched by a wildcard in front [MQTT-4.7.2-1]. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && (filter.startsWith("+") || filter.startsWith("#"))) return false;
  const levels = topic.split("/");
  const wanted = filter.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return true;
    if (index >= levels.length || (level !== "+" && level !== levels[index])) return false;
  }
  return levels.length === wanted.length;
}
