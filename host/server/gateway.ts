// One connected gateway and the child devices it speaks for (spec 3, 11.7, 11.11, 11.26, 11.27, 11.30).

import { type Device, DeviceError, type DeviceRegistry } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import type { Faults } from "./faults.ts";
import { GatewayMetrics } from "./gatewayMetrics.ts";
import { printString } from "./json.ts";
import type { RateLimiter } from "./rateLimits.ts";
import { reason } from "./reasons.ts";
import type { DeviceSession, Link, RpcDelivery, Session } from "./session.ts";
import { gatewayTopics } from "./topics.ts";

export interface GatewayContext {
  readonly devices: DeviceRegistry;
  readonly limiter: RateLimiter;
  readonly events: ServerEvents;
  readonly faults: Faults;
  readonly failures: CreationFailures;
  readonly now: () => number;
}

/** Names whose device could not be made: the server goes on refusing them for a while (spec 11.34). */
export class CreationFailures {
  readonly #now: () => number;
  readonly #untilMs = new Map<string, number>();
  static readonly lifetimeMs = 5 * 60 * 1000;
  /** The oldest is forgotten. */
  static readonly namesMax = 10_000;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(name: string): void {
    this.#untilMs.delete(name);
    this.#untilMs.set(name, this.#now() + CreationFailures.lifetimeMs);
    if (this.#untilMs.size <= CreationFailures.namesMax) return;
    const [oldest] = this.#untilMs.keys();
    this.#untilMs.delete(oldest!);
  }

  has(name: string): boolean {
    return this.#now() < (this.#untilMs.get(name) ?? -Infinity);
  }
}

/** Why a child cannot be registered: no room for its device, or the gateway is over its limit. */
export type ChildRefusal = "deviceLimit" | "failed" | "rateLimit";

export class Gateway {
  readonly session: Session;
  readonly metrics = new GatewayMetrics();
  readonly #context: GatewayContext;
  readonly #children = new Map<string, ChildSession>();

  constructor(session: Session, context: GatewayContext) {
    this.session = session;
    this.#context = context;
  }

  get device(): Device {
    return this.session.device;
  }

  child(name: string): ChildSession | undefined {
    return this.#children.get(name);
  }

  /** Spends for one message sent for a child (spec 3.8). */
  spend(dataPoints = 0): boolean {
    return !this.#context.faults.take("exceedRate") && this.spendForEvent(dataPoints);
  }

  /** What the server itself reports about a child costs too (spec 11.30). */
  spendForEvent(dataPoints = 0): boolean {
    return this.#context.limiter.spend("gateway", this.device.id, dataPoints);
  }

  /** The child of this name, made and opened on first use with attribute and RPC subscriptions; that costs two messages. */
  register(name: string, type = "default"): ChildSession | ChildRefusal {
    const known = this.#children.get(name);
    if (known !== undefined) {
      known.touch();
      return known;
    }
    const { events, faults } = this.#context;
    if (faults.take("refuseChild")) return "deviceLimit";
    if (!this.spend()) return "rateLimit";
    const device = this.#findOrCreate(name, type);
    if (typeof device === "string") return device;
    if (device === this.device) return "failed";
    device.session?.link.close(reason.sessionTakenOver, "a gateway took the device over");
    // When the second message is over the limit the child is there and hears of nothing (spec 11.30).
    const child = new ChildSession(device, this, this.spendForEvent(), this.#context.now);
    device.session = child;
    this.#children.set(name, child);
    events.emit("childConnected", { device, gateway: this.device.name });
    if (child.isOpen) device.rpcs.resendPending();
    return child;
  }

  #findOrCreate(name: string, type: string): Device | ChildRefusal {
    const { devices, failures } = this.#context;
    if (failures.has(name)) return "deviceLimit";
    const found = devices.byName(name);
    if (found !== undefined) return found;
    if (devices.isFull) {
      failures.add(name);
      return "deviceLimit";
    }
    try {
      return devices.add({ name, type });
    } catch (error) {
      if (error instanceof DeviceError) return "failed";
      throw error;
    }
  }

  /** Ends a child's session. The gateway is not told (spec 11.11). */
  end(child: ChildSession, cause: string): void {
    const { device } = child;
    if (this.#children.get(device.name) !== child) return;
    this.#children.delete(device.name);
    this.spendForEvent();
    if (device.session === child) device.session = null;
    this.#context.events.emit("childDisconnected", { device, gateway: this.device.name, cause });
  }

  /** After a reconnect the server knows no children (spec 3.4). */
  close(): void {
    for (const child of [...this.#children.values()]) this.end(child, "the gateway has gone");
  }

  /** Tells an MQTT 5 gateway that something is wrong with a child, which stays registered (spec 11.11). */
  notify(name: string, reasonCode: number): void {
    if (this.session.link.version !== 5) return;
    this.session.send({ topic: gatewayTopics.disconnect, payload: printNotice(name, reasonCode) });
  }
}

export function printNotice(name: string, reasonCode: number): string {
  return `{"device":${printString(name)},"reason":${reasonCode}}`;
}

/** A child device as long as its gateway speaks for it. */
export class ChildSession implements DeviceSession {
  readonly device: Device;
  readonly gateway: Gateway;
  /** Whether attribute updates and RPC reach it. */
  readonly isOpen: boolean;
  /** PUBACKs of the gateway say nothing about a child's RPC (spec 3.9). */
  readonly reportsDelivery = false;
  readonly link: Link;
  readonly #now: () => number;
  #lastActivityMs: number;

  constructor(device: Device, gateway: Gateway, isOpen: boolean, now: () => number) {
    this.device = device;
    this.gateway = gateway;
    this.isOpen = isOpen;
    this.#now = now;
    this.#lastActivityMs = now();
    this.link = childLink(this);
  }

  touch(): void {
    this.#lastActivityMs = this.#now();
  }

  get lastActivityMs(): number {
    const { device, session } = this.gateway;
    return device.extendsChildren ? Math.max(this.#lastActivityMs, session.lastActivityMs) : this.#lastActivityMs;
  }

  get isSubscribedToRpc(): boolean {
    return this.isOpen;
  }

  /** Only a persistent RPC has its status reported (spec 3.9, 11.29). */
  sendRpc({ requestId, method, params, isPersistent, onWritten }: RpcDelivery): void {
    const data = `{"id":${requestId},"method":${printString(method)},"params":${params}}`;
    this.#send(gatewayTopics.rpc, data, (qos) => {
      if (isPersistent && this.gateway.spendForEvent()) onWritten(qos);
    });
  }

  sendAttributesUpdate(payload: string): void {
    if (this.isOpen) this.#send(gatewayTopics.attributes, payload);
  }

  #send(topic: string, data: string, onWritten: (qos: 0 | 1) => void = () => {}): void {
    const payload = `{"device":${printString(this.device.name)},"data":${data}}`;
    this.gateway.session.send({ topic, payload, onWritten });
  }
}

/** A child has no connection of its own: what closes a device's connection ends the child's session alone. */
function childLink(child: ChildSession): Link {
  const { gateway } = child;
  const end = (cause: string): void => gateway.end(child, cause);
  return {
    remote: gateway.session.link.remote,
    version: gateway.session.link.version,
    deliver: (downlink, qos) => gateway.session.link.deliver(downlink, qos),
    close: (_reasonCode, cause) => end(cause),
    abort: end,
    fallSilent: () => {},
  };
}
