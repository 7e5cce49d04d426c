// Answers server-side RPC with what this machine is doing, until it is interrupted.

import { availableParallelism, freemem, loadavg, totalmem } from "node:os";
import { DeviceClient } from "../../../host/node/index.ts";
import { interrupted, type Stage } from "./example.ts";

export async function example({ configuration, signal }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  client.onRpc(({ method }) => {
    if (method === "getCPULoad") return { "CPU percent": 100 * loadavg()[0]! / availableParallelism() };
    if (method === "getMemoryUsage") return { Memory: Math.round(100 * (1 - freemem() / totalmem())) };
    return { error: "unknown method" };
  });
  try {
    await client.connect();
    await interrupted(signal);
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
