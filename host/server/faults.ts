// Faults a test can ask for: each knob makes the server misbehave in one way that real networks and servers do (spec 10).

import { type ChunkLoss, chunkLoss } from "./chunkLoss.ts";
import type { ServerEvents } from "./events.ts";
import { printJson, printString, toPlain, type Json } from "./json.ts";

/** Knobs that are armed with a count and used up one by one. */
export const countedFaults = [
  /** The PUBACK is not sent; the message is stored. */
  "dropPuback",
  /** The PUBACK is sent twice. */
  "duplicatePuback",
  /** The PUBACK waits until the next downlink PUBLISH was written. */
  "replyBeforePuback",
  /** This many PUBACKs are collected, then sent in the opposite order. */
  "reversePubacks",
  /** A PUBLISH of the client is lost: not stored, not acknowledged, and the connection stays. */
  "dropPublish",
  /** A downlink is not sent. */
  "dropReply",
  /** A downlink is sent twice, with two packet ids. */
  "duplicateReply",
  /** This many downlinks of one connection are collected, then sent in the opposite order. */
  "reverseReplies",
  /** An OTA chunk comes with its first byte changed. */
  "corruptChunk",
  /** A PUBLISH meets rule R3: it is not stored, not acknowledged, and the connection closes. */
  "exceedRate",
  /** An attribute request is acknowledged and never answered. */
  "dropResponse",
  /** A QoS 1 downlink carries packet id 0. */
  "packetIdZero",
  /** A child that its gateway names for the first time is refused, as past the device limit (spec 3.2). */
  "refuseChild",
  /** A SUBSCRIBE is refused: 0x80 for every filter. */
  "refuseSuback",
] as const;

export type CountedFault = (typeof countedFaults)[number];

/** Who a fault on live connections is for: one device, or all of them. */
export interface FaultTargets {
  hasDevice(id: string): boolean;
  /** Whether a gateway speaks for a device of this name. */
  hasChild(name: string): boolean;
  fallSilent(deviceId?: string): void;
  abort(deviceId?: string): void;
  expireOtaCache(): void;
  notifyChild(name: string, reasonCode: number): void;
}

/** Largest count and longest delay: what a timer of Node takes. */
const countMax = 2 ** 31 - 1;

export class FaultRequestError extends Error {}

interface Timed {
  count: number;
  ms: number;
}

export class Faults {
  readonly #counts = new Map<CountedFault, number>(countedFaults.map((name) => [name, 0]));
  readonly #pubackDelay: Timed = { count: 0, ms: 0 };
  readonly #replyDelay: Timed = { count: 0, ms: 0 };
  readonly #refusal = { count: 0, code: 3 };
  readonly #error = { count: 0, payload: "" };
  #chunkLoss: { loss: ChunkLoss; take: () => boolean } | null = null;
  readonly #targets: FaultTargets;
  readonly #events: ServerEvents;

  constructor(targets: FaultTargets, events: ServerEvents) {
    this.#targets = targets;
    this.#events = events;
  }

  readonly dropPuback = (count = 1): void => this.#arm("dropPuback", count);
  readonly duplicatePuback = (count = 1): void => this.#arm("duplicatePuback", count);
  readonly replyBeforePuback = (count = 1): void => this.#arm("replyBeforePuback", count);
  readonly reversePubacks = (count = 2): void => this.#arm("reversePubacks", count);
  readonly dropPublish = (count = 1): void => this.#arm("dropPublish", count);
  readonly dropReply = (count = 1): void => this.#arm("dropReply", count);
  readonly duplicateReply = (count = 1): void => this.#arm("duplicateReply", count);
  readonly reverseReplies = (count = 2): void => this.#arm("reverseReplies", count);
  readonly corruptChunk = (count = 1): void => this.#arm("corruptChunk", count);
  readonly exceedRate = (count = 1): void => this.#arm("exceedRate", count);
  readonly dropResponse = (count = 1): void => this.#arm("dropResponse", count);
  readonly packetIdZero = (count = 1): void => this.#arm("packetIdZero", count);
  readonly refuseChild = (count = 1): void => this.#arm("refuseChild", count);
  readonly refuseSuback = (count = 1): void => this.#arm("refuseSuback", count);

  /** The next PUBACKs come late. */
  delayPuback(count: number, ms: number): void {
    Object.assign(this.#pubackDelay, { count, ms });
  }

  /** The next downlinks come late, so that later ones overtake them. */
  delayReply(count: number, ms: number): void {
    Object.assign(this.#replyDelay, { count, ms });
  }

  /** The next CONNECTs are refused with a 3.1.1 return code. */
  refuseConnect(count: number, code = 3): void {
    Object.assign(this.#refusal, { count, code });
  }

  /** The next client-side RPCs are answered `{"error":"..."}`. */
  answerWithError(count: number, error: string): void {
    Object.assign(this.#error, { count, payload: `{"error":${printString(error)}}` });
  }

  /** OTA chunks are lost until `reset`: every n-th, or a share of them drawn from a seed. */
  loseChunks(loss: ChunkLoss): void {
    this.#chunkLoss = { loss, take: chunkLoss(loss) };
  }

  /** Live connections stop answering while their sockets stay open. */
  halfOpen(deviceId?: string): void {
    this.#events.emit("fault", { name: "halfOpen" });
    this.#targets.fallSilent(deviceId);
  }

  /** Live connections are broken with a TCP reset. */
  killSessions(deviceId?: string): void {
    this.#events.emit("fault", { name: "killSessions" });
    this.#targets.abort(deviceId);
  }

  /** The server forgets the images it slices: chunks are empty until a new request id asks (spec 11.17). */
  expireOtaCache(): void {
    this.#events.emit("fault", { name: "expireOtaCache" });
    this.#targets.expireOtaCache();
  }

  /** The MQTT 5 gateway of a child gets the notice `{"device":...,"reason":...}`; the child stays registered (spec 11.11). */
  notifyChild(name: string, reasonCode: number): void {
    this.#events.emit("fault", { name: "notifyChild" });
    this.#targets.notifyChild(name, reasonCode);
  }

  reset(): void {
    for (const name of countedFaults) this.#counts.set(name, 0);
    for (const knob of [this.#pubackDelay, this.#replyDelay, this.#refusal, this.#error]) knob.count = 0;
    this.#chunkLoss = null;
  }

  /** How often a counted fault is still armed. */
  left(name: CountedFault): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Uses up one count; false when the knob is not armed. */
  take(name: CountedFault): boolean {
    const left = this.left(name);
    if (left === 0) return false;
    this.#counts.set(name, left - 1);
    this.#events.emit("fault", { name });
    return true;
  }

  takePubackDelayMs(): number {
    return this.#takeFrom(this.#pubackDelay, "delayPuback") ? this.#pubackDelay.ms : 0;
  }

  takeReplyDelayMs(): number {
    return this.#takeFrom(this.#replyDelay, "delayReply") ? this.#replyDelay.ms : 0;
  }

  takeRefusal(): number | null {
    return this.#takeFrom(this.#refusal, "refuseConnect") ? this.#refusal.code : null;
  }

  takeError(): string | null {
    return this.#takeFrom(this.#error, "answerWithError") ? this.#error.payload : null;
  }

  takeChunkLoss(): boolean {
    if (!this.#chunkLoss?.take()) return false;
    this.#events.emit("fault", { name: "loseChunks" });
    return true;
  }

  /** What is armed, for `GET /api/mote/faults`. */
  armed(): Record<string, unknown> {
    return {
      ...Object.fromEntries(this.#counts),
      delayPuback: { ...this.#pubackDelay },
      delayReply: { ...this.#replyDelay },
      refuseConnect: { ...this.#refusal },
      answerWithError: { count: this.#error.count },
      loseChunks: this.#chunkLoss?.loss ?? null,
    };
  }

  /** Applies the body of `POST /api/mote/faults`; nothing is applied when any member is wrong. */
  apply(body: Json): void {
    if (!(body instanceof Map)) throw new FaultRequestError("the body must be an object of knobs");
    const actions = [...body].map(([name, json]) => this.#action(name, json));
    for (const action of actions) action();
  }

  #action(name: string, json: Json): () => void {
    const value = toPlain(json);
    const wrong = (wanted: string): FaultRequestError =>
      new FaultRequestError(`"${name}" must be ${wanted}, not ${printJson(json)}`);
    const count = (candidate: unknown, wanted: string): number => {
      if (Number.isInteger(candidate) && (candidate as number) >= 0 && (candidate as number) <= countMax) return candidate as number;
      throw wrong(wanted);
    };
    const member = (key: string): unknown => (json instanceof Map ? (value as Record<string, unknown>)[key] : undefined);
    if (countedFaults.includes(name as CountedFault)) {
      const times = count(value, "a count");
      return () => this.#arm(name as CountedFault, times);
    }
    switch (name) {
      case "delayPuback":
      case "delayReply": {
        const wanted = '{"count":n,"ms":n}';
        const times = count(member("count"), wanted);
        const ms = count(member("ms"), wanted);
        return () => this[name](times, ms);
      }
      case "refuseConnect": {
        const wanted = '{"count":n,"code":1 to 5}';
        const times = count(member("count"), wanted);
        const code = count(member("code") ?? 3, wanted);
        if (code < 1 || code > 5) throw wrong(wanted);
        return () => this.refuseConnect(times, code);
      }
      case "answerWithError": {
        const wanted = '{"count":n,"error":"text"}';
        const times = count(member("count"), wanted);
        const error = member("error");
        if (typeof error !== "string") throw wrong(wanted);
        return () => this.answerWithError(times, error);
      }
      case "halfOpen":
      case "killSessions":
        if (value !== true && !(typeof value === "string" && this.#targets.hasDevice(value))) throw wrong("true or the id of a device");
        return () => this[name](value === true ? undefined : value);
      case "notifyChild": {
        const wanted = '{"device":"name","reason":n}';
        const name = member("device");
        const reasonCode = count(member("reason"), wanted);
        if (typeof name !== "string" || !this.#targets.hasChild(name)) throw wrong(`${wanted} with the name of a connected child`);
        return () => this.notifyChild(name, reasonCode);
      }
      case "loseChunks": {
        const wanted = '{"every":n} or {"percent":0 to 100,"seed":n}';
        if (member("every") !== undefined) {
          const every = count(member("every"), wanted);
          if (every === 0) throw wrong(wanted);
          return () => this.loseChunks({ every });
        }
        const percent = count(member("percent"), wanted);
        const seed = count(member("seed"), wanted);
        if (percent > 100) throw wrong(wanted);
        return () => this.loseChunks({ percent, seed });
      }
      case "expireOtaCache":
      case "reset":
        if (value !== true) throw wrong("true");
        return () => this[name]();
      default:
        throw new FaultRequestError(`there is no fault "${name}"`);
    }
  }

  #arm(name: CountedFault, count: number): void {
    this.#counts.set(name, count);
  }

  #takeFrom(knob: { count: number }, name: string): boolean {
    if (knob.count === 0) return false;
    knob.count--;
    this.#events.emit("fault", { name });
    return true;
  }
}
