// Server-side RPC: requests as objects, and handlers whose result or exception becomes the reply.

import { EventFlag, Status } from "../../build/generated/abi.ts";
import { MoteError, textOf } from "./errors.ts";
import type { ModuleEvent } from "./event-record.ts";
import { releasable, type Releasable, type Release } from "./release.ts";
import type { JsonValue, MessageValue } from "./values.ts";

export interface RpcRequest extends Releasable {
  readonly id: number;
  readonly method: string;
  /** The parameters, undefined when there are none. */
  readonly params: JsonValue | undefined;
  /** Their text, for numbers that JavaScript cannot hold. */
  readonly paramsText: string;
  /** Resolves as a publish does. A one-way request needs no reply. */
  reply(value: MessageValue): Promise<void>;
}

/** Answers the reply; `undefined` sends none, an exception sends `{"error": its message}`. */
export type RpcHandler = (request: RpcRequest) => MessageValue | Promise<MessageValue> | void | Promise<void>;

export type SendReply = (value: MessageValue) => Promise<void>;

/** Requests whose replies are kept, more than the module compares with. */
const RECENT_MAX = 32;

/** Answers a request that the server repeats, as it does after each reconnect, without running anything twice. */
export class RecentRequests {
  /** The last reply by request; undefined while there is none. */
  readonly #replies = new Map<string, MessageValue>();

  /** The request for its reader, or null when it was one already: then its reply, if it has one, is sent again. */
  take(event: ModuleEvent, send: SendReply, release: Release): RpcRequest | null {
    const { id, name, value, topic, flags } = event;
    const key = JSON.stringify([topic, id, name, value]);
    if ((flags & EventFlag.Repeated) !== 0 && this.#replies.has(key)) {
      const reply = this.#replies.get(key);
      if (reply !== undefined) void send(reply).catch(() => {});
      return null;
    }
    this.#replies.delete(key);
    if (this.#replies.size >= RECENT_MAX) this.#replies.delete(this.#replies.keys().next().value!);
    this.#replies.set(key, undefined);
    return releasable({
      id,
      method: JSON.parse(`"${name}"`) as string,
      params: value === "" ? undefined : (JSON.parse(value) as JsonValue),
      paramsText: value,
      reply: async (answer: MessageValue) => {
        await send(answer);
        if (this.#replies.has(key)) this.#replies.set(key, answer);
      },
    }, (isAccepted) => {
      release(isAccepted);
      if (!isAccepted) this.forget(event);
    });
  }

  /** The request was not accepted, so its next delivery is not a repetition. */
  forget({ topic, id, name, value }: ModuleEvent): void {
    this.#replies.delete(JSON.stringify([topic, id, name, value]));
  }
}

function errorReply(error: unknown): MessageValue {
  return { error: textOf(error) };
}

/** Runs a handler to its end. What cannot be sent is answered by its reason, so that the caller does not wait in vain. */
export async function handleRpc<Request extends RpcRequest>(
  handler: (request: Request) => ReturnType<RpcHandler>, request: Request,
): Promise<void> {
  let answer: MessageValue | void;
  try {
    answer = await handler(request);
  } catch (error) {
    answer = errorReply(error);
  }
  if (answer === undefined) return;
  try {
    await request.reply(answer);
  } catch (error) {
    if (error instanceof MoteError && ENDED.has(error.code)) return;
    await request.reply(errorReply(error)).catch(() => {});
  }
}

/** The connection or the client ended: nobody is left to be told. */
const ENDED: ReadonlySet<number> = new Set([Status.Requested, Status.Trapped, Status.Full, Status.BadState]);
