// Provisioning against the local server: as a call, and by itself with credentials that a restart finds again.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { BadStateError, provision, ProvisioningError } from "../../host/node/index.ts";
import { startServer, type LocalServer } from "../../host/server/server.ts";
import { client, listen, nextEvent, temporaryDirectory, withStatus } from "./harness.ts";

const ASKED = { provisionDeviceKey: "key", provisionDeviceSecret: "secret" };

async function start(t: TestContext): Promise<{ server: LocalServer; provisioned: string[] }> {
  const server = await startServer({
    mqttPort: 0, restPort: 0,
    profiles: [{ name: "sensors", provisionType: "ALLOW_CREATE_NEW_DEVICES", provisionKey: "key", provisionSecret: "secret" }],
  });
  t.after(() => server.close());
  const provisioned: string[] = [];
  server.events.on("*", (event) => {
    if (event.type === "provisioned") provisioned.push(event.device!.name);
  });
  return { server, provisioned };
}

test("provision() answers credentials of each type, with which a client connects", async (t) => {
  const { server } = await start(t);
  const place = { mqtt_host: "127.0.0.1", mqtt_port: server.mqttPort };
  const token = await provision(place, { ...ASKED, deviceName: "one" });
  assert.equal(token.credentialsType, "ACCESS_TOKEN");
  const basic = await provision(place, { ...ASKED, deviceName: "two", credentials: { type: "MQTT_BASIC", clientId: "c2", userName: "u2", password: "p2" } });
  assert.deepEqual(basic.configuration, { client_id: "c2", user_name: "u2", password: "p2" });
  for (const [name, { configuration }] of [["one", token], ["two", basic]] as const) {
    const made = client(t, server.mqttPort, configuration);
    await made.connect();
    await made.sendTelemetry({ here: name });
    assert.ok(server.devices.byName(name)!.latest.has("here"), name);
  }
});

test("provision() rejects with what the server says", async (t) => {
  const { server } = await start(t);
  const place = { mqtt_host: "127.0.0.1", mqtt_port: server.mqttPort };
  await assert.rejects(provision(place, { ...ASKED, provisionDeviceSecret: "wrong" }), (error: unknown) => {
    assert.ok(error instanceof ProvisioningError);
    // ThingsBoard's text for a key and secret that no profile has.
    assert.equal(error.text, "Provision data was not found!");
    return true;
  });
});

test("provision() ends by its signal and by its time, and leaves no connection", async (t) => {
  const broker = await listen(t);
  const place = { mqtt_host: "127.0.0.1", mqtt_port: broker.port };
  const enough = new AbortController();
  const asking = provision(place, ASKED, { signal: enough.signal });
  const link = await broker.link();
  await link.packet("publish");
  enough.abort(new Error("not wanted any more"));
  await assert.rejects(asking, /not wanted any more/);
  await link.closed();
  await assert.rejects(provision(place, ASKED, { signal: enough.signal }), /not wanted any more/);
  await assert.rejects(provision(place, ASKED, { timeoutMs: 50 }), withStatus("Timeout"));
});

test("a client without credentials gets them once, and finds them after a restart until it forgets them", async (t) => {
  const { server, provisioned } = await start(t);
  const boot = (storeDirectory: string): ReturnType<typeof client> => client(t, server.mqttPort, { provision: ASKED }, { storeDirectory });
  const storeDirectory = temporaryDirectory(t);
  const first = boot(storeDirectory);
  const events = first.events();
  first.start();
  const { reply } = await nextEvent(events, "Provisioned");
  await nextEvent(events, "Connected");
  const token = (JSON.parse(reply) as { credentialsValue: string }).credentialsValue;
  assert.equal(server.devices.byToken(token)!.name, provisioned[0]);
  assert.throws(() => first.forgetCredentials(), BadStateError);
  await first.stop();

  const second = boot(storeDirectory);
  await second.connect();
  await second.sendTelemetry({ restarted: true });
  assert.ok(server.devices.byToken(token)!.latest.has("restarted"));
  assert.equal(provisioned.length, 1);

  await second.stop();
  second.forgetCredentials();
  await second.connect({ retry: true });
  assert.equal(provisioned.length, 2);
  await second.sendTelemetry({ other: true });
  assert.ok(!server.devices.byToken(token)!.latest.has("other"));
  assert.ok(server.devices.byName(provisioned[1]!)!.latest.has("other"));
});
