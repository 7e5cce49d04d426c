// What the server knows of a gateway: its children in a session, what they may send, and what becomes of that.

import { RateLimiter, type LevelLimits, type RateLimitOptions } from "../../host/server/rateLimits.ts";
import { ATTRIBUTES, TELEMETRY } from "./device-api.ts";
import type { Ledger, RpcEntry } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

const PREFIX = "v1/gateway/";
export const GATEWAY_FILTERS = [`${PREFIX}attributes`, `${PREFIX}attributes/response`, `${PREFIX}rpc`] as const;
/** Of the gateway itself, and of its children together. */
const OWN = "gatewayDevice";
const CHILDREN = "gateway";
const ID = "";

/** The children of one session: those that the server knows by now, and those of them that were announced. */
export interface Children {
  /** By name; false: the server hears of it, but it gets nothing. */
  readonly known: Map<string, boolean>;
  readonly announced: Set<string>;
  /** The device had been told the limits before the session began. */
  readonly knewLimits: boolean;
  /** What the server has to send because of what it received. */
  readonly downlinks: Downlink[];
}

export interface Downlink {
  readonly topic: string;
  readonly text: string;
}

/** How a publish ends: under MQTT 3.1.1 a message that was thrown away is acknowledged like any other, before the connection is closed. */
export interface Verdict {
  readonly acknowledges: boolean;
  readonly closes: boolean;
}

const ACCEPTED: Verdict = { acknowledges: true, closes: false };
const THROWN_AWAY: Verdict = { acknowledges: true, closes: true };
const CLOSED: Verdict = { acknowledges: false, closes: true };

export class Gateway {
  isCalm = false;
  readonly #limiter: RateLimiter;
  readonly #rpcIds = new Map<string, number>();

  constructor(
    readonly schedule: Schedule, readonly random: Random, readonly ledger: Ledger, readonly limits: RateLimitOptions, readonly faults: string[],
  ) {
    this.#limiter = new RateLimiter(limits, () => schedule.nowMs);
  }

  get isLimiting(): boolean {
    return Object.keys(this.limits).length > 0;
  }

  /** By then a session has announced each child that is connected, and what the application did with one has come to the server: what is queued before it leaves first. */
  get announcedMs(): number {
    return this.isLimiting ? 150_000 : 90_000;
  }

  /** The answer to getSessionLimits. */
  get limitsText(): string {
    const printed = (limits: LevelLimits = {}): object => ({
      messages: limits.messages ?? null, telemetryMessages: limits.telemetryMessages ?? null, telemetryDataPoints: limits.telemetryDataPoints ?? null,
    });
    return JSON.stringify({ maxPayloadSize: 65536, maxInflightMessages: 100, rateLimits: printed(this.limits[OWN]), gatewayRateLimits: printed(this.limits[CHILDREN]) });
  }

  /** A session begins, in which the server knows no children. */
  begin(): Children {
    this.#limiter.spend(OWN, ID, 0);
    return { known: new Map(), announced: new Set(), knewLimits: this.ledger.knowsLimits, downlinks: [] };
  }

  /** It ends, and the end of each child is one more message. */
  end({ known }: Children): void {
    for (let child = known.size; child > 0; child--) this.#limiter.spend(CHILDREN, ID, 0);
    known.clear();
    this.#limiter.spend(OWN, ID, 0);
  }

  /** Spends what the gateway sends for itself, a publish or without a topic another packet; false when that is too much and the connection is closed. */
  spend({ knewLimits }: Children, topic = "", text = ""): boolean {
    const isFree = text.includes("getSessionLimits") || (topic.startsWith("v2/") && !topic.endsWith("/chunk/0"));
    const points = topic === TELEMETRY || topic === ATTRIBUTES ? Object.keys(JSON.parse(text) as object).length : 0;
    if (isFree || this.#limiter.spend(OWN, ID, points)) return true;
    if (knewLimits) this.#fault("the gateway's own messages are over its limit");
    return false;
  }

  /** What a publish for children does; undefined when the topic is none of theirs. */
  receive(children: Children, topic: string, text: string, isRepeated: boolean): Verdict | undefined {
    if (!topic.startsWith(PREFIX)) return undefined;
    const document = JSON.parse(text) as Record<string, unknown>;
    if (!this.isCalm && this.random.percent(0.5)) return this.#throwAway(document);
    switch (topic.slice(PREFIX.length)) {
      case "connect": return this.#connect(children, document.device as string);
      case "disconnect": return this.#disconnect(children, document.device as string);
      case "telemetry": return this.#each(children, document, (child, entries) => this.#store(child, (entries as object[])[0]!));
      case "attributes": return this.#each(children, document, (child, values) => this.#store(child, values as object));
      case "claim": return this.#each(children, document, () => this.#spendForChild());
      case "attributes/request": return this.#request(children, document);
      case "rpc": return this.#answer(children, document, isRepeated);
    }
    this.faults.push(`a publish to ${topic}`);
    return ACCEPTED;
  }

  /** Something that the server sends to a child by itself; undefined when there is none to get it. */
  act({ known }: Children): Downlink | undefined {
    const open = [...known].flatMap(([name, isOpen]) => (isOpen ? [name] : []));
    if (open.length === 0) return undefined;
    const name = this.random.pick(open);
    if (this.random.percent(30)) return this.#downlink("attributes", { device: name, data: this.random.percent(20) ? { deleted: ["rate"] } : { rate: 30 } });
    const id = this.#rpcIds.get(name) ?? 0;
    this.#rpcIds.set(name, id + 1);
    this.ledger.childRpcs.set(`${name} ${id}`, { id, isReplied: false, isAnswered: false, excuse: null, answers: 0 });
    return this.#rpc(name, id);
  }

  /** Messages of the Gateway API that are none. */
  nonsense(): Downlink {
    const text = this.random.pick(["", "[]", '{"device":1}', '{"device":"m","data":{"id":1}}', '{"device":"m"', '{"id":4711,"device":"m"}']);
    return { topic: this.random.pick(GATEWAY_FILTERS), text };
  }

  #downlink(topic: string, document: object): Downlink {
    return { topic: PREFIX + topic, text: JSON.stringify(document) };
  }

  #rpc(name: string, id: number): Downlink {
    // Padding makes some of them larger than any receive buffer.
    const padding = !this.isCalm && this.random.percent(5) ? ["p".repeat(2000)] : [];
    return this.#downlink("rpc", { device: name, data: { id, method: 'switch "1"', params: { on: true, list: [1, 2.5, null, ...padding] } } });
  }

  #spendForChild(points = 0): boolean {
    if (this.#limiter.spend(CHILDREN, ID, points)) return true;
    this.#fault("messages for children are over their limit");
    return false;
  }

  /** The child of this name, whom the server may come to know by this: that costs two messages. "refused": there may be no more devices. */
  #register({ known, downlinks }: Children, name: string): "known" | "refused" | "limited" {
    if (known.has(name)) return "known";
    if (!this.isCalm && this.random.percent(3)) return "refused";
    if (!this.#spendForChild()) return "limited";
    const isOpen = this.#spendForChild();
    known.set(name, isOpen);
    // What is open is sent once more.
    for (let id = Math.max(0, (this.#rpcIds.get(name) ?? 0) - 3); isOpen; id++) {
      const rpc = this.ledger.childRpcs.get(`${name} ${id}`);
      if (rpc === undefined) break;
      if (!rpc.isAnswered && rpc.excuse === null) downlinks.push(this.#rpc(name, id));
    }
    return "known";
  }

  #connect(children: Children, name: string): Verdict {
    children.announced.add(name);
    if (this.#register(children, name) === "limited") return CLOSED;
    return ACCEPTED;
  }

  #disconnect({ known, announced }: Children, name: string): Verdict {
    announced.delete(name);
    if (known.delete(name)) this.#spendForChild();
    return ACCEPTED;
  }

  /** A message that names each of its children; what is behind one that cannot be known is not looked at. */
  #each(children: Children, document: Record<string, unknown>, take: (child: string, value: unknown) => boolean): Verdict {
    let verdict = ACCEPTED;
    for (const [name, value] of Object.entries(document)) {
      const found = this.#register(children, name);
      if (found === "limited") return CLOSED;
      if (found === "refused") this.#taken(name, value);
      else if (!take(name, value)) verdict = THROWN_AWAY;
    }
    return verdict;
  }

  #store(child: string, values: object): boolean {
    const points = "values" in values ? values.values as object : values;
    if (!this.#spendForChild(Object.keys(points).length)) return false;
    this.#taken(child, points);
    return true;
  }

  /** The part of a message that is about a child is stored, or it is refused or thrown away, which nobody is told. */
  #taken(child: string, value: unknown): void {
    const entry = (Array.isArray(value) ? value[0] : value) as { values?: object } | null;
    const { sequence } = (entry?.values ?? entry ?? {}) as { sequence?: number };
    const message = sequence === undefined ? undefined : this.ledger.messages.get(sequence);
    message?.children?.delete(child);
    if (message?.children?.size === 0) message.isStored = true;
  }

  /** Over a limit of which nobody told the gateway, such as that of its owner. */
  #throwAway(document: Record<string, unknown>): Verdict {
    for (const [child, value] of Object.entries(document)) this.#taken(child, value);
    const rpc = this.ledger.childRpcs.get(`${document.device as string} ${document.id as number}`);
    if (rpc !== undefined) rpc.excuse ??= "thrown away";
    return THROWN_AWAY;
  }

  #request(children: Children, { id, device, client, key, keys }: Record<string, unknown>): Verdict {
    if (typeof client !== "boolean" || (key === undefined && !Array.isArray(keys))) this.faults.push(`a request for a child without "client" or keys`);
    const found = this.#register(children, device as string);
    if (found === "limited") return CLOSED;
    if (found === "refused") return ACCEPTED;
    if (!this.#spendForChild()) return THROWN_AWAY;
    const dice = this.random.between(0, 99);
    if (!this.isCalm && dice < 10) return ACCEPTED; // the database is down: no answer ever
    const value = "v".repeat(!this.isCalm && dice < 20 ? 2000 : 3);
    const answer = dice < 30 ? {} : key === undefined ? { values: { rate: value, mode: 1 } } : { value };
    children.downlinks.push(this.#downlink("attributes/response", { id, device, ...answer }));
    return ACCEPTED;
  }

  #answer(children: Children, document: Record<string, unknown>, isRepeated: boolean): Verdict {
    const { device, id, data } = document as { device: string; id: number; data: unknown };
    const found = this.#register(children, device);
    if (found === "limited") return CLOSED;
    if (found === "refused") return this.#answered(device, id);
    if (!this.#spendForChild()) return THROWN_AWAY;
    const rpc = this.ledger.childRpcs.get(`${device} ${id}`);
    const text = JSON.stringify(data);
    if (text === JSON.stringify({ done: id })) this.#countAnswer(device, rpc, isRepeated);
    else if (text !== '{"error":"too_large"}') this.faults.push(`reply ${id} of ${device} is ${text}`);
    return this.#answered(device, id);
  }

  #answered(device: string, id: number): Verdict {
    const rpc = this.ledger.childRpcs.get(`${device} ${id}`);
    if (rpc === undefined) this.faults.push(`a reply to RPC ${id} of ${device}, which nobody asked`);
    else rpc.isAnswered = true;
    return ACCEPTED;
  }

  #countAnswer(device: string, rpc: RpcEntry | undefined, isRepeated: boolean): void {
    if (rpc === undefined || isRepeated || ++rpc.answers === 1) return;
    this.faults.push(`RPC ${rpc.id} of ${device} is answered ${rpc.answers} times`);
  }

  #fault(text: string): void {
    if (!this.faults.includes(text)) this.faults.push(text);
  }
}
