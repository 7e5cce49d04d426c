// The device model: who a device is, what it last said, its bounded history, its attributes; and the registry of all devices.

import { randomUUID } from "node:crypto";
import type { AttributeScope, DeviceName } from "./events.ts";
import { RpcQueue, type RpcContext } from "./rpc.ts";
import type { JsonObject } from "./json.ts";
import type { OtaPackage, OtaType } from "./ota.ts";
import type { DeviceSession } from "./session.ts";
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
  /** Name of the device profile: "default" unless given. */
  readonly type?: string;
  /** ThingsBoard's free-form object; its member `gateway` makes the device a gateway. */
  readonly additionalInfo?: JsonObject;
  /** Short for the member `gateway`. */
  readonly isGateway?: boolean;
}

export class Device implements DeviceName {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly acknowledgesBadPayload: boolean;
  readonly type: string;
  additionalInfo: JsonObject;
  readonly assignedPackages: Record<OtaType, OtaPackage | null> = { FIRMWARE: null, SOFTWARE: null };
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
  session: DeviceSession | null = null;
  readonly #bounds: DeviceBounds;

  constructor(options: DeviceOptions, bounds: DeviceBounds, context: RpcContext) {
    this.id = options.id ?? randomUUID();
    this.name = options.name;
    this.token = options.token;
    this.acknowledgesBadPayload = options.acknowledgesBadPayload ?? false;
    this.type = options.type ?? "default";
    this.additionalInfo = new Map(options.additionalInfo);
    if (options.isGateway) this.additionalInfo.set("gateway", true);
    this.createdAtMs = context.now();
    this.#bounds = bounds;
    this.rpcs = new RpcQueue(this, bounds.pendingRpcs, context);
  }

  /** May speak for child devices (spec 3); looked at when the device connects. */
  get isGateway(): boolean {
    return this.additionalInfo.get("gateway") === true;
  }

  /** Activity of the gateway is activity of its children (spec 3.4). */
  get extendsChildren(): boolean {
    return this.additionalInfo.get("overwriteActivityTime") === true;
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
