// OTA packages, and what assigning one does to a device: shared attributes and telemetry (spec 2.10).

import { randomUUID } from "node:crypto";
import { deleteAttributes, writeAttributes } from "./attributeWrites.ts";
import { checksum, type ChecksumAlgorithm } from "./checksums.ts";
import type { Device } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import type { Value } from "./values.ts";

export const otaTypes = ["FIRMWARE", "SOFTWARE"] as const;
export type OtaType = (typeof otaTypes)[number];

/** How attributes, telemetry and topics of each type begin. */
export const otaPrefix: Record<OtaType, "fw" | "sw"> = { FIRMWARE: "fw", SOFTWARE: "sw" };

export interface OtaPackageInfo {
  readonly type: OtaType;
  readonly title: string;
  readonly version: string;
  readonly tag: string | null;
  /** Where the bytes lie when this server does not hold them. */
  readonly url: string | null;
}

export class OtaPackage implements OtaPackageInfo {
  readonly id = randomUUID();
  readonly type: OtaType;
  readonly title: string;
  readonly version: string;
  readonly tag: string | null;
  readonly url: string | null;
  readonly createdAtMs: number;
  data: Buffer | null = null;
  fileName: string | null = null;
  contentType: string | null = null;
  /** Known for uploaded bytes; for a URL only when it was given. */
  checksumAlgorithm: ChecksumAlgorithm | null = null;
  checksum: string | null = null;
  sizeBytes: number | null = null;

  constructor(info: OtaPackageInfo, createdAtMs: number) {
    this.type = info.type;
    this.title = info.title;
    this.version = info.version;
    this.tag = info.tag;
    this.url = info.url;
    this.createdAtMs = createdAtMs;
  }

  /** Only a package with bytes or a URL can be assigned. */
  get isReady(): boolean {
    return this.data !== null || this.url !== null;
  }

  setData(data: Buffer, algorithm: ChecksumAlgorithm): void {
    this.data = data;
    this.sizeBytes = data.length;
    this.checksumAlgorithm = algorithm;
    this.checksum = checksum(algorithm, data);
  }
}

export interface OtaBounds {
  readonly packages: number;
  /** Of all packages together. */
  readonly bytes: number;
  /** Of one upload over REST. */
  readonly fileBytes: number;
}

export const defaultOtaBounds: OtaBounds = { packages: 1_000, bytes: 256 * 1024 * 1024, fileBytes: 64 * 1024 * 1024 };

export class OtaBoundError extends Error {}

/** All packages of the server. */
export class OtaPackages implements Iterable<OtaPackage> {
  readonly #byId = new Map<string, OtaPackage>();
  readonly bounds: OtaBounds;
  readonly #now: () => number;

  constructor(bounds: OtaBounds, now: () => number) {
    this.bounds = bounds;
    this.#now = now;
  }

  add(info: OtaPackageInfo): OtaPackage {
    if (this.#byId.size >= this.bounds.packages) throw new OtaBoundError(`there are ${this.bounds.packages} packages already`);
    const otaPackage = new OtaPackage(info, this.#now());
    this.#byId.set(otaPackage.id, otaPackage);
    return otaPackage;
  }

  upload(otaPackage: OtaPackage, data: Buffer, algorithm: ChecksumAlgorithm): void {
    const others = [...this].reduce((sum, each) => (each === otaPackage ? sum : sum + (each.data?.length ?? 0)), 0);
    if (others + data.length > this.bounds.bytes) throw new OtaBoundError(`all packages together may have ${this.bounds.bytes} bytes`);
    otaPackage.setData(data, algorithm);
  }

  byId(id: string): OtaPackage | undefined {
    return this.#byId.get(id);
  }

  /** The same title and version exist once for each type. */
  find({ type, title, version }: OtaPackageInfo): OtaPackage | undefined {
    return [...this].find((each) => each.type === type && each.title === title && each.version === version);
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  [Symbol.iterator](): Iterator<OtaPackage> {
    return this.#byId.values();
  }
}

export interface AssignContext {
  readonly now: () => number;
  readonly events: ServerEvents;
}

/** Assigns a package, or with null takes it off. Assigning the one that is assigned changes nothing. */
export function assignPackage(device: Device, type: OtaType, otaPackage: OtaPackage | null, context: AssignContext): void {
  if (device.assignedPackages[type] === otaPackage) return;
  device.assignedPackages[type] = otaPackage;
  const { now, events } = context;
  const prefix = otaPrefix[type];
  if (otaPackage === null) {
    const keys = ["title", "version", "ts", "state", "size", "checksum", "checksum_algorithm", "url", "tag"];
    deleteAttributes(device, "SHARED_SCOPE", keys.map((key) => `${prefix}_${key}`), events);
    return;
  }
  const queuedAtMs = now();
  reportTarget(device, prefix, otaPackage, queuedAtMs, events);
  // A moment later, or the same time would overwrite QUEUED in the history.
  storeTelemetry(device, `${prefix}_state`, text("INITIATED"), Math.max(now(), queuedAtMs + 1), events);
  const attributes = attributesOf(otaPackage);
  const absent = attributes.flatMap(([key, value]) => (value === null ? [`${prefix}_${key}`] : []));
  const present = attributes.flatMap(([key, value]) => (value === null ? [] : [[`${prefix}_${key}`, value] as const]));
  if (absent.length > 0) deleteAttributes(device, "SHARED_SCOPE", absent, events);
  writeAttributes(device, "SHARED_SCOPE", present, now(), events);
}

/** In the order they are sent; null is deleted first. */
function attributesOf({ title, version, tag, url, sizeBytes, checksumAlgorithm, checksum }: OtaPackage): [string, Value | null][] {
  return [
    ["title", text(title)],
    ["version", text(version)],
    ["tag", tag === null ? null : text(tag)],
    ["url", url === null ? null : text(url)],
    ["size", sizeBytes === null ? null : { type: "long", value: BigInt(sizeBytes) }],
    ["checksum_algorithm", checksumAlgorithm === null ? null : text(checksumAlgorithm)],
    ["checksum", checksum === null ? null : text(checksum)],
  ];
}

function reportTarget(device: Device, prefix: string, { title, version, tag }: OtaPackage, tsMs: number, events: ServerEvents): void {
  storeTelemetry(device, `target_${prefix}_title`, text(title), tsMs, events);
  storeTelemetry(device, `target_${prefix}_version`, text(version), tsMs, events);
  if (tag !== null) storeTelemetry(device, `target_${prefix}_tag`, text(tag), tsMs, events);
  storeTelemetry(device, `target_${prefix}_ts`, { type: "long", value: BigInt(tsMs) }, tsMs, events);
  storeTelemetry(device, `${prefix}_state`, text("QUEUED"), tsMs, events);
}

function storeTelemetry(device: Device, key: string, value: Value, tsMs: number, events: ServerEvents): void {
  if (device.storePoint(key, { tsMs, value })) events.emit("telemetry", { device, key, tsMs, value });
}

function text(value: string): Value {
  return { type: "string", value };
}
