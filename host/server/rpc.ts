// Server-side RPC of one device: ids, pending requests, delivery status and what the caller is told (spec 2.6, 11.3 to 11.6).

import { randomUUID } from "node:crypto";
import type { Device } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import { isJson, parseJson, printString } from "./json.ts";
import { reason } from "./reasons.ts";
import { printRestJson } from "./values.ts";

export const rpcStatuses = ["QUEUED", "SENT", "DELIVERED", "SUCCESSFUL", "TIMEOUT", "EXPIRED", "FAILED"] as const;
export type RpcStatus = (typeof rpcStatuses)[number];

export interface RpcRequest {
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly isOneWay: boolean;
  readonly isPersistent: boolean;
  readonly expiresAtMs: number;
  /** Deliveries that may go without PUBACK before the RPC fails; null for as many as the server allows. */
  readonly retries?: number | null;
  /** JSON text, kept for the caller of a persistent RPC. */
  readonly additionalInfo: string | null;
}

export type RpcResult =
  | { readonly kind: "sent" }
  | { readonly kind: "reply"; readonly payload: string }
  | { readonly kind: "noActiveConnection" }
  | { readonly kind: "timeout" };

export interface Rpc {
  readonly uuid: string;
  readonly requestId: number;
  readonly request: RpcRequest;
  readonly createdAtMs: number;
  /** Which error a silent device means is settled when the RPC is made (spec 11.6). */
  readonly hadSubscriber: boolean;
  status: RpcStatus;
  /** JSON text, or null before a reply. */
  response: string | null;
}

/** When the next RPC of a device is sent: at once, or after the one before was acknowledged, or replied to (spec 2.6). */
export const rpcStrategies = ["BURST", "SEQUENTIAL_ON_ACK_FROM_DEVICE", "SEQUENTIAL_ON_RESPONSE_FROM_DEVICE"] as const;
export type RpcStrategy = (typeof rpcStrategies)[number];

export interface RpcContext {
  readonly now: () => number;
  readonly events: ServerEvents;
  /** The server's own wait for the PUBACK of a QoS 1 RPC: `transport.mqtt.timeout` (spec 2.6). */
  readonly rpcAcknowledgeTimeoutMs: number;
  readonly rpcStrategy: RpcStrategy;
  /** How long SEQUENTIAL_ON_RESPONSE_FROM_DEVICE waits for a reply. */
  readonly rpcResponseTimeoutMs: number;
  /** `close_session_on_rpc_delivery_timeout`: with its retries used up an RPC is queued again and the device's session closes (spec 11.4). */
  readonly closesOnRpcDeliveryTimeout: boolean;
}

interface Pending {
  readonly rpc: Rpc;
  readonly settle: (result: RpcResult) => void;
  readonly expiry: NodeJS.Timeout;
  /** For the PUBACK, and in one strategy for the reply after it. */
  waitTimer: NodeJS.Timeout | null;
  isDelivered: boolean;
  /** Deliveries without a PUBACK in time. */
  timeoutCount: number;
}

export class RpcQueueFullError extends Error {}

/** Finished persistent RPCs kept for `GET /api/rpc/persistent/{id}`; the oldest is forgotten. */
const maxPersistentKept = 1_000;
/** `ACTORS_RPC_MAX_RETRIES` (spec 2.6). */
const retriesMax = 5;

export class RpcQueue {
  readonly #device: Device;
  readonly #maxPending: number;
  readonly #context: RpcContext;
  /** By request id, in the order made. */
  readonly #pending = new Map<number, Pending>();
  readonly #persistent = new Map<string, Rpc>();
  #nextRequestId = 0;

  constructor(device: Device, maxPending: number, context: RpcContext) {
    this.#device = device;
    this.#maxPending = maxPending;
    this.#context = context;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  persistent(uuid: string): Rpc | undefined {
    return this.#persistent.get(uuid);
  }

  /** Those that are kept, the latest first. */
  allPersistent(): Rpc[] {
    return [...this.#persistent.values()].reverse();
  }

  /** Forgets a persistent RPC; what is still waiting is not sent again, and a reply finds nothing. */
  deletePersistent({ uuid, requestId }: Rpc): void {
    this.#persistent.delete(uuid);
    if (this.#pending.get(requestId)?.rpc.uuid === uuid) this.#finish(requestId, { kind: "timeout" });
  }

  /** Makes an RPC and sends it at once to a subscribed session; it waits for a SUBSCRIBE otherwise. One that is past its time is not sent at all. */
  submit(request: RpcRequest): { rpc: Rpc; result: Promise<RpcResult> } {
    if (this.#pending.size >= this.#maxPending) throw new RpcQueueFullError(`${this.#maxPending} RPCs are pending`);
    const startsNow = this.#startsNow();
    const rpc: Rpc = {
      uuid: randomUUID(),
      requestId: this.#nextRequestId++,
      request,
      createdAtMs: this.#context.now(),
      hadSubscriber: startsNow && (this.#device.session?.isSubscribedToRpc ?? false),
      status: "QUEUED",
      response: null,
    };
    if (request.isPersistent) this.#remember(rpc);
    if (request.expiresAtMs <= rpc.createdAtMs) {
      rpc.status = "EXPIRED";
      return { rpc, result: Promise.resolve({ kind: "timeout" }) };
    }
    const result = new Promise<RpcResult>((settle) => {
      const waitMs = Math.min(Math.max(request.expiresAtMs - rpc.createdAtMs, 0), 2 ** 31 - 1);
      const expiry = setTimeout(() => this.#expire(rpc.requestId), waitMs);
      this.#pending.set(rpc.requestId, { rpc, settle, expiry, waitTimer: null, isDelivered: false, timeoutCount: 0 });
    });
    if (startsNow) this.#sendOrFinish(rpc.requestId);
    return { rpc, result };
  }

  /** A SUBSCRIBE to the RPC topic sends all that is unexpired and unanswered, again with the same ids (spec 11.3); in a sequence the first of them. */
  resendPending(): void {
    if (this.#isSequential) this.#sendNext();
    else for (const requestId of [...this.#pending.keys()]) this.#sendOrFinish(requestId);
  }

  get #isSequential(): boolean {
    return this.#context.rpcStrategy !== "BURST";
  }

  get #awaitsReply(): boolean {
    return this.#context.rpcStrategy === "SEQUENTIAL_ON_RESPONSE_FROM_DEVICE";
  }

  /** What the next RPC of a sequence has to wait for. */
  #ahead(): Pending[] {
    const waiting = [...this.#pending.values()].filter(({ rpc }) => rpc.status !== "FAILED");
    return this.#awaitsReply ? waiting : waiting.filter(({ isDelivered }) => !isDelivered);
  }

  #startsNow(): boolean {
    return !this.#isSequential || this.#ahead().length === 0;
  }

  /** In a sequence: the first that was not delivered, again if it was sent before. */
  #sendNext(): void {
    if (!this.#isSequential) return;
    const [first] = this.#ahead();
    if (first !== undefined && !first.isDelivered) this.#send(first.rpc.requestId);
  }

  /** A one-way RPC is over for its caller once it was sent, and only a persistent one waits for its PUBACK. */
  #sendOrFinish(requestId: number): void {
    const request = this.#pending.get(requestId)?.rpc.request;
    const isSent = this.#send(requestId);
    if (isSent && request?.isOneWay && !request.isPersistent) this.#finish(requestId, { kind: "sent" });
  }

  /** A reply of the device; stale and unknown ids are ignored (spec 2.6). */
  reply(requestId: number, payload: string): void {
    const pending = this.#pending.get(requestId);
    this.#context.events.emit("rpcReplied", { device: this.#device, requestId, payload });
    // A one-way RPC that still waits for its PUBACK takes a reply like any other.
    if (pending === undefined || pending.rpc.status === "FAILED") return;
    pending.rpc.status = "SUCCESSFUL";
    pending.rpc.response = printResponse(payload);
    this.#finish(requestId, { kind: "reply", payload });
  }

  /** Ends every wait, for a server that closes. */
  close(): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of all) settle(pending, { kind: "noActiveConnection" });
  }

  #remember(rpc: Rpc): void {
    this.#persistent.set(rpc.uuid, rpc);
    if (this.#persistent.size <= maxPersistentKept) return;
    const [oldest] = this.#persistent.keys();
    this.#persistent.delete(oldest!);
  }

  #send(requestId: number): boolean {
    const pending = this.#pending.get(requestId);
    const session = this.#device.session;
    if (pending === undefined || pending.rpc.status === "FAILED" || !session?.isSubscribedToRpc) return false;
    const { rpc } = pending;
    const { method, params, isOneWay, isPersistent } = rpc.request;
    session.sendRpc({
      requestId,
      method,
      params,
      isPersistent,
      onWritten: (qos) => this.#written(requestId, qos),
      onAcknowledged: () => this.#delivered(requestId),
    });
    this.#context.events.emit("rpcSent", { device: this.#device, requestId, method, params, isOneWay });
    return true;
  }

  #written(requestId: number, qos: 0 | 1): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    if (qos === 0) return this.#delivered(requestId);
    pending.rpc.status = "SENT";
    if (this.#device.session?.reportsDelivery === false) return;
    if (pending.waitTimer !== null) clearTimeout(pending.waitTimer);
    const remainingMs = pending.rpc.request.expiresAtMs - this.#context.now();
    pending.waitTimer = setTimeout(
      () => this.#timedOut(requestId, pending),
      Math.max(0, Math.min(this.#context.rpcAcknowledgeTimeoutMs, remainingMs)),
    );
  }

  /** No PUBACK in time: a sequence sends it again at once, otherwise the next SUBSCRIBE does, until there were too many (spec 11.4). */
  #timedOut(requestId: number, pending: Pending): void {
    const { rpc } = pending;
    const retries = Math.min(rpc.request.retries ?? retriesMax, retriesMax);
    if (pending.timeoutCount++ < retries) {
      rpc.status = "TIMEOUT";
      return this.#sendNext();
    }
    if (this.#context.closesOnRpcDeliveryTimeout) {
      rpc.status = "QUEUED";
      pending.timeoutCount = 0;
      return this.#device.session?.link.close(reason.administrativeAction, "an RPC was not acknowledged");
    }
    this.#fail(requestId, `There was a Timeout and all retry attempts have been exhausted. Retry attempts set: ${retries}`);
  }

  #delivered(requestId: number): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    if (pending.waitTimer !== null) clearTimeout(pending.waitTimer);
    pending.rpc.status = "DELIVERED";
    pending.isDelivered = true;
    // A one-way RPC has nothing more to wait for.
    if (pending.rpc.request.isOneWay) return this.#finish(requestId, { kind: "sent" });
    if (!this.#awaitsReply) return this.#sendNext();
    const fail = (): void => this.#fail(requestId, "There was a timeout awaiting for RPC response from device.");
    pending.waitTimer = setTimeout(fail, this.#context.rpcResponseTimeoutMs);
  }

  /** Nothing more is sent of it and a reply finds nothing. A caller who waits is told at the expiry, not before. */
  #fail(requestId: number, error: string): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    pending.rpc.status = "FAILED";
    pending.rpc.response = `{"error":${printString(error)}}`;
    if (pending.rpc.request.isPersistent) this.#finish(requestId, { kind: "timeout" });
    else this.#sendNext();
  }

  #expire(requestId: number): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    if (pending.rpc.request.isPersistent) pending.rpc.status = "EXPIRED";
    const isTimeout = pending.rpc.hadSubscriber || pending.rpc.status === "FAILED";
    this.#finish(requestId, { kind: isTimeout ? "timeout" : "noActiveConnection" });
  }

  #finish(requestId: number, result: RpcResult): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    this.#pending.delete(requestId);
    settle(pending, result);
    // What was delivered holds back only those who wait for replies; a one-way RPC is over with its delivery.
    if (this.#awaitsReply || !pending.isDelivered || pending.rpc.request.isOneWay) this.#sendNext();
  }
}

function settle({ settle: resolve, expiry, waitTimer }: Pending, result: RpcResult): void {
  clearTimeout(expiry);
  if (waitTimer !== null) clearTimeout(waitTimer);
  resolve(result);
}

/** What a persistent RPC shows as its response: JSON as it is, anything else as an error. */
function printResponse(payload: string): string | null {
  if (payload === "") return null;
  return isJson(payload) ? printRestJson(parseJson(payload)) : `{"error":${printString(payload)}}`;
}
