// What the object `host` of a configuration says to the demo device, on the v8 engine as in the C programs (boards/posix/README.md).

import { join, resolve } from "node:path";
import { Status, StoreArea } from "../../build/generated/abi.ts";
import { faultOfText } from "../node/check.ts";
import { ConfigurationError, type Configuration } from "../node/index.ts";
import { FileSlot } from "../node/ports/image.ts";
import { SlotOta } from "../node/ports/ota.ts";
import type { Ports } from "../node/ports/port.ts";
import { AREA_BYTES, ERASE_BYTES, FileStore, type AreaBytes } from "../node/ports/store.ts";

const INTERVAL_MS = 1000;
const INTERVAL_MS_MAX = 86_400_000;
const AREA_BYTES_MAX = 2 ** 30;
const IMAGE_BYTES_MAX = 2 ** 31 - 1;
const AREA_KEYS: Readonly<Record<string, number>> = { journal_size: StoreArea.Journal, queue_size: StoreArea.Queue, database_size: StoreArea.Database };

export interface HostSettings {
  readonly intervalMs: number;
  readonly storeDirectory: string | undefined;
  readonly areaBytes: AreaBytes;
  readonly imageBytesMax: number;
}

/** Throws a ConfigurationError for what the C programs refuse. Names are relative to the folder of the configuration. */
export function hostSettings({ host = {} }: Configuration, baseDirectory: string): HostSettings {
  const settings = host as Readonly<Record<string, unknown>>;
  const { interval_ms: intervalMs = INTERVAL_MS, store_directory: store, image_size: imageBytesMax = IMAGE_BYTES_MAX } = settings;
  if (!Number.isInteger(intervalMs) || (intervalMs as number) < 1 || (intervalMs as number) > INTERVAL_MS_MAX) throw refused(Status.InvalidValue, "host.interval_ms");
  const areaBytes: Record<number, number> = { ...AREA_BYTES };
  for (const [key, area] of Object.entries(AREA_KEYS)) {
    areaBytes[area] = size(settings[key] ?? areaBytes[area], key, AREA_BYTES_MAX);
    if (areaBytes[area] % ERASE_BYTES !== 0) throw refused(Status.InvalidValue, key);
  }
  const status = store === undefined ? Status.Ok : typeof store === "string" ? faultOfText(store) : Status.WrongType;
  if (status !== Status.Ok) throw refused(status, "store_directory");
  return {
    intervalMs: intervalMs as number,
    storeDirectory: store === undefined ? undefined : resolve(baseDirectory, store as string),
    areaBytes,
    imageBytesMax: size(imageBytesMax, "image_size", IMAGE_BYTES_MAX),
  };
}

/** The store and the slot for images in the folder that the settings name; those of the client when they name none. */
export function storagePorts({ storeDirectory, areaBytes, imageBytesMax }: HostSettings): Partial<Ports> {
  if (storeDirectory === undefined) return {};
  return { store: new FileStore(storeDirectory, areaBytes), ota: new SlotOta(new FileSlot(join(storeDirectory, "images"), imageBytesMax)) };
}

function size(value: unknown, key: string, bytesMax: number): number {
  if (typeof value !== "number") throw refused(Status.WrongType, key);
  if (!Number.isInteger(value) || value < 0 || value > bytesMax) throw refused(Status.InvalidValue, key);
  return value;
}

function refused(status: number, text: string): ConfigurationError {
  return new ConfigurationError(status, "configuration", { text });
}
