// What happened on both sides of the wire, for the oracles to compare.

export interface MessageEntry {
  readonly sequence: number;
  readonly qos: 0 | 1;
  /** Packet id that the verb answered; 0 at QoS 0. */
  readonly id: number;
  isStored: boolean;
  isDelivered: boolean;
  /** Why nobody may expect it any more: an event said so, or the device lost its RAM. */
  excuse: string | null;
  /** Children of a gateway whose part of it the server has not taken yet. */
  readonly children?: Set<string>;
  /** The child that it connects or disconnects. */
  readonly child?: ChildEntry;
}

/** A child of a gateway in the eyes of the application. */
export interface ChildEntry {
  readonly name: string;
  /** What announces it, while it is connected. */
  document: string | null;
  /** When that changed last; Infinity when the message about it was given up, so that nobody knows what the server thinks. */
  changedAtMs: number;
}

export interface RequestEntry {
  readonly kind: "attributes" | "rpc" | "child";
  readonly id: number;
  readonly atMs: number;
  readonly timeoutMs: number;
  /** Ids count from 1 again after a restart. */
  readonly boot: number;
  ends: number;
  excuse: string | null;
}

export interface RpcEntry {
  readonly id: number;
  /** The device has accepted a reply for delivery at QoS 1. */
  isReplied: boolean;
  isAnswered: boolean;
  excuse: string | null;
  /** Answers of the application that arrived and were no repetition. */
  answers: number;
}

export class Ledger {
  sequence = 0;
  readonly messages = new Map<number, MessageEntry>();
  /** Messages at QoS 1 of the present boot by packet id, until their end. */
  readonly unacknowledged = new Map<number, MessageEntry>();
  readonly requests: RequestEntry[] = [];
  readonly rpcs = new Map<number, RpcEntry>();
  /** Those for children, by name and id. */
  readonly childRpcs = new Map<string, RpcEntry>();
  readonly children = new Map<string, ChildEntry>();
  /** Bytes that the device has for them. */
  childrenBuffer = 0;
  /** Filters that the application has declared in the present boot. */
  readonly declared = new Set<string>();
  reconnects = 0;
  /** Since when the device has a session, as it says itself; null while it has none. */
  connectedAtMs: number | null = null;
  /** Since when the server owes this session a PUBACK that never comes; null while it owes none. */
  owesSinceMs: number | null = null;
  /** The device was told the limits of the server in this boot. */
  knowsLimits = false;
  /** The device said that its credentials are kept. */
  isProvisioned = false;
  boot = 0;
  /** A message whose number is a multiple of this ends the session instead of being taken; 0 = none does. */
  poisonEvery = 0;
  /** Messages that the outbox took, or had no room for, in the present boot. */
  offered = 0;
  /** How often each kind of event came in it. */
  readonly events = new Map<number, number>();

  /** The server never acknowledges a message that came in the present session, or in one that has ended. */
  owe(nowMs: number, isPresent: boolean): void {
    if (isPresent) this.owesSinceMs ??= nowMs;
  }

  /** Whether the message with this text ends sessions. */
  isPoison(text: string): boolean {
    return this.poisonEvery > 0 && Number(/"sequence":(\d+)/.exec(text)?.[1]) % this.poisonEvery === 0;
  }

  /** An event came. */
  told(kind: number): void {
    this.events.set(kind, (this.events.get(kind) ?? 0) + 1);
  }

  /** A verb took a message: false when its packet id is that of one that still waits. */
  add(message: MessageEntry): boolean {
    if (message.sequence > 0) this.messages.set(message.sequence, message);
    if (message.id === 0) return true;
    const isFree = !this.unacknowledged.has(message.id);
    this.unacknowledged.set(message.id, message);
    return isFree;
  }

  openRequest(kind: RequestEntry["kind"] | null, id: number): RequestEntry | undefined {
    return this.requests.findLast((request) => request.id === id && request.boot === this.boot && (kind === null || request.kind === kind));
  }

  /** The device lost its RAM: what was only there is excused. */
  forgetRam(nowMs: number): void {
    for (const message of this.unacknowledged.values()) message.excuse ??= "restart";
    for (const request of this.requests) if (request.ends === 0) request.excuse ??= "restart";
    for (const rpc of [...this.rpcs.values(), ...this.childRpcs.values()]) if (!rpc.isAnswered) rpc.excuse ??= "restart";
    for (const child of this.children.values()) {
      child.document = null;
      child.changedAtMs = nowMs;
    }
    this.connectedAtMs = null;
    this.knowsLimits = false;
    this.unacknowledged.clear();
    this.declared.clear();
    this.events.clear();
    this.offered = 0;
    this.boot++;
  }
}
