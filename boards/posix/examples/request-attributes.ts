// Asks the server for client and shared attributes.

import { DeviceClient } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  try {
    await client.connect();
    const { client: own, shared } = await client.requestAttributes({ client: ["configuration"], shared: ["targetFirmwareVersion"], timeoutMs: 20_000 });
    print(JSON.stringify({ client: own, shared }));
    if (own["configuration"] === undefined) print("no configuration");
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
