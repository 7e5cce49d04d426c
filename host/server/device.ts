// The device model: who a device is, what it last said, its bounded history, its attributes; and the registry of all devices.

import { randomUUID } from "node:crypto";
import { accessToken, type Credentials, credentialsId, randomAlphanumeric } from "./credentials.ts";
import type { AttributeScope, DeviceName } from "./events.ts";
import { type Json, JsonNumber, type JsonObject } from "./json.ts";
import type { OtaPackage, OtaType } from "./ota.ts";
import { RpcQueue, type RpcContext } from "./rpc.ts";
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
  /** Devices of the server; a further one is refused to whoever asks for it. */
  readonly devices: number;
}

export const defaultBounds: DeviceBounds = { historyPerKey: 10_000, keys: 1_000, pendingRpcs: 1_000, devices: 10_000 };

/** Longest name of a device, in characters. */
const nameLengthMax = 255;

export interface DeviceOptions {
  readonly name: string;
  /** Short for access token credentials. A device with neither gets a random token, as ThingsBoard gives it. */
  readonly token?: string;
  readonly credentials?: Credentials;
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
  /** Changed by the registry alone, which finds the device by them. */
  credentials: Credentials;
  /** Who claimed the device. */
  customerId: string | null = null;
  readonly #bounds: DeviceBounds;

  constructor(options: DeviceOptions, bounds: DeviceBounds, context: RpcContext) {
    this.id = options.id ?? randomUUID();
    this.name = options.name;
    this.credentials = options.credentials ?? accessToken(options.token ?? randomAlphanumeric());
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
    return asBoolean(this.additionalInfo.get("gateway"));
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

/** As the server's JSON library reads a flag: the text "true" and a whole number other than 0 count too. */
function asBoolean(flag: Json | undefined): boolean {
  return flag === true || flag === "true" || (flag instanceof JsonNumber && Math.trunc(Number(flag.text)) !== 0);
}

/** A device that cannot be added or changed as asked. */
export class DeviceError extends Error {}

/** All devices of the server, found by id, by name and by credentials. */
export class DeviceRegistry implements Iterable<Device> {
  readonly #byId = new Map<string, Device>();
  readonly #byName = new Map<string, Device>();
  readonly #byCredentialsId = new Map<string, Device>();
  readonly #bounds: DeviceBounds;
  readonly #context: RpcContext;

  constructor(bounds: DeviceBounds, context: RpcContext) {
    this.#bounds = bounds;
    this.#context = context;
  }

  get isFull(): boolean {
    return this.#byId.size >= this.#bounds.devices;
  }

  add(options: DeviceOptions): Device {
    const device = new Device(options, this.#bounds, this.#context);
    const id = credentialsId(device.credentials);
    if (this.isFull) throw new DeviceError(`there are ${this.#bounds.devices} devices already`);
    if (device.name.trim() === "") throw new DeviceError("Device name should be specified!");
    if (device.name.includes("\0")) throw new DeviceError("Device name should not contain 0x00 symbol!");
    if (device.name.length > nameLengthMax) throw new DeviceError(`a device name has at most ${nameLengthMax} characters`);
    if (this.#byName.has(device.name)) throw new DeviceError(`there is a device named "${device.name}" already`);
    this.#requireFree(id, device);
    this.#byId.set(device.id, device);
    this.#byName.set(device.name, device);
    this.#byCredentialsId.set(id, device);
    return device;
  }

  /** Gives a device other credentials; whoever is connected with the old ones has to be closed by the caller. */
  changeCredentials(device: Device, credentials: Credentials): void {
    const id = credentialsId(credentials);
    this.#requireFree(id, device);
    this.#byCredentialsId.delete(credentialsId(device.credentials));
    this.#byCredentialsId.set(id, device);
    device.credentials = credentials;
  }

  remove(device: Device): void {
    this.#byId.delete(device.id);
    this.#byName.delete(device.name);
    this.#byCredentialsId.delete(credentialsId(device.credentials));
    device.rpcs.close();
  }

  byId(id: string): Device | undefined {
    return this.#byId.get(id);
  }

  byCredentialsId(id: string): Device | undefined {
    return this.#byCredentialsId.get(id);
  }

  byToken(token: string): Device | undefined {
    const device = this.byCredentialsId(token);
    return device?.credentials.type === "ACCESS_TOKEN" ? device : undefined;
  }

  byName(name: string): Device | undefined {
    return this.#byName.get(name);
  }

  [Symbol.iterator](): Iterator<Device> {
    return this.#byId.values();
  }

  #requireFree(id: string, device: Device): void {
    const holder = this.#byCredentialsId.get(id);
    // The id of a token is the token itself, which is a secret: it is not named.
    if (holder !== undefined && holder !== device) throw new DeviceError("another device has these credentials: the same access token, user name or certificate");
  }
}
