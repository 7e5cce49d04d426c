// The imports of apps, each checked against the app's memory and carried out by the client.

import { AppPublish, INTERVAL_MS_MAX, JsonField, Status } from "../../build/generated/abi.ts";
import type { AppFunctions, AppModule } from "./app-module.ts";
import type { Core } from "./core.ts";
import { MoteError } from "./errors.ts";
import type { ClientModule, PublishFlags, RequestVerb, SendVerb } from "./module.ts";

/** What a verb needs of the host of the app. */
export interface VerbHost {
  readonly core: Core;
  /** Texts of the event that the app reads now: the app's address, the client's, bytes. */
  readonly lent: readonly { readonly at: number; readonly from: number; readonly length: number }[];
  readonly filters: Map<string, 0 | 1>;
  module(): AppModule;
  setTimer(ms: number): void;
  io(op: number, bytes: Uint8Array): number;
  log(level: number, line: string): void;
}

const SENDS = [
  "send_telemetry", "send_attributes", "claim", "gateway_connect", "gateway_disconnect", "gateway_telemetry", "gateway_attributes",
  "gateway_rpc_reply", "gateway_claim",
] as const satisfies readonly SendVerb[];
const REQUESTS = ["request_attributes", "request_rpc", "gateway_request_attributes"] as const satisfies readonly RequestVerb[];
const PUBLISH_BITS = AppPublish.Qos0 | AppPublish.Qos1 | AppPublish.Retain;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** An answer below zero leaves a verb by this way. */
class Refusal extends Error {
  constructor(readonly status: number) {
    super();
  }
}

export function appFunctions(host: VerbHost): AppFunctions {
  const { core } = host;
  const bytes = (at: number, length: number): Uint8Array => {
    const found = host.module().span(at, length);
    if (found === null) throw new Refusal(Status.InvalidValue);
    return found;
  };
  const text = (at: number, length: number): string => {
    try {
      return decoder.decode(bytes(at, length));
    } catch (error) {
      throw error instanceof Refusal ? error : new Refusal(Status.InvalidUtf8);
    }
  };
  const use = <T>(call: (module: ClientModule) => T): T => {
    const result = core.runner.use(call);
    if (result === null) throw new Refusal(Status.Trapped);
    return result;
  };
  /** Appends through the client's outbox, which keeps count of what is on its way; never waits. */
  const appended = (isPublish: boolean, append: (module: ClientModule) => number): number => {
    let result: number = Status.Full;
    const attempt = (module: ClientModule): number => {
      try {
        return (result = append(module));
      } catch (error) {
        result = error instanceof MoteError ? error.code : error instanceof Refusal ? error.status : Status.Trapped;
        throw error;
      }
    };
    const options = { whenFull: "reject", onAppended: (id: number) => { result = id; } } as const;
    const settled = isPublish ? core.outbox.publish("app", options, attempt) : core.outbox.request<void>("app", options, attempt, (id) => { result = id; });
    settled.catch(() => {}); // the app has the answer already
    return result;
  };
  const flags = (options: number): PublishFlags => {
    if ((options & ~PUBLISH_BITS) !== 0) throw new Refusal(Status.InvalidValue);
    const qos = (options & AppPublish.Qos0) !== 0 ? 0 : (options & AppPublish.Qos1) !== 0 ? 1 : undefined;
    return options === 0 ? {} : { qos, retain: (options & AppPublish.Retain) !== 0 };
  };
  /** The client's address of a text that it still has. */
  const lentAt = (at: number, length: number): number | null => {
    const found = host.lent.find((each) => at >= each.at && at + length <= each.at + each.length);
    return found === undefined ? null : found.from + at - found.at;
  };
  const isTold = (filter: string): boolean => [...core.inbound.subscriptions].some((each) => each.filter === filter);
  const verbs: Record<string, (...values: number[]) => number | bigint | void> = {
    send_rpc_reply: (id, at, length, options) => appended(true, (module) => module.sendRpcReply(id!, bytes(at!, length!), flags(options!))),
    publish: (topic, topicLength, at, length, options) =>
      appended(true, (module) => module.publish(bytes(topic!, topicLength!), bytes(at!, length!), flags(options!))),
    subscribe(at, length, qos) {
      if (qos !== 0 && qos !== 1) return Status.InvalidValue;
      const filter = text(at!, length!);
      const id = use((module) => module.subscribe(bytes(at!, length!), qos));
      if (id >= 0) host.filters.set(filter, qos);
      return id;
    },
    unsubscribe(at, length) {
      const filter = text(at!, length!);
      if (!host.filters.delete(filter)) return Status.NotFound;
      return isTold(filter) ? Status.Ok : use((module) => module.unsubscribe(bytes(at!, length!)));
    },
    ota_start: (kind) => use((module) => module.ota("ota_start", kind!)),
    ota_stop: (kind) => use((module) => module.ota("ota_stop", kind!)),
    ota_apply: (kind, isAccepted) => use((module) => module.applyOta(kind!, isAccepted !== 0)),
    event_release: (isAccepted) => use((module) => { module.release(isAccepted!); return Status.Ok; }),
    json_find(at, length, path, pathLength, found) {
      bytes(found!, JsonField.End);
      const value = use((module) => module.jsonFind(bytes(at!, length!), lentAt(at! >>> 0, length!), bytes(path!, pathLength!)));
      if (value.type < 0) return value.type;
      host.module().view.setUint32((found! >>> 0) + JsonField.Text, (at! >>> 0) + value.at, true);
      host.module().view.setUint32((found! >>> 0) + JsonField.TextLength, value.length, true);
      return value.type;
    },
    json_text(at, length, to, capacity) {
      const room = bytes(to!, capacity!);
      const found = use((module) => module.jsonText(bytes(at!, length!), lentAt(at! >>> 0, length!), room.length));
      if (typeof found === "number") return found;
      room.set(found);
      return found.length;
    },
    timer(ms) {
      if (ms! >>> 0 > INTERVAL_MS_MAX) return Status.InvalidValue;
      host.setTimer(ms!);
      return Status.Ok;
    },
    now_ms: () => core.ports.clock.nowMs(),
    unix_ms: () => core.ports.clock.unixMs(),
    random_u32: () => core.ports.clock.random(),
    log: (level, at, length) => host.log(level!, text(at!, length!)),
    io: (op, at, length) => host.io(op!, bytes(at!, length!)),
  };
  for (const verb of SENDS) verbs[verb] = (at, length, options) => appended(true, (module) => module.send(verb, bytes(at!, length!), flags(options!)));
  for (const verb of REQUESTS) verbs[verb] = (at, length, timeoutMs) => appended(false, (module) => module.request(verb, bytes(at!, length!), timeoutMs!));
  return Object.fromEntries(Object.entries(verbs).map(([name, run]) => [name, answering(run)]));
}

/** Failures become the Status that the app gets. What is no failure of the client's, such as an exception of `io`, ends the app. */
function answering(run: (...values: number[]) => number | bigint | void): (...values: number[]) => number | bigint | void {
  return (...values) => {
    try {
      return run(...values);
    } catch (error) {
      if (error instanceof Refusal) return error.status;
      if (error instanceof MoteError) return error.code;
      throw error;
    }
  };
}
