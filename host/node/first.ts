// The first success in TypeScript: connect, send telemetry, answer one RPC, leave.

import { DeviceClient } from "./index.ts";

export async function first(host: string, port: number, token: string): Promise<void> {
  const client = new DeviceClient({ mqtt_host: host, mqtt_port: port, access_token: token });
  const answered = new Promise<void>((resolve) => {
    client.onRpc(({ method, params }) => {
      resolve();
      return method === "setLed" ? { ok: true } : { error: `unknown method ${method}`, params };
    });
  });
  await client.connect();
  await client.sendTelemetry({ temperature: 25.5, humidity: 60, enabled: true });
  await answered;
  await client.disconnect();
}
