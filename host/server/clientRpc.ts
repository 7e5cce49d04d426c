// Client-side RPC of one session: getSessionLimits at once, anything else from the answering function or the 60 s timeout (spec 2.7, 11.15).

import { readText } from "./gson.ts";
import { isJson, type Json, printJson } from "./json.ts";
import { UnconvertibleError } from "./outcome.ts";
import type { RateLimiter } from "./rateLimits.ts";

export interface ClientRpcRequest {
  readonly method: string;
  /** JSON text; "null" when absent. */
  readonly params: string;
}

export function readClientRpc(json: Json): ClientRpcRequest {
  if (!(json instanceof Map)) throw new UnconvertibleError("a client-side RPC must be an object");
  return { method: readText(json.get("method"), "method"), params: printJson(json.get("params") ?? null) };
}

/** The reply to getSessionLimits; a gateway has one more member, for what it sends for its children (spec 2.7). */
export function printSessionLimits(limiter: RateLimiter, isGateway: boolean): string {
  const own = JSON.stringify(limiter.limits(isGateway ? "gatewayDevice" : "device"));
  const children = isGateway ? `,"gatewayRateLimits":${JSON.stringify(limiter.limits("gateway"))}` : "";
  return `{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":${own}${children}}`;
}

/** Requests of one session in flight; a request past the bound is over a limit (R3). */
const maxTimers = 1_000;

export class ClientRpcs {
  readonly #timeoutMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #unanswered = new Set<number>();
  readonly #send: (requestId: number, payload: string) => void;

  constructor(timeoutMs: number, send: (requestId: number, payload: string) => void) {
    this.#timeoutMs = timeoutMs;
    this.#send = send;
  }

  /** Starts a request; false means too many are in flight. */
  start(requestId: number): boolean {
    if (this.#timers.size >= maxTimers) return false;
    this.#unanswered.add(requestId);
    // The timer runs on after an answer: reusing the id within the time meets the older timer (spec 11.15).
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#unanswered.delete(requestId)) this.#send(requestId, '{"error":"timeout"}');
    }, this.#timeoutMs);
    this.#timers.add(timer);
    return true;
  }

  /** A real answer is delivered even after the timeout was; one that is not JSON is dropped and ends the wait (spec 11.15). */
  answer(requestId: number, payload: string): void {
    this.#unanswered.delete(requestId);
    if (isJson(payload)) this.#send(requestId, payload);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#unanswered.clear();
  }
}
