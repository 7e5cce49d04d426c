// Sends telemetry and client attributes, one message without waiting for its delivery and two with it. Over TLS and with a client
// certificate the program is the same: they are the member `tls` of the configuration.

import { DeviceClient } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  try {
    await client.connect();
    await client.sendTelemetry({ temperature: 41.9, enabled: false, currentFirmwareVersion: "v1.2.2" }, { qos: 0 });
    await client.sendTelemetry({ CPU: 12.0 });
    await client.sendAttributes({ status: "ok" });
    print("delivered");
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
