// `mote device`: the demo device against any broker, on the engine that was chosen.

import { readFileSync } from "node:fs";
import { ReturnCodeTexts } from "../../build/generated/abi.ts";
import { ConfigurationError, MoteError, readConfiguration, type Configuration } from "../node/index.ts";
import { startAppDevice } from "./app-device.ts";
import { startDemo, type DemoDevice, type DemoEvent } from "./demo.ts";
import { CommandError, ExitCode, interrupted } from "./exit.ts";
import { startNative } from "./native.ts";
import { eventLine, writeLine } from "./print.ts";

export type Engine = "wasm3" | "aot" | "v8";

export interface DeviceOptions {
  readonly config: string;
  readonly engine: Engine;
  readonly host?: string;
  readonly port?: number;
  readonly interval: number;
  readonly app?: string;
  readonly retry: boolean;
  readonly json: boolean;
}

export async function runDevice(options: DeviceOptions): Promise<void> {
  const { configuration, baseDirectory } = read(options.config);
  const address = `${options.host ?? configuration.mqtt_host}:${options.port ?? configuration.mqtt_port ?? "the default port"}`;
  let isConnected = false;
  let fail!: (error: CommandError) => void;
  const failed = new Promise<never>((_resolve, reject) => { fail = reject; });
  const onEvent = (event: DemoEvent): void => {
    writeLine(options.json ? JSON.stringify(event) : eventLine(event));
    const { event: type, reason, return_code: returnCode } = event;
    if (type === "Connected") isConnected = true;
    if (type === "Failed") fail(new CommandError(ExitCode.Failed, "the client gave up after repeated faults"));
    if (isConnected || options.retry) return;
    if (type === "Refused") fail(notConnected(`${address} refused the connection: ${ReturnCodeTexts[Number(returnCode)] ?? String(returnCode)}`, "check access_token or user_name"));
    if (type === "Disconnected") fail(notConnected(`no connection to ${address}: ${String(reason)}`, "--retry keeps trying"));
  };
  const device = start(options, configuration, baseDirectory, onEvent, fail);
  try {
    await Promise.race([interrupted(), failed]);
  } finally {
    await device.stop();
  }
}

function start(
  options: DeviceOptions, configuration: Configuration, baseDirectory: string,
  onEvent: (event: DemoEvent) => void, onExit: (error: CommandError) => void,
): DemoDevice {
  const { config, engine, host, port, interval, app } = options;
  if (engine !== "v8") {
    const place = [...(host === undefined ? [] : ["--host", host]), ...(port === undefined ? [] : ["--port", String(port)])];
    const program = app === undefined ? [] : ["--app", app];
    return startNative({ engine, onEvent, onExit, arguments: ["--config", config, ...place, "--interval", String(interval), ...program] });
  }
  const overridden = {
    ...configuration, ...(host === undefined ? {} : { mqtt_host: host }), ...(port === undefined ? {} : { mqtt_port: port }),
  };
  try {
    if (app !== undefined) return startAppDevice({ configuration: overridden, baseDirectory, wasm: readFileSync(app), onEvent });
    return startDemo({ configuration: overridden, baseDirectory, intervalMs: interval, onEvent });
  } catch (error) {
    throw asUsage(error instanceof MoteError && !(error instanceof ConfigurationError) && app !== undefined ? app : config, error);
  }
}

function read(path: string): { configuration: Configuration; baseDirectory: string } {
  try {
    return readConfiguration(path);
  } catch (error) {
    throw asUsage(path, error);
  }
}

/** What the configuration lacks is the user's to mend. */
function asUsage(path: string, error: unknown): unknown {
  if (error instanceof MoteError) return new CommandError(ExitCode.Usage, `${path}: ${error.message}`, "assembly/ABI.md, section 4, lists the keys");
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "EISDIR" || code === "EACCES") return new CommandError(ExitCode.Usage, `cannot read ${path}: ${code}`);
  return error;
}

function notConnected(message: string, hint: string): CommandError {
  return new CommandError(ExitCode.NotConnected, message, hint);
}
