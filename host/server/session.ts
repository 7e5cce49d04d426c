// One accepted login of a device: its subscriptions, downlink packet ids, replies in flight and last activity (spec 1.4, 2.11).

import { ClientRpcs } from "./clientRpc.ts";
import type { Device } from "./device.ts";
import type { Gateway } from "./gateway.ts";
import { printString } from "./json.ts";
import { OtaChunks } from "./otaChunks.ts";
import type { ProfileRegistry } from "./profiles.ts";
import type { RateLimiter } from "./rateLimits.ts";
import { filterMeaning, matchesFilter, type ProfileTopics, sessionFilterMeaning, usualTopics } from "./topics.ts";

/** A message for the device. The QoS is chosen when it is sent. */
export interface Downlink {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly onWritten?: (qos: 0 | 1) => void;
  readonly onAcknowledged?: () => void;
}

/** A server-side RPC on its way to a device. */
export interface RpcDelivery {
  readonly requestId: number;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly isPersistent: boolean;
  readonly onWritten: (qos: 0 | 1) => void;
  readonly onAcknowledged: () => void;
}

/** How the server reaches a device: over a connection of its own, or through a gateway. */
export interface DeviceSession {
  readonly link: Link;
  readonly lastActivityMs: number;
  readonly isSubscribedToRpc: boolean;
  /** Whether PUBACKs tell that an RPC arrived. */
  readonly reportsDelivery: boolean;
  sendRpc(rpc: RpcDelivery): void;
  /** Tells of changed shared attributes, if the device asked for that. */
  sendAttributesUpdate(payload: string): void;
}

/** The connection a session lives on. */
export interface Link {
  readonly remote: string;
  readonly version: 3 | 4 | 5;
  deliver(downlink: Downlink, qos: 0 | 1): void;
  /** Closes the connection; a v5 client is told `reasonCode` first, and nothing for null. */
  close(reasonCode: number | null, cause: string): void;
  /** Breaks the TCP connection at once, with a reset. */
  abort(cause: string): void;
  /** Keeps the socket open and never answers again. */
  fallSilent(): void;
}

export interface SessionContext {
  readonly now: () => number;
  readonly clientRpcTimeoutMs: number;
  readonly limiter: RateLimiter;
  readonly profiles: ProfileRegistry;
}

const packetIdMax = 65_535;

export class Session implements DeviceSession {
  readonly device: Device;
  readonly clientId: string;
  readonly link: Link;
  readonly clientRpcs: ClientRpcs;
  /** As it was at CONNECT; a later change of the device counts from the next one (spec 3). */
  readonly isGateway: boolean;
  /** What a gateway does for its children; null for any other device. */
  gateway: Gateway | null = null;
  /** Where updates go: the topic family subscribed last, null while not subscribed (spec 2.5, 11.24). */
  attributesTopic: string | null = null;
  rpcTopicPrefix: string | null = null;
  /** Replies go to the family of the latest client-side RPC (spec 11.15). */
  clientRpcResponsePrefix = "";
  lastActivityMs: number;
  readonly reportsDelivery = true;
  readonly otaChunks = new OtaChunks();
  readonly #subscriptions = new Map<string, 0 | 1>();
  readonly #awaitingAcknowledge = new Map<number, () => void>();
  readonly #now: () => number;
  readonly #limiter: RateLimiter;
  readonly #profiles: ProfileRegistry;
  #downlinkCount = 0;

  constructor(device: Device, clientId: string, link: Link, context: SessionContext) {
    this.device = device;
    this.clientId = clientId;
    this.link = link;
    this.isGateway = device.isGateway;
    this.#now = context.now;
    this.#limiter = context.limiter;
    this.#profiles = context.profiles;
    this.lastActivityMs = context.now();
    this.clientRpcs = new ClientRpcs(context.clientRpcTimeoutMs, (requestId, payload) =>
      this.send({ topic: `${this.clientRpcResponsePrefix}${requestId}`, payload }),
    );
  }

  /** Records activity of the kind that holds off the idle close (spec 11.2). */
  touch(): void {
    this.lastActivityMs = this.#now();
  }

  /** Spends the tokens of one message; false when it is over a limit (spec 5). */
  spend(dataPoints = 0): boolean {
    return this.#limiter.spend(this.isGateway ? "gatewayDevice" : "device", this.device.id, dataPoints);
  }

  /** As the device profile has it now. */
  get topics(): ProfileTopics {
    return this.#profiles.byName(this.device.type)?.topics ?? usualTopics;
  }

  /** Whether a payload that cannot be converted is acknowledged (spec 2.0, R2). */
  get acknowledgesBadPayload(): boolean {
    return this.device.acknowledgesBadPayload || (this.#profiles.byName(this.device.type)?.acknowledgesBadPayload ?? false);
  }

  /** Attribute and RPC filters cost a message each; over the limit the server drops them in silence, whatever SUBACK says (spec 2.6). */
  subscribe(filter: string, qos: 0 | 1): void {
    const meaning = sessionFilterMeaning(filter, this.topics);
    this.#subscriptions.set(filter, qos);
    const isPush = meaning?.kind === "attributes" || meaning?.kind === "rpc";
    if (isPush && !this.spend()) return;
    if (meaning?.kind === "attributes") this.attributesTopic = meaning.family.attributes;
    if (meaning?.kind === "rpc") this.rpcTopicPrefix = meaning.family.rpcRequestPrefix;
  }

  /** Whether SUBSCRIBE takes the filter (spec 2.11). */
  allows(filter: string): boolean {
    return sessionFilterMeaning(filter, this.topics) !== undefined;
  }

  isSubscribed(filter: string): boolean {
    return this.#subscriptions.has(filter);
  }

  /** There is one flag per kind: leaving one family's filter stops updates for all (spec 11.24). */
  unsubscribe(filter: string): void {
    const meaning = filterMeaning(filter);
    this.#subscriptions.delete(filter);
    const isPush = meaning?.kind === "attributes" || meaning?.kind === "rpc";
    if (isPush && !this.spend()) return;
    if (meaning?.kind === "attributes") this.attributesTopic = null;
    if (meaning?.kind === "rpc") this.rpcTopicPrefix = null;
  }

  /** Sends at the granted QoS of any matching filter; without a subscription at QoS 1 (spec 2.4). */
  send(downlink: Downlink): void {
    this.link.deliver(downlink, this.qosFor(downlink.topic));
  }

  get isSubscribedToRpc(): boolean {
    return this.rpcTopicPrefix !== null;
  }

  /** Each report of a status to the core is a message; over the limit it is lost (spec 5, 11.30). */
  sendRpc({ requestId, method, params, isPersistent, onWritten, onAcknowledged }: RpcDelivery): void {
    this.send({
      topic: `${this.rpcTopicPrefix}${requestId}`,
      payload: `{"method":${printString(method)},"params":${params}}`,
      onWritten: (qos) => {
        const isReported = qos === 0 || isPersistent;
        if (!isReported || this.spend()) onWritten(qos);
      },
      onAcknowledged: () => {
        if (this.spend()) onAcknowledged();
      },
    });
  }

  sendAttributesUpdate(payload: string): void {
    if (this.attributesTopic !== null) this.send({ topic: this.attributesTopic, payload });
  }

  qosFor(topic: string): 0 | 1 {
    for (const [filter, qos] of this.#subscriptions) {
      if (matchesFilter(filter, topic)) return qos;
    }
    return 1;
  }

  /** The packet id of the next downlink: from 1, one more for every downlink, QoS 0 ones too (spec 2.11). */
  takePacketId(): number {
    return (this.#downlinkCount++ % packetIdMax) + 1;
  }

  awaitAcknowledge(packetId: number, onAcknowledged: () => void): void {
    // After 65,535 downlinks the real server no longer matches PUBACKs (spec 11.16).
    if (this.#downlinkCount <= packetIdMax) this.#awaitingAcknowledge.set(packetId, onAcknowledged);
  }

  acknowledge(packetId: number): void {
    const onAcknowledged = this.#awaitingAcknowledge.get(packetId);
    if (onAcknowledged === undefined) return;
    this.#awaitingAcknowledge.delete(packetId);
    // Only the first ack of a QoS 1 RPC counts as activity (spec 11.2).
    this.touch();
    onAcknowledged();
  }
}
