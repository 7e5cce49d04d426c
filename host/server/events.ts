// The server's observer hook: one typed stream of what happens, for live displays and tests.

import { EventEmitter } from "node:events";
import type { OtaType } from "./ota.ts";
import type { Value } from "./values.ts";

export interface DeviceName {
  readonly id: string;
  readonly name: string;
}

export type AttributeScope = "CLIENT_SCOPE" | "SHARED_SCOPE" | "SERVER_SCOPE";

/** Every event's own members; `type`, `atMs` and (where there is one) `device` are added to each. */
export interface EventBodies {
  connected: { device: DeviceName; clientId: string; protocolVersion: 3 | 4 | 5; remote: string };
  disconnected: { device: DeviceName; cause: string };
  childConnected: { device: DeviceName; gateway: string };
  childDisconnected: { device: DeviceName; gateway: string; cause: string };
  subscribed: { device: DeviceName; filter: string; qos: 0 | 1 };
  telemetry: { device: DeviceName; key: string; tsMs: number; value: Value };
  attribute: { device: DeviceName; scope: AttributeScope; key: string; value: Value };
  attributeDeleted: { device: DeviceName; scope: AttributeScope; key: string };
  attributesRequested: { device: DeviceName; requestId: number };
  rpcSent: { device: DeviceName; requestId: number; method: string; params: string; isOneWay: boolean };
  rpcReplied: { device: DeviceName; requestId: number; payload: string };
  clientRpc: { device: DeviceName; requestId: number; method: string; params: string };
  provisioned: { device: DeviceName; credentialsType: string };
  claimRequested: { device: DeviceName; isRegistered: boolean };
  claimed: { device: DeviceName };
  otaChunk: { device: DeviceName; type: OtaType; requestId: string; chunk: number; bytes: number; isLost: boolean };
  refused: { device: DeviceName | null; what: "connect" | "provision" | "subscribe" | "publish"; detail: string; reason: string };
  fault: { name: string };
}

export type EventType = keyof EventBodies;
export type EventOf<Type extends EventType> = { readonly type: Type; readonly atMs: number } & Readonly<EventBodies[Type]>;
export type ServerEvent = { [Type in EventType]: EventOf<Type> }[EventType];

export class ServerEvents {
  readonly #emitter = new EventEmitter();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.#emitter.setMaxListeners(0);
  }

  emit<Type extends EventType>(type: Type, body: EventBodies[Type]): void {
    const { device } = body as { device?: DeviceName | null };
    // Listeners get the name of a device, not the device.
    const named = device ? { device: { id: device.id, name: device.name } } : {};
    const event = { type, atMs: this.#now(), ...body, ...named };
    this.#emitter.emit(type, event);
    this.#emitter.emit("*", event);
  }

  /** Calls the listener for each event of the type, or of every type for "*"; the answer stops it. */
  on<Type extends EventType>(type: Type, listener: (event: EventOf<Type>) => void): () => void;
  on(type: "*", listener: (event: ServerEvent) => void): () => void;
  on(type: string, listener: (event: never) => void): () => void {
    this.#emitter.on(type, listener as (event: unknown) => void);
    return () => this.#emitter.off(type, listener as (event: unknown) => void);
  }

  /** The next event of the type for which `isWanted` holds; rejects when none came in time. */
  next<Type extends EventType>(
    type: Type,
    isWanted: (event: EventOf<Type>) => boolean = () => true,
    timeoutMs = 5000,
  ): Promise<EventOf<Type>> {
    return new Promise((resolve, reject) => {
      const stop = this.on(type, (event) => {
        if (!isWanted(event)) return;
        clearTimeout(timer);
        stop();
        resolve(event);
      });
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`no "${type}" event within ${timeoutMs} ms`));
      }, timeoutMs);
    });
  }
}
