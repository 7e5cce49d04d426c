// Listens to one shared attribute and to all of them, until it is interrupted.

import { DeviceClient } from "../../../host/node/index.ts";
import { interrupted, type Stage } from "./example.ts";

export async function example({ configuration, signal, print }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  try {
    await client.connect();
    // Told after each connect too, so that a change during an outage is not missed.
    const frequency = client.subscribeAttributes(["uploadFrequency"], {
      handler: ({ values, deleted }) => {
        if (values["uploadFrequency"] !== undefined) print(`uploadFrequency is ${JSON.stringify(values["uploadFrequency"])}`);
        else if (deleted.length > 0) print("uploadFrequency is not set");
      },
    });
    client.subscribeAttributes(undefined, { refresh: false, handler: ({ values }) => print(`update ${JSON.stringify(values)}`) });
    await interrupted(signal);
    frequency.unsubscribe();
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
