// A gateway that asks for a shared attribute of one child.

import { GatewayClient } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const gateway = new GatewayClient(configuration);
  try {
    await gateway.connect();
    const child = await gateway.connectChild("Test Device A1");
    const { temperature } = await child.requestAttributes({ scope: "shared", keys: ["temperature"] });
    print(`${child.name}: ${JSON.stringify(temperature)}`);
    await gateway.disconnect();
  } finally {
    await gateway.stop();
  }
}
