// Makes the device claimable for a minute by who knows the code.

import { DeviceClient } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  try {
    await client.connect();
    await client.claim({ secretKey: "my_claim_code", durationMs: 60_000 });
    print("claimable");
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
