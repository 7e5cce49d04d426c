// `mote server`: the local server, and a line for everything that happens in it.

import { demoDevice, startServer, type LocalServer } from "../server/server.ts";
import type { DeviceName, ServerEvent } from "../server/events.ts";
import type { RateLimitOptions } from "../server/rateLimits.ts";
import { valueText, type Value } from "../server/values.ts";
import type { DemoEvent } from "./demo.ts";
import { CommandError, ExitCode, interrupted } from "./exit.ts";
import { eventLine, writeLine } from "./print.ts";
import { type AccessOptions, readProfiles, readTls } from "./server-access.ts";

export interface ServerCommandOptions extends AccessOptions {
  readonly port: number;
  readonly restPort: number;
  readonly host: string;
  readonly token: string;
  readonly gateway: boolean;
  readonly limit?: RateLimitOptions;
  readonly serverVersion: string;
}

export async function runServer(options: ServerCommandOptions): Promise<void> {
  const { port, restPort, host, token, gateway, limit = {}, serverVersion } = options;
  const tls = readTls(options);
  const profiles = readProfiles(options);
  let server: LocalServer;
  try {
    const devices = [{ ...demoDevice, token, isGateway: gateway }];
    server = await startServer({
      mqttPort: port, restPort, host, devices, profiles, rateLimits: limit, serverVersion, log: writeLine, ...(tls && { tls }),
    });
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EACCES") {
      throw new CommandError(ExitCode.Failed, message, "choose others with --port, --rest-port and --tls-port; 0 takes any free port");
    }
    if (syscall === "listen" || syscall === "getaddrinfo") throw new CommandError(ExitCode.Failed, message, "--host takes an address of this machine");
    throw error;
  }
  // Before the lines: who reads them may end it.
  const isOver = interrupted();
  for (const { name, id } of server.devices) writeLine(`Device "${name}" has id ${id} and access token ${token}`);
  server.events.on("*", (event) => writeLine(eventLine(flatten(event), new Date(event.atMs))));
  await isOver;
  await server.close();
}

/** The event as a line has it: the device by its name, a value by its text. */
function flatten({ type, atMs: _atMs, ...members }: ServerEvent): DemoEvent {
  const flat = Object.entries(members).map(([name, value]) => {
    if (name === "device") return [name, (value as DeviceName | null)?.name];
    return [name, name === "value" ? valueText(value as Value) : value];
  });
  return { event: type, ...Object.fromEntries(flat) };
}
