// A gateway that answers RPC to its child, until it is interrupted.

import { loadavg } from "node:os";
import { GatewayClient } from "../../../host/node/index.ts";
import { interrupted, type Stage } from "./example.ts";

export async function example({ configuration, signal }: Stage): Promise<void> {
  const gateway = new GatewayClient(configuration);
  try {
    await gateway.connect();
    const child = await gateway.connectChild("Test Device A1");
    child.onRpc(({ method }) => (method === "getCPULoad" ? { "CPU load": loadavg()[0]! } : { error: "unknown method" }));
    await interrupted(signal);
    await gateway.disconnect();
  } finally {
    await gateway.stop();
  }
}
