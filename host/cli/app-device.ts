// The device of `mote device --app` on the v8 engine: an app beside a client, and the simulated board behind it.

import { DeviceClient, type Configuration } from "../node/index.ts";
import type { Ports } from "../node/ports/port.ts";
import { Board } from "./board.ts";
import { demoEvent, type DemoDevice, type DemoEvent } from "./demo.ts";

/** What the C programs write a line for. */
const SHOWN: readonly string[] = ["Connected", "Disconnected", "Unstable", "Refused", "Restarted", "Failed", "AppFailed"];

export interface AppDeviceOptions {
  readonly configuration: Configuration;
  readonly baseDirectory: string;
  readonly ports: Partial<Ports>;
  readonly wasm: Uint8Array;
  readonly onEvent: (event: DemoEvent) => void;
}

export function startAppDevice({ configuration, baseDirectory, ports, wasm, onEvent }: AppDeviceOptions): DemoDevice {
  const client = new DeviceClient(configuration, { baseDirectory, ports });
  const board = new Board((pin, level) => onEvent({ event: "Pin", pin, level }));
  const app = client.runApp(wasm, {
    io: (operation, bytes) => board.io(operation, bytes),
    onLog: (level, line) => onEvent({ event: "Log", level, line }),
  });

  void (async () => {
    for await (const event of client.events()) if (SHOWN.includes(event.type)) onEvent(demoEvent(event));
  })();
  client.start();
  return {
    async stop(): Promise<void> {
      app.stop();
      await client.disconnect();
      await client.stop();
      onEvent({ event: "Stopped", sent: 0, delivered: 0 });
    },
  };
}
