// What the object `host` of a configuration says to the demo device, on the v8 engine as in the C programs (boards/posix/README.md).

import { resolve } from "node:path";
import { Status } from "../../build/generated/abi.ts";
import { faultOfText } from "../node/check.ts";
import { ConfigurationError, type Configuration } from "../node/index.ts";

const INTERVAL_MS = 1000;
const INTERVAL_MS_MAX = 86_400_000;

export interface HostSettings {
  readonly intervalMs: number;
  readonly storeDirectory: string | undefined;
}

/** Throws a ConfigurationError for what the C programs refuse. Names are relative to the folder of the configuration. */
export function hostSettings({ host = {} }: Configuration, baseDirectory: string): HostSettings {
  const { interval_ms: intervalMs = INTERVAL_MS, store_directory: store } = host as Readonly<Record<string, unknown>>;
  if (!Number.isInteger(intervalMs) || (intervalMs as number) < 1 || (intervalMs as number) > INTERVAL_MS_MAX) {
    throw new ConfigurationError(Status.InvalidValue, "configuration", { text: "host.interval_ms" });
  }
  if (store === undefined) return { intervalMs: intervalMs as number, storeDirectory: undefined };
  const status = typeof store === "string" ? faultOfText(store) : Status.WrongType;
  if (status !== Status.Ok) throw new ConfigurationError(status, "configuration", { text: "store_directory" });
  return { intervalMs: intervalMs as number, storeDirectory: resolve(baseDirectory, store as string) };
}
