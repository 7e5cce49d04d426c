// Requests that wait for their answer: each ends with an answer, a timeout or an error.

import { EventKind, Status } from "../../build/generated/abi.ts";
import { checkIntegers, checkOptions, TIMEOUT_MS_MAX } from "./check.ts";
import { errorOf, RemoteError, RequestTimeoutError } from "./errors.ts";
import { answerText, type ModuleEvent } from "./event-record.ts";
import { messageRecord } from "./message.ts";
import type { RequestVerb } from "./module.ts";
import type { Deferred, Outbox } from "./outbox.ts";
import type { RequestOptions } from "./options.ts";
import type { MessageValue } from "./values.ts";

interface Pending {
  readonly doing: string;
  readonly deferred: Deferred<ModuleEvent>;
}

export class Requests {
  readonly #pending = new Map<number, Pending>();

  #hasAskedRpc = false;

  constructor(private readonly outbox: Outbox) {}

  /** Since then the module keeps the filter of the answers. */
  get hasAskedRpc(): boolean {
    return this.#hasAskedRpc;
  }

  /** Asks; the event of the answer. Waits for room like a publish. */
  ask(doing: string, verb: RequestVerb, value: MessageValue, timeoutMs: number, options: RequestOptions): Promise<ModuleEvent> {
    checkOptions(doing, options);
    checkIntegers(doing, options, { timeoutMs: [1, TIMEOUT_MS_MAX] });
    const record = messageRecord(value);
    this.#hasAskedRpc ||= verb === "request_rpc";
    return this.outbox.request<ModuleEvent>(doing, { signal: options.signal },
      (module) => module.request(verb, record, options.timeoutMs ?? timeoutMs),
      (id, deferred) => this.#pending.set(id, { doing, deferred }));
  }

  take(event: ModuleEvent): void {
    switch (event.kind) {
      case EventKind.AttributesResponse:
      case EventKind.ChildAttributesResponse:
        this.#end(event.id)?.deferred.resolve(event);
        break;
      case EventKind.RpcResponse: {
        const pending = this.#end(event.id);
        if (event.reason === 0) pending?.deferred.resolve(event);
        else pending?.deferred.reject(new RemoteError(pending.doing, answerText(event)));
        break;
      }
      case EventKind.RequestTimeout: {
        const pending = this.#end(event.id);
        pending?.deferred.reject(new RequestTimeoutError(Status.Timeout, pending.doing));
        break;
      }
      case EventKind.MessageTooLarge: {
        // A request of the server has an id of its own, which may be the same.
        const pending = event.topic.includes("/response") ? this.#end(event.id) : undefined;
        pending?.deferred.reject(errorOf(Status.TooLarge, pending.doing, { text: "receive_buffer", value: event.total }));
        break;
      }
      case EventKind.InvalidMessage: {
        const pending = event.topic.includes("/response") ? this.#end(event.id) : undefined;
        pending?.deferred.reject(errorOf(event.reason, pending.doing));
        break;
      }
    }
  }

  abandon(error: unknown): void {
    for (const id of [...this.#pending.keys()]) this.#end(id)?.deferred.reject(error);
  }

  #end(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}
