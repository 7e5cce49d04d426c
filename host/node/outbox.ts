// The promises of messages on their way: those that wait for room in the module's outbox, and those that wait for an answer.

import { MESSAGE_ID_MAX, Stat, Status } from "../../build/generated/abi.ts";
import { errorOf, FullError, type MoteError } from "./errors.ts";
import type { ClientModule } from "./module.ts";
import type { Runner } from "./runner.ts";

export interface SendOptions {
  /** Ends the wait; a message that is already in the outbox is sent all the same. */
  readonly signal?: AbortSignal | undefined;
  /** What to do while the outbox is full; the client's option when absent. */
  readonly whenFull?: "wait" | "reject" | undefined;
  /** Told when the message has entered the outbox: its packet id, 0 at QoS 0. */
  readonly onAppended?: ((id: number) => void) | undefined;
}

export interface Deferred<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Appends to the module's outbox: an id, 0, or a Status. */
export type Append = (module: ClientModule) => number;

/** Whether a message was appended before another one, or is that one: of all that are in the outbox no two are half a turn apart. */
function isUpTo(id: number, last: number): boolean {
  return (last - id + MESSAGE_ID_MAX) % MESSAGE_ID_MAX < MESSAGE_ID_MAX / 2;
}

/** Stands for a caller who was told already, while the message is still in the outbox. */
const NOBODY: Deferred<void> = { resolve: () => {}, reject: () => {} };

interface Waiting {
  readonly append: Append;
  readonly doing: string;
  readonly onAppended: (id: number) => void;
  readonly deferred: Deferred<never>;
}

export class Outbox {
  /** Messages, and requests apart from them: what these wait for may be the answer to another request, and no message should. */
  readonly #messages: Waiting[] = [];
  readonly #requests: Waiting[] = [];
  /** QoS 1 messages without PUBACK, in the order in which they were appended. */
  readonly #unacknowledged = new Map<number, Deferred<void>>();
  /** Ids, or 0 at QoS 0, of messages that were never handed to the port, in the same order. */
  readonly #unsent: number[] = [];
  #firstSends = 0;
  #dropped = 0;
  #lastDroppedId = 0;

  constructor(
    private readonly runner: () => Runner,
    private readonly waitingMax: number,
    private readonly whenFull: "wait" | "reject",
  ) {}

  get waiting(): number {
    return this.#messages.length + this.#requests.length;
  }

  get unacknowledged(): number {
    return this.#unacknowledged.size;
  }

  /** A publish: resolves when it was appended (QoS 0) or acknowledged (QoS 1). */
  publish(doing: string, options: SendOptions, append: Append): Promise<void> {
    return this.#submit<void>(this.#messages, doing, options, append, (id, deferred) => {
      this.#unsent.push(id);
      if (id > 0) this.#unacknowledged.set(id, deferred);
      // What the callback throws comes before the end that QoS 0 has here.
      options.onAppended?.(id);
      if (id === 0) deferred.resolve();
    });
  }

  /** A request: `onAppended` gets its id and what to settle. */
  request<T>(doing: string, options: SendOptions, append: Append, onAppended: (id: number, deferred: Deferred<T>) => void): Promise<T> {
    return this.#submit(this.#requests, doing, options, append, onAppended);
  }

  /** Appends as soon as there is room. */
  #submit<T>(queue: Waiting[], doing: string, options: SendOptions, append: Append, onAppended: (id: number, deferred: Deferred<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { signal } = options;
      signal?.throwIfAborted();
      const onAbort = (): void => {
        const index = queue.indexOf(waiting);
        if (index >= 0) queue.splice(index, 1);
        reject(signal!.reason);
      };
      const settled = (): void => signal?.removeEventListener("abort", onAbort);
      const deferred: Deferred<T> = {
        resolve: (value) => { settled(); resolve(value); },
        reject: (error) => { settled(); reject(error); },
      };
      const waiting: Waiting = { append, doing, deferred, onAppended: (id) => onAppended(id, deferred) };
      signal?.addEventListener("abort", onAbort, { once: true });
      // Those that wait keep their place.
      if (queue.length === 0 && this.#attempt(waiting)) return;
      if ((options.whenFull ?? this.whenFull) === "reject") deferred.reject(errorOf(Status.Full, doing));
      else if (this.waiting < this.waitingMax) queue.push(waiting);
      else deferred.reject(errorOf(Status.Full, doing, { text: `${this.waitingMax} messages wait already` }));
    });
  }

  /** Tells of what was dropped, also for messages that the module sends by itself, and appends what waits, as far as there is room. */
  retry(): void {
    const { module } = this.runner();
    if (module !== null) this.#follow(module);
    for (const queue of [this.#messages, this.#requests]) {
      for (let first = queue.shift(); first !== undefined; first = queue.shift()) {
        if (this.#attempt(first)) continue;
        queue.unshift(first);
        break;
      }
    }
  }

  delivered(id: number): void {
    this.#take(id)?.resolve();
  }

  rejected(id: number, error: MoteError): void {
    this.#take(id)?.reject(error);
  }

  /** Ends every wait; the messages themselves stay in the module's outbox. */
  abandon(error: MoteError): void {
    for (const queue of [this.#messages, this.#requests]) for (const { deferred } of queue.splice(0)) deferred.reject(error);
    for (const [id, deferred] of this.#unacknowledged) {
      deferred.reject(error);
      this.#unacknowledged.set(id, NOBODY);
    }
  }

  /** The module trapped: what its memory held is lost. Answers how many messages that were. */
  lost(dead: ClientModule, error: MoteError): number {
    this.#follow(dead);
    const lost = this.#unacknowledged.size + this.#unsent.filter((id) => id === 0).length;
    for (const id of [...this.#unacknowledged.keys()]) this.#take(id)?.reject(error);
    this.#unsent.length = 0;
    this.#firstSends = this.#dropped = this.#lastDroppedId = 0;
    return lost;
  }

  /** True when it is settled or on its way, false when it has to wait. */
  #attempt({ append, doing, onAppended, deferred }: Waiting): boolean {
    let result: number;
    try {
      result = this.runner().ask((module) => {
        const id = append(module);
        this.#follow(module);
        if (id < 0 && id !== Status.Full) module.require(id, doing);
        return id;
      }) ?? Status.Full;
    } catch (error) {
      deferred.reject(error);
      return true;
    }
    // A refusal gives the module nothing to do; to wake it for that in each turn would never end while messages wait.
    if (result === Status.Full) return false;
    this.runner().wake();
    try {
      onAppended(result);
    } catch (error) {
      // A callback of the caller: what it throws is the caller's, and the message is on its way.
      deferred.reject(error);
    }
    return true;
  }

  /** Follows the module's outbox by its counters: which messages were sent, which were dropped to make room. */
  #follow(module: ClientModule): void {
    const firstSends = (module.counter(Stat.MessagesSent) - module.counter(Stat.MessagesResent)) >>> 0;
    this.#unsent.splice(0, (firstSends - this.#firstSends) >>> 0);
    this.#firstSends = firstSends;
    const messagesDropped = module.counter(Stat.MessagesDropped);
    let dropped = (messagesDropped - this.#dropped) >>> 0;
    if (dropped === 0) return;
    this.#dropped = messagesDropped;
    // What is dropped is the oldest, so everything up to the last id is; a request among it has no promise here.
    const lastDroppedId = module.counter(Stat.LastDroppedId);
    for (const id of lastDroppedId === this.#lastDroppedId ? [] : this.#unacknowledged.keys()) {
      if (!isUpTo(id, lastDroppedId)) break;
      const unsent = this.#unsent.indexOf(id);
      if (unsent >= 0) this.#unsent.splice(unsent, 1);
      dropped--;
      this.rejected(id, new FullError(Status.Full, "dropped for a newer message"));
    }
    this.#lastDroppedId = lastDroppedId;
    // The others were told when they were appended: at QoS 0 nobody waits.
    for (; dropped > 0 && this.#unsent[0] === 0; dropped--) this.#unsent.shift();
  }

  #take(id: number): Deferred<void> | undefined {
    const deferred = this.#unacknowledged.get(id);
    this.#unacknowledged.delete(id);
    return deferred;
  }
}
