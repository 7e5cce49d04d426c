// Calls a method of the server's rule chain, and takes its answer or its error.

import { DeviceClient, RemoteError } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  try {
    await client.connect();
    print(`answer ${JSON.stringify(await client.requestRpc("getTime", { zone: "UTC" }))}`);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    print(`error ${error.message}`);
  } finally {
    await client.stop();
  }
}
