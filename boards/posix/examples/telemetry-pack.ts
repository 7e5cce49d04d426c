// Sends a hundred measurements, each with the time at which it was made, as many at once as the outbox and `max_inflight` allow.

import { DeviceClient } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

const MEASUREMENTS = 100;

export async function example({ configuration, print }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  try {
    await client.connect();
    const firstMs = Date.now() - MEASUREMENTS;
    const sent = Array.from({ length: MEASUREMENTS }, (_, index) =>
      client.sendTelemetry({ ts: firstMs + index, values: { temperature: 42.1, humidity: 70 } }));
    await Promise.all(sent);
    print(`${sent.length} delivered`);
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
