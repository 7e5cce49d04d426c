// Server-side RPC: requests as objects, and handlers whose result or exception becomes the reply.

import { Status } from "../../build/generated/abi.ts";
import { MoteError } from "./errors.ts";
import type { ModuleEvent } from "./module.ts";
import type { JsonValue, MessageValue } from "./values.ts";

export interface RpcRequest {
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

export type SendReply = (id: number, value: MessageValue) => Promise<void>;

export function rpcRequest(event: ModuleEvent, send: SendReply): RpcRequest {
  const { id, name, value } = event;
  return {
    id,
    method: JSON.parse(`"${name}"`) as string,
    params: value === "" ? undefined : (JSON.parse(value) as JsonValue),
    paramsText: value,
    reply: (answer) => send(id, answer),
  };
}

/** Runs a handler to its end. What cannot be sent is answered by its reason, so that the caller does not wait in vain. */
export async function handleRpc(handler: RpcHandler, request: RpcRequest): Promise<void> {
  let answer: MessageValue | void;
  try {
    answer = await handler(request);
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  if (answer === undefined) return;
  try {
    await request.reply(answer);
  } catch (error) {
    if (!(error instanceof MoteError) || ENDED.has(error.code)) return;
    await request.reply({ error: error.message }).catch(() => {});
  }
}

/** The connection or the client ended: nobody is left to be told. */
const ENDED: ReadonlySet<number> = new Set([Status.Requested, Status.Trapped, Status.Full, Status.BadState]);
