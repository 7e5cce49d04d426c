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

for (const version of ["mqttv311", "mqttv5"]) {
  test(`mosquitto over ${version} is a gateway, and its children hear of their attributes`, async (t) => {
    const server = await start(t, { devices: [{ name: "gate", token: "GATE", isGateway: true }] });
    const common = ["-h", "127.0.0.1", "-p", String(server.mqttPort), "-V", version, "-i", "bench", "-u", "GATE", "-q", "1"];
    const telemetry = await run("mosquitto_pub", ...common, "-t", "v1/gateway/telemetry", "-m", '{"Boiler 7":[{"p":2.1}],"Boiler 8":[{"p":2.2}]}');
    assert.deepEqual(telemetry, { code: 0, output: "" });
    const boiler = server.devices.byName("Boiler 7")!;
    assert.equal(valueText(boiler.latest.get("p")!.value), "2.1");

    // mosquitto_rr subscribes, asks, and waits for the answer on another topic.
    await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${boiler.id}/SHARED_SCOPE`, '{"setpoint":60}');
    const ask = ["-t", "v1/gateway/attributes/request", "-m", '{"id":4,"device":"Boiler 7","client":false,"key":"setpoint"}'];
    const asked = await run("mosquitto_rr", ...common, ...ask, "-e", "v1/gateway/attributes/response", "-W", "5");
    assert.deepEqual(asked, { code: 0, output: '{"id":4,"device":"Boiler 7","value":60}\n' });
  });
}
