// `mote server`: the local server, and a line for everything that happens in it.

import { demoDevice, startServer, type LocalServer } from "../server/server.ts";
import { CommandError, ExitCode, interrupted } from "./exit.ts";
import { eventLine, writeLine } from "./print.ts";

export interface ServerCommandOptions {
  readonly port: number;
  readonly restPort: number;
  readonly host: string;
  readonly token: string;
}

export async function runServer({ port, restPort, host, token }: ServerCommandOptions): Promise<void> {
  let server: LocalServer;
  try {
    server = await startServer({ mqttPort: port, restPort, host, devices: [{ ...demoDevice, token }], log: writeLine });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL") {
      throw new CommandError(ExitCode.Failed, message, "choose others with --port and --rest-port; 0 takes any free port");
    }
    throw error;
  }
  for (const { name, id, token: accessToken } of server.devices) writeLine(`Device "${name}" has id ${id} and access token ${accessToken}`);
  server.events.on("*", ({ type, atMs, ...members }) => {
    const flat = Object.entries(members).map(([name, value]) => [name, name === "device" ? (value as { name: string } | null)?.name : value]);
    writeLine(eventLine({ event: type, ...Object.fromEntries(flat) }, new Date(atMs)));
  });
  await interrupted();
  await server.close();
}
