// The demo device: what it measures and answers, on the v8 engine; the C programs do the same (README.md).

import { DeviceClient, MoteError, type Configuration, type LinkEvent, type MessageValues, type RpcRequest } from "../node/index.ts";
import type { Ports } from "../node/ports/port.ts";

/** One line of the device; README.md lists them. */
export type DemoEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

export interface DemoDevice {
  /** Ends the device in an orderly way; resolves after its last line. */
  stop(): Promise<void>;
}

export interface DemoOptions {
  readonly configuration: Configuration;
  readonly baseDirectory: string;
  readonly ports?: Partial<Ports>;
  readonly intervalMs: number;
  readonly onEvent: (event: DemoEvent) => void;
}

const FIRMWARE = "v1.2.2";

export function startDemo({ configuration, baseDirectory, ports, intervalMs, onEvent }: DemoOptions): DemoDevice {
  const client = new DeviceClient(configuration, { baseDirectory, ports, whenFull: "reject" });
  let isEnabled = true;
  let sequence = 0;
  let delivered = 0;
  let timer: NodeJS.Timeout | undefined;

  const send = async (event: "Telemetry" | "Attributes", values: MessageValues): Promise<void> => {
    let id = 0;
    const options = {
      qos: 1,
      onAppended: (appended: number): void => {
        id = appended;
        if (event === "Telemetry") sequence++;
        onEvent({ event, id, values });
      },
    } as const;
    try {
      await (event === "Telemetry" ? client.sendTelemetry(values, options) : client.sendAttributes(values, options));
      if (event === "Telemetry") delivered++;
      onEvent({ event: "Delivered", id });
    } catch (error) {
      // No room now, or the end of the client came first: neither is a failure of the demo.
      if (!(error instanceof MoteError)) throw error;
    }
  };
  const measure = (): void => {
    void send("Telemetry", {
      temperature: 25.5 + (sequence % 10) / 10, humidity: 60 - (sequence % 5), enabled: isEnabled, fw: FIRMWARE, sequence: sequence + 1,
    });
  };
  const answer = ({ method, params }: RpcRequest): MessageValues => {
    if (method === "getState") return { enabled: isEnabled, sequence };
    if (method !== "setLed") return { error: "unknown method" };
    isEnabled = (params as { on?: unknown } | undefined)?.on === true;
    return { ok: true };
  };
  client.onRpc((request) => {
    const reply = answer(request);
    onEvent({ event: "RpcRequest", id: request.id, method: request.method, params: request.params, reply });
    return reply;
  });
  void (async () => {
    for await (const event of client.events()) {
      onEvent(demoEvent(event));
      if (event.type !== "Connected" || timer !== undefined) continue;
      void send("Attributes", { fw: FIRMWARE, engine: "v8" });
      timer = setInterval(measure, intervalMs);
      measure();
    }
  })();
  client.start();
  return {
    async stop(): Promise<void> {
      clearInterval(timer);
      await client.disconnect();
      await client.stop();
      onEvent({ event: "Stopped", sent: sequence, delivered });
    },
  };
}

/** Members as C writes them: snake_case. */
export function demoEvent({ type, ...members }: LinkEvent): DemoEvent {
  const renamed = Object.entries(members).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]);
  return { event: type, ...Object.fromEntries(renamed) };
}
