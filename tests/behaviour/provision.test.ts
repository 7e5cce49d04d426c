// A device without credentials asks the server for some, keeps them in its store, and uses them after a power cut.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import type { ServerOptions } from "../../host/server/server.ts";
import { behaviour, folder, Site, started, subscribed } from "./harness.ts";

const PROFILE = { name: "pumps", provisionType: "ALLOW_CREATE_NEW_DEVICES", provisionKey: "key", provisionSecret: "secret" } as const;
const SERVER: ServerOptions = { profiles: [PROFILE] };

function settings(directory: string, request: object = {}): object {
  return {
    access_token: undefined, host: { store_directory: directory },
    provision: { provisionDeviceKey: "key", provisionDeviceSecret: "secret", deviceName: "pump 7", ...request },
  };
}

behaviour("provisioning", Feature.Provisioning, (check) => {
  const credentials: [type: string, request: object, isValue: (value: unknown) => boolean][] = [
    ["ACCESS_TOKEN", {}, (value) => typeof value === "string" && value.length === 20],
    ["ACCESS_TOKEN", { credentialsType: "ACCESS_TOKEN", token: "my token" }, (value) => value === "my token"],
    ["MQTT_BASIC", { credentialsType: "MQTT_BASIC", clientId: "c7", username: "u7", password: "p7" },
      (value) => JSON.stringify(value) === '{"clientId":"c7","userName":"u7","password":"p7"}'],
  ];
  for (const [type, request, isValue] of credentials) {
    check(`${type} ${JSON.stringify(request)} is received once, stored, and used after a power cut`, async (t, engine) => {
      const site = await Site.open(t, SERVER);
      let provisioned = 0;
      site.server.events.on("provisioned", () => provisioned++);
      const directory = folder(t);
      const first = await started(t, engine, site.port, settings(directory, request));
      await first.run("telemetry", '{"before":1}', 1); // waits for the session that may have it
      const { reason_name, payload } = await first.event("Provisioned");
      assert.equal(reason_name, "Ok", "it is durable");
      const reply = JSON.parse(payload!) as Record<string, unknown>;
      assert.deepEqual([reply["status"], reply["credentialsType"]], ["SUCCESS", type]);
      assert.ok(isValue(reply["credentialsValue"]), payload);
      await subscribed(first);
      await site.stored("before");
      await first.killed();

      const second = await started(t, engine, site.port, settings(directory, request));
      await subscribed(second);
      await second.run("telemetry", '{"after":1}', 1);
      await site.stored("after");
      const pump = site.server.devices.byName("pump 7")!;
      assert.deepEqual([...pump.latest.keys()].filter((key) => key === "before" || key === "after").sort(), ["after", "before"]);
      assert.equal(provisioned, 1);
      assert.deepEqual(second.of("Provisioned"), []);
    });
  }

  check("a key that the server does not know is told, and asked again until it does", async (t, engine) => {
    const site = await Site.open(t);
    const driver = await started(t, engine, site.port, settings(folder(t)));
    for (let attempt = 0; attempt < 2; attempt++) {
      const failed = await driver.event("ProvisioningFailed");
      assert.deepEqual([failed.reason_name, failed.name, failed.payload],
        ["RemoteError", "Provision data was not found!", '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}']);
    }
    const profile = {
      name: "pumps", provisionType: "ALLOW_CREATE_NEW_DEVICES", provisionDeviceKey: "key",
      profileData: { provisionConfiguration: { type: "ALLOW_CREATE_NEW_DEVICES", provisionDeviceSecret: "secret" } },
    };
    assert.equal((await site.rest("POST", "/api/deviceProfile", profile)).status, 200);
    await driver.event("Provisioned");
    await driver.event("Connected");
  });

  check("stored credentials that are refused later are kept and told as what they are", async (t, engine) => {
    const site = await Site.open(t, SERVER);
    const directory = folder(t);
    const first = await started(t, engine, site.port, settings(directory));
    await first.event("Connected");
    await first.killed();
    const pump = site.server.devices.byName("pump 7")!;
    await site.rest("DELETE", `/api/device/${pump.id}`);
    const second = await started(t, engine, site.port, settings(directory));
    assert.equal((await second.event("Refused")).name, "provision");
    await second.event("Refused");
    assert.deepEqual(second.of("Provisioned"), []);
  });
});
