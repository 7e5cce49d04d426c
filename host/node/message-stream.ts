// Messages of any size as streams: each is told with its first part, and its payload follows as it arrives.

import { EventFlag, Status } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";
import type { ModuleEvent } from "./event-record.ts";
import { AsyncQueue } from "./queue.ts";
import { notLent, releasable, type Release } from "./release.ts";
import { Declaration, type Message, type SubscribeOptions, type Taken } from "./subscription.ts";

export interface StreamedMessage extends Omit<Message, "payload" | "offset"> {
  /** The payload in parts; throws a DisconnectedError when the connection ends inside it, a FullError when its reader is too slow. */
  readonly body: AsyncIterableIterator<Uint8Array>;
}

/** Parts of one message that wait for its reader. */
const PARTS_MAX = 256;

export class StreamSubscription extends Declaration<StreamedMessage> {
  readonly #partsMax: number;
  #body: AsyncQueue<Uint8Array> | null = null;
  /** Of the part that came last. */
  #release: Release = notLent;

  constructor(filter: string, qos: 0 | 1, options: SubscribeOptions & { readonly partsMax?: number | undefined }, onEnd: () => void) {
    super(filter, qos, options, onEnd);
    this.#partsMax = options.partsMax ?? PARTS_MAX;
  }

  override take({ topic, flags, payload, total, offset }: ModuleEvent, release: Release): Taken {
    this.#release = release;
    if (offset === 0) {
      // A client that was halted inside a message tells nobody of its end.
      this.aborted();
      this.#body = new AsyncQueue<Uint8Array>(this.#partsMax);
      const message = {
        topic, total, body: this.#body, qos: flags & EventFlag.Qos1 ? 1 : 0,
        retain: (flags & EventFlag.Retain) !== 0, dup: (flags & EventFlag.Dup) !== 0,
      } as const;
      if (!this.push(releasable(message, (isAccepted) => this.#release(isAccepted)))) {
        this.#body = null;
        return "refused";
      }
    }
    const body = this.#body;
    // Of a message that had begun before nothing is for this reader, nor of one that was refused.
    if (body === null) return "accepted";
    // A body whose reader has left takes nothing more, which is its right.
    const isTaken = payload.length === 0 || body.isEnded || body.push(payload);
    if (!isTaken) body.end(errorOf(Status.Full, `message to ${topic}`));
    if (!isTaken || (flags & EventFlag.Last) !== 0) this.#body = null;
    if (isTaken && (flags & EventFlag.Last) !== 0) body.end();
    return isTaken ? "accepted" : "refused";
  }

  override aborted(): void {
    this.#body?.end(errorOf(Status.ConnectionClosed, "message"));
    this.#body = null;
  }

  override end(error?: unknown): void {
    super.end(error);
    this.#body?.end(error);
    this.#body = null;
  }
}
