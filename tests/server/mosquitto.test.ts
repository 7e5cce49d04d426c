// The same rules seen by a client this project did not write and no JavaScript is part of: mosquitto_pub and mosquitto_sub.

import assert from "node:assert/strict";
import { valueText } from "../../host/server/values.ts";
import { run } from "./command.ts";
import { onlyDevice, rest, start, test } from "./harness.ts";

for (const version of ["mqttv31", "mqttv311", "mqttv5"]) {
  test(`mosquitto over ${version}: telemetry up, shared attributes down, a wrong token refused`, async (t) => {
    const server = await start(t);
    const device = onlyDevice(server);
    const common = ["-h", "127.0.0.1", "-p", String(server.mqttPort), "-V", version, "-i", "bench"];
    const publishing = await run("mosquitto_pub", ...common, "-u", "DEMO_TOKEN", "-q", "1", "-t", "v1/devices/me/telemetry", "-m", '{"t":21.5}');
    assert.deepEqual(publishing, { code: 0, output: "" });
    assert.equal(valueText(device.latest.get("t")!.value), "21.5");

    const subscribed = server.events.next("subscribed");
    const receiving = run("mosquitto_sub", ...common, "-u", "DEMO_TOKEN", "-q", "1", "-t", "v1/devices/me/attributes", "-C", "1", "-W", "5");
    await subscribed;
    await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${device.id}/SHARED_SCOPE`, '{"rate":45}');
    assert.deepEqual(await receiving, { code: 0, output: '{"rate":45}\n' });

    const refused = await run("mosquitto_pub", ...common, "-u", "WRONG", "-t", "x", "-m", "y");
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, version === "mqttv5" ? /Bad user name or password/i : /not authori[sz]ed/i);
  });
}
