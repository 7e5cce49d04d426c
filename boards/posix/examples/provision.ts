// Asks for credentials in a session of its own, and connects with them. A client with the member `provision` in its configuration
// and a `storeDirectory` does the same by itself, and keeps what it got.

import { DeviceClient, provision } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const { provision: request, ...place } = configuration;
  const { credentialsType, configuration: credentials } = await provision(place, {
    provisionDeviceKey: request!.provisionDeviceKey, provisionDeviceSecret: request!.provisionDeviceSecret, deviceName: request!.deviceName,
  });
  print(`provisioned with ${credentialsType}`);
  const client = new DeviceClient({ ...place, ...credentials });
  try {
    await client.connect();
    await client.sendTelemetry({ provisioned: true });
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
