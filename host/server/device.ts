// The device model: who a device is, what it last said, its bounded history, its attributes; and the registry of all devices.

import { randomUUID } from "node:crypto";
import type { AttributeScope, DeviceName } from "./events.ts";
import { RpcQueue, type RpcContext } from "./rpc.ts";
import type { Session } from "./session.ts";
import type { Value } from "./values.ts";

export interface Point {
  readonly tsMs: number;
  readonly value: Value;
}

export interface Attribute {
  readonly value: Value;
  readonly lastUpdateTsMs: number;
}

/** What a device may hold. Past a bound the server keeps running and counts what it let go. */
export interface DeviceBounds {
  /** Points kept per telemetry key; the oldest in time is dropped. */
  readonly historyPerKey: number;
  /** Telemetry keys, and attributes per scope; data of further keys is dropped. */
  readonly keys: number;
  /** RPCs waiting for a reply; further ones are refused to the caller. */
  readonly pendingRpcs: number;
}

export const defaultBounds: DeviceBounds = { historyPerKey: 10_000, keys: 1_000, pendingRpcs: 1_000 };

export interface DeviceOptions {
  readonly name: string;
  readonly token: string;
  readonly id?: string;
  /** The profile option "send PUBACK on PUBLISH validation failure" (spec 2.0, R2). */
  readonly acknowledgesBadPayload?: boolean;
}

export class Device implements DeviceName {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly acknowledgesBadPayload: boolean;
  readonly createdAtMs: number;
  readonly latest = new Map<string, Point>();
  /** Points of each key, oldest first. */
  readonly history = new Map<string, Point[]>();
  readonly attributes: Record<AttributeScope, Map<string, Attribute>> = {
    CLIENT_SCOPE: new Map(),
    SHARED_SCOPE: new Map(),
    SERVER_SCOPE: new Map(),
  };
  readonly rpcs: RpcQueue;
  /** Values let go because of a bound. */
  droppedCount = 0;
  session: Session | null = null;
  readonly #bounds: DeviceBounds;

  constructor(options: DeviceOptions, bounds: DeviceBounds, context: RpcContext) {
    this.id = options.id ?? randomUUID();
    this.name = options.name;
    this.token = options.token;
    this.acknowledgesBadPayload = options.acknowledgesBadPayload ?? false;
    this.createdAtMs = context.now();
    this.#bounds = bounds;
    this.rpcs = new RpcQueue(this, bounds.pendingRpcs, context);
  }

  /** Keeps one point; the same key and time overwrites, as the server's database does (spec 1.4). */
  storePoint(key: string, point: Point): boolean {
    let points = this.history.get(key);
    if (points === undefined) {
      if (this.history.size >= this.#bounds.keys) return this.#drop();
      this.history.set(key, (points = []));
    }
    let at = points.length;
    while (at > 0 && points[at - 1]!.tsMs > point.tsMs) at--;
    const isSameTime = at > 0 && points[at - 1]!.tsMs === point.tsMs;
    points.splice(isSameTime ? at - 1 : at, isSameTime ? 1 : 0, point);
    if (points.length > this.#bounds.historyPerKey) {
      points.shift();
      this.#drop();
    }
    const latest = this.latest.get(key);
    if (latest === undefined || latest.tsMs <= point.tsMs) this.latest.set(key, point);
    return true;
  }

  storeAttribute(scope: AttributeScope, key: string, attribute: Attribute): boolean {
    const attributes = this.attributes[scope];
    if (!attributes.has(key) && attributes.size >= this.#bounds.keys) return this.#drop();
    attributes.set(key, attribute);
    return true;
  }

  #drop(): false {
    this.droppedCount++;
    return false;
  }
}

/** All devices of the server, found by id, by name and by access token. */
export class DeviceRegistry implements Iterable<Device> {
  readonly #byId = new Map<string, Device>();
  readonly #byToken = new Map<string, Device>();
  readonly #bounds: DeviceBounds;
  readonly #context: RpcContext;

  constructor(bounds: DeviceBounds, context: RpcContext) {
    this.#bounds = bounds;
    this.#context = context;
  }

  add(options: DeviceOptions): Device {
    if (this.#byToken.has(options.token)) throw new Error("another device has this access token");
    if (this.byName(options.name) !== undefined) throw new Error(`there is a device named "${options.name}" already`);
    const device = new Device(options, this.#bounds, this.#context);
    this.#byId.set(device.id, device);
    this.#byToken.set(device.token, device);
    return device;
  }

  byId(id: string): Device | undefined {
    return this.#byId.get(id);
  }

  byToken(token: string): Device | undefined {
    return this.#byToken.get(token);
  }

  byName(name: string): Device | undefined {
    return [...this].find((device) => device.name === name);
  }

  [Symbol.iterator](): Iterator<Device> {
    return this.#byId.values();
  }
}
