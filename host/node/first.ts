// The first success in TypeScript: connect, send telemetry, answer one RPC, leave.
//
//   node --import tsx host/node/first.ts [host] [port] [token]

import { DeviceClient } from "./index.ts";

async function first(host = "127.0.0.1", port = "1883", token = "DEMO_TOKEN"): Promise<void> {
  const client = new DeviceClient({ mqtt_host: host, mqtt_port: Number(port), access_token: token });
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

await first(...process.argv.slice(2));
