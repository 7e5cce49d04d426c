// A gateway that sends telemetry and attributes for one child.

import { GatewayClient } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const gateway = new GatewayClient(configuration);
  try {
    await gateway.connect();
    const child = await gateway.connectChild("Test Device A1");
    await child.sendTelemetry({ ts: Date.now(), values: { temperature: 42.2 } });
    await child.sendAttributes({ firmwareVersion: "2.3.1" });
    await gateway.disconnectChild(child.name);
    print("delivered");
    await gateway.disconnect();
  } finally {
    await gateway.stop();
  }
}
