// `mote device`: the demo device against any broker, on the engine that was chosen.

import { readFileSync } from "node:fs";
import { ReturnCodeTexts } from "../../build/generated/abi.ts";
import { ConfigurationError, MoteError, readConfiguration, type Configuration } from "../node/index.ts";
import { startAppDevice } from "./app-device.ts";
import { startDemo, type DemoDevice, type DemoEvent } from "./demo.ts";
import { CommandError, ExitCode, interrupted } from "./exit.ts";
import { hostSettings, storagePorts } from "./host-settings.ts";
import { startNative } from "./native.ts";
import { eventLine, writeLine } from "./print.ts";

export type Engine = "wasm3" | "aot" | "v8";

export interface DeviceOptions {
  readonly config: string;
  readonly engine: Engine;
  readonly host?: string;
  readonly port?: number;
  readonly interval?: number;
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
  // Before there is a program that a signal would leave behind.
  const isOver = interrupted();
  const device = start(options, configuration, baseDirectory, onEvent, fail);
  try {
    await Promise.race([isOver, failed]);
  } finally {
    await device.stop();
  }
}

function start(
  options: DeviceOptions, configuration: Configuration, baseDirectory: string,
  onEvent: (event: DemoEvent) => void, onExit: (error: CommandError) => void,
): DemoDevice {
  const { config, engine, host, port, interval, app } = options;
  const wasm = app === undefined ? undefined : readApp(app);
  if (engine !== "v8") {
    const place = [...(host === undefined ? [] : ["--host", host]), ...(port === undefined ? [] : ["--port", String(port)])];
    const program = app === undefined ? [] : ["--app", app];
    const pace = interval === undefined ? [] : ["--interval", String(interval)];
    return startNative({ engine, onEvent, onExit, arguments: ["--config", config, ...place, ...pace, ...program] });
  }
  const overridden = {
    ...configuration, ...(host === undefined ? {} : { mqtt_host: host }), ...(port === undefined ? {} : { mqtt_port: port }),
  };
  let storeDirectory: string | undefined;
  try {
    const settings = hostSettings(configuration, baseDirectory);
    ({ storeDirectory } = settings);
    const ports = storagePorts(settings);
    if (wasm !== undefined) return startAppDevice({ configuration: overridden, baseDirectory, ports, wasm, onEvent });
    return startDemo({ configuration: overridden, baseDirectory, ports, intervalMs: interval ?? settings.intervalMs, onEvent });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    const why = error instanceof MoteError && error.status === "StoreFailed" ? error.text : syscall && code;
    if (storeDirectory !== undefined && why !== undefined) throw new CommandError(ExitCode.Usage, `cannot use ${storeDirectory}: ${why}`, "store_directory is a folder, made if it is missing");
    if (app !== undefined && !(error instanceof ConfigurationError)) throw asUsage(app, error, "assembly/app/ABI.md says what an app may do");
    throw asUsage(config, error);
  }
}

function readApp(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw asUsage(path, error);
  }
}

function read(path: string): { configuration: Configuration; baseDirectory: string } {
  try {
    return readConfiguration(path);
  } catch (error) {
    throw asUsage(path, error);
  }
}

/** What a file lacks is the user's to mend. */
function asUsage(path: string, error: unknown, hint = "assembly/ABI.md, section 4, lists the keys"): unknown {
  if (error instanceof MoteError) return new CommandError(ExitCode.Usage, `${path}: ${error.message}`, hint);
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === undefined ? error : new CommandError(ExitCode.Usage, `cannot read ${path}: ${code}`);
}

function notConnected(message: string, hint: string): CommandError {
  return new CommandError(ExitCode.NotConnected, message, hint);
}
