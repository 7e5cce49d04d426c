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
}

export interface RequestEntry {
  readonly kind: "attributes" | "rpc";
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
}

export class Ledger {
  readonly messages = new Map<number, MessageEntry>();
  /** Messages at QoS 1 of the present boot by packet id, until their end. */
  readonly unacknowledged = new Map<number, MessageEntry>();
  readonly requests: RequestEntry[] = [];
  readonly rpcs = new Map<number, RpcEntry>();
  /** Filters that the application has declared in the present boot. */
  readonly declared = new Set<string>();
  reconnects = 0;
  /** The device said that its credentials are kept. */
  isProvisioned = false;
  boot = 0;

  /** The device lost its RAM: what was only there is excused. */
  forgetRam(): void {
    for (const message of this.unacknowledged.values()) message.excuse ??= "restart";
    for (const request of this.requests) if (request.ends === 0) request.excuse ??= "restart";
    for (const rpc of this.rpcs.values()) if (!rpc.isAnswered) rpc.excuse ??= "restart";
    this.unacknowledged.clear();
    this.declared.clear();
    this.boot++;
  }
}
