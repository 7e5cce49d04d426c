// The imports of apps, each checked against the app's memory and carried out by the client.

import { AppPublish, INTERVAL_MS_MAX, JsonField, LogLevel, Member, MemberField, Stat, State, Status } from "../../build/generated/abi.ts";
import type { AppFunctions, AppModule } from "./app-module.ts";
import type { Core } from "./core.ts";
import { MoteError } from "./errors.ts";
import { countRecordPoints } from "./record-points.ts";
import type { ClientModule, PublishFlags, RequestVerb, SendVerb } from "./module.ts";

/** What a verb needs of the host of the app. */
export interface VerbHost {
  readonly core: Core;
  /** Texts of the event that the app reads now: the app's address, the client's, bytes. */
  readonly lent: readonly { readonly at: number; readonly from: number; readonly length: number }[];
  readonly filters: Map<string, 0 | 1>;
  /** Whether the app reads an event of the client, which it may release. */
  isReading(): boolean;
  module(): AppModule;
  setTimer(ms: number): void;
  /** null where there is no hardware. */
  readonly io: ((op: number, bytes: Uint8Array) => number) | null;
  log(level: number, line: string): void;
}

const SENDS = [
  "send_telemetry", "send_attributes", "claim", "gateway_connect", "gateway_disconnect", "gateway_telemetry", "gateway_attributes",
  "gateway_rpc_reply", "gateway_claim",
] as const satisfies readonly SendVerb[];
const REQUESTS = ["request_attributes", "request_rpc", "gateway_request_attributes"] as const satisfies readonly RequestVerb[];
const PUBLISH_BITS = AppPublish.Qos0 | AppPublish.Qos1 | AppPublish.Retain;
const COMMA = 0x2c;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** An answer below zero leaves a verb by this way. */
class Refusal extends Error {
  constructor(readonly status: number, readonly text = "", readonly value = 0) {
    super();
  }
}

export function appFunctions(host: VerbHost): AppFunctions {
  const { core } = host;
  const bytes = (at: number, length: number): Uint8Array => {
    const found = host.module().span(at, length);
    if (found === null) throw new Refusal(Status.InvalidValue, "memory");
    return found;
  };
  const text = (at: number, length: number): string => {
    try {
      return decoder.decode(bytes(at, length));
    } catch (error) {
      throw error instanceof Refusal ? error : new Refusal(Status.InvalidUtf8);
    }
  };
  /** A call of the client's module; a number below zero is a status that the module says more about. */
  const use = <T>(call: (module: ClientModule) => T): T => {
    const result = core.runner.use((module) => {
      const answer = call(module);
      return typeof answer === "number" ? module.require(answer, "app") as T : answer;
    });
    if (result === null) throw new Refusal(Status.Trapped);
    return result;
  };
  /** What belongs to the last status: of a refusal that is the host's own, nothing but its value. */
  let last = { text: "", value: 0 };
  const refused = (error: unknown): number => {
    if (error instanceof MoteError) {
      last = error;
      return error.code;
    }
    if (!(error instanceof Refusal)) throw error;
    last = error;
    return error.status;
  };
  /** Appends through the client's outbox, which keeps count of what is on its way; never waits. */
  const appended = (isPublish: boolean, append: (module: ClientModule) => number): number => {
    let result: number = Status.Full;
    const attempt = (module: ClientModule): number => {
      try {
        result = append(module);
        if (result < 0) last = module.error(result, "app");
        return result;
      } catch (error) {
        result = error instanceof MoteError || error instanceof Refusal ? refused(error) : Status.Trapped;
        throw error;
      }
    };
    const options = { whenFull: "reject", onAppended: (id: number) => { result = id; } } as const;
    const settled = isPublish ? core.outbox.publish("app", options, attempt) : core.outbox.request<void>("app", options, attempt, (id) => { result = id; });
    settled.catch(() => {}); // the app has the answer already
    return result;
  };
  const flags = (options: number): PublishFlags => {
    if ((options & ~PUBLISH_BITS) !== 0) throw new Refusal(Status.InvalidValue, "options", options);
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
      if (qos !== 0 && qos !== 1) throw new Refusal(Status.InvalidValue, "qos", qos);
      const filter = text(at!, length!);
      const id = use((module) => module.subscribe(bytes(at!, length!), qos));
      if (id >= 0) host.filters.set(filter, qos);
      return id;
    },
    unsubscribe(at, length) {
      const filter = text(at!, length!);
      if (!host.filters.has(filter)) throw new Refusal(Status.NotFound, "filter");
      const result = isTold(filter) ? Status.Ok : use((module) => module.unsubscribe(bytes(at!, length!)));
      // Where it was refused, for want of room, it is still there.
      host.filters.delete(filter);
      return result;
    },
    ota_start: (kind) => use((module) => module.ota("ota_start", kind!)),
    ota_stop: (kind) => use((module) => module.ota("ota_stop", kind!)),
    ota_apply: (kind, isAccepted) => use((module) => module.applyOta(kind!, isAccepted !== 0)),
    event_release(isAccepted) {
      if (!host.isReading()) throw new Refusal(Status.BadState, "on_event");
      return use((module) => { module.release(isAccepted!); return Status.Ok; });
    },
    json_find(at, length, path, pathLength, found) {
      bytes(found!, JsonField.End);
      const value = use((module) => {
        const answer = module.jsonFind(bytes(at!, length!), lentAt(at! >>> 0, length!), bytes(path!, pathLength!));
        return { ...answer, type: module.require(answer.type, "app") };
      });
      host.module().view.setUint32((found! >>> 0) + JsonField.Text, (at! >>> 0) + value.at, true);
      host.module().view.setUint32((found! >>> 0) + JsonField.TextLength, value.length, true);
      return value.type;
    },
    json_text(at, length, to, capacity) {
      const room = bytes(to!, capacity!);
      const found = use((module) => module.jsonText(bytes(at!, length!), lentAt(at! >>> 0, length!), room.length)) as Uint8Array;
      room.set(found);
      return found.length;
    },
    timer(ms) {
      if (ms! >>> 0 > INTERVAL_MS_MAX) throw new Refusal(Status.InvalidValue, "timer", INTERVAL_MS_MAX);
      host.setTimer(ms!);
      return Status.Ok;
    },
    now_ms: () => core.ports.clock.nowMs(),
    unix_ms: () => core.ports.clock.unixMs(),
    random_u32: () => core.ports.clock.random(),
    log(level, at, length) {
      const line = host.module().span(at!, length!);
      // What is no level is the least of them, so that whoever wants every line gets this one too.
      if (line !== null) host.log(Math.min(level! >>> 0, LogLevel.Debug), new TextDecoder().decode(line));
    },
    io(op, at, length) {
      if (host.io === null) throw new Refusal(Status.NotInProfile, "io");
      return host.io(op!, bytes(at!, length!));
    },
    error_value: () => last.value,
    error_text(at, capacity) {
      const room = host.module().span(at!, capacity!);
      if (room === null) return Status.InvalidValue;
      const { read, written } = new TextEncoder().encodeInto(last.text, room);
      return read === last.text.length ? written : Status.TooLarge;
    },
    points_max(isOfChildren) {
      const points = core.pointsMax(isOfChildren !== 0);
      return points === Infinity ? 0 : points;
    },
    children_max() {
      const children = core.childrenMax();
      return children === Infinity ? 0 : children;
    },
    state: () => State[core.link.state === "Failed" ? "Stopped" : core.link.state],
    stat: (which) => BigInt(which! >= Stat.Size && which! < Stat.End && which! % 4 === 0 ? core.counter(which!) : Status.InvalidValue),
    features: () => core.runner.module?.features() ?? 0,
  };
  for (const verb of SENDS) {
    verbs[verb] = (at, length, options) => appended(true, (module) => {
      const record = bytes(at!, length!);
      const publishFlags = flags(options!);
      const isOfChildren = verb === "gateway_telemetry" || verb === "gateway_attributes";
      const isCounted = isOfChildren || verb === "send_telemetry" || verb === "send_attributes";
      const taken = isCounted ? core.pointsTaken(isOfChildren) : Infinity;
      if (taken !== Infinity && countRecordPoints(record, isOfChildren) > taken) throw new Refusal(Status.TooLarge, "telemetryDataPoints");
      return module.send(verb, record, publishFlags);
    });
  }
  for (const verb of REQUESTS) {
    verbs[verb] = (at, length, timeoutMs) => appended(false, (module) => {
      const record = bytes(at!, length!);
      if (verb !== "request_rpc" && asksForNothing(record, verb === "request_attributes")) throw new Refusal(Status.InvalidValue, "keys");
      return module.request(verb, record, timeoutMs!);
    });
  }
  /** Failures become the Status that the app gets. What is no failure of the client's, such as an exception of `io`, ends the app. */
  const answering = (run: (...values: number[]) => number | bigint | void) => (...values: number[]): number | bigint | void => {
    try {
      return run(...values);
    } catch (error) {
      return refused(error);
    }
  };
  return Object.fromEntries(Object.entries(verbs).map(([name, run]) => [name, answering(run)]));
}

/**
 * A list without an element, and for the device itself, whose keys are joined, a text of commas: the server would answer with everything.
 * The record is the app's: what is no record is left to the module.
 */
function asksForNothing(record: Uint8Array, isJoined: boolean): boolean {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const padded = (length: number): number => (length + 3) & ~3;
  for (let at = 0; at + MemberField.Key <= record.length;) {
    const type = view.getUint8(at + MemberField.Type);
    const textAt = at + MemberField.Key + padded(view.getUint16(at + MemberField.KeyLength, true));
    const length = type === Member.Text || type === Member.Json ? view.getUint32(at + MemberField.Number, true) : 0;
    if (textAt + length > record.length) return false;
    const text = record.subarray(textAt, textAt + length);
    if (isJoined && type === Member.Text && length > 0 && text.every((letter) => letter === COMMA)) return true;
    at = textAt + length + (-length & 3);
    if (type === Member.ArrayBegin && record[at] === Member.End) return true;
  }
  return false;
}
