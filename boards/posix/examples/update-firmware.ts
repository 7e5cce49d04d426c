// Takes the firmware that is assigned to the device, checks it, and puts it where the next boot finds it. What runs is told by
// `firmware_title` and `firmware_version` of the configuration.

import { DeviceClient } from "../../../host/node/index.ts";
import type { Stage } from "./example.ts";

export async function example({ configuration, print }: Stage): Promise<void> {
  const client = new DeviceClient(configuration);
  client.onOta(({ totalBytes }) => totalBytes > 0); // verified; false would refuse it
  const events = client.otaEvents();
  try {
    await client.connect();
    for await (const event of events) {
      if (event.type === "OtaAvailable") print(`${event.title} ${event.version} of ${event.totalBytes} bytes`);
      if (event.type === "OtaProgress") print(`${event.writtenBytes} of ${event.totalBytes} bytes`);
      if (event.type === "OtaFailed") throw event.error;
      if (event.type === "OtaApplied") break;
    }
    print("applied");
    await client.disconnect();
  } finally {
    await client.stop();
  }
}
