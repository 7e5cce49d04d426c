// A gateway that answers RPC to its child, until it is interrupted.

import { loadavg } from "node:os";
import { GatewayClient } from "../../../host/node/index.ts";
import { interrupted, type Stage } from "./example.ts";

export async function example({ configuration, signal }: Stage): Promise<void> {
  const gateway = new GatewayClient(configuration);
  // Before any child is there, so that no request comes too early; `child.onRpc` is for one alone.
  gateway.onChildRpc(({ method }) => (method === "getCPULoad" ? { "CPU load": loadavg()[0]! } : { error: "unknown method" }));
  try {
    await gateway.connect();
    await gateway.connectChild("Test Device A1");
    await interrupted(signal);
    await gateway.disconnect();
  } finally {
    await gateway.stop();
  }
}
