// Access tokens and MQTT basic credentials: which one wins, what refuses, and how REST creates and changes them (spec 1.2, 1.3, 1.4).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { LocalServer } from "../../host/server/server.ts";
import { connectBytes, onlyDevice, publish, rawConnect, rawLogin, rest, start, test } from "./harness.ts";

async function create(server: LocalServer, name: string, credentials: object): Promise<string> {
  const body = JSON.stringify({ device: { name }, credentials });
  const { status, text } = await rest(server, "POST", "/api/device-with-credentials", body);
  assert.equal(status, 200, text);
  return JSON.parse(text).id.id;
}

const mqttBasic = (value: object): object => ({ credentialsType: "MQTT_BASIC", credentialsValue: JSON.stringify(value) });

/** Not this server's own arithmetic. */
function sha3(text: string): string {
  return execFileSync("openssl", ["dgst", "-sha3-256", "-r"], { input: text }).toString().split(" ")[0]!;
}

test("MQTT basic: every combination of client id, user name and password, accepted and refused", async (t) => {
  const server = await start(t);
  await create(server, "by client id", mqttBasic({ clientId: "only-id" }));
  await create(server, "by both", mqttBasic({ clientId: "both", userName: "user" }));
  await create(server, "by all three", mqttBasic({ clientId: "all", userName: "user", password: "secret" }));
  await create(server, "by user name", mqttBasic({ userName: "only-user" }));
  await create(server, "by user name and password", mqttBasic({ userName: "user-2", password: "secret" }));
  const cases: [device: string | null, connect: object, code3: number, code5: number][] = [
    ["by client id", { clientId: "only-id" }, 0, 0],
    [null, { clientId: "other-id" }, 2, 0x85],
    ["by both", { clientId: "both", username: "user" }, 0, 0],
    ["by both", { clientId: "both", username: "user", password: "any" }, 0, 0],
    [null, { clientId: "both", username: "other" }, 5, 0x86],
    [null, { clientId: "both" }, 2, 0x85],
    ["by all three", { clientId: "all", username: "user", password: "secret" }, 0, 0],
    [null, { clientId: "all", username: "user", password: "wrong" }, 5, 0x86],
    [null, { clientId: "all", username: "user" }, 5, 0x86],
    [null, { clientId: "other", username: "user", password: "secret" }, 5, 0x86],
    ["by user name", { clientId: "any", username: "only-user" }, 0, 0],
    ["by user name", { clientId: "", username: "only-user", password: "any" }, 0, 0],
    ["by user name and password", { clientId: "any", username: "user-2", password: "secret" }, 0, 0],
    [null, { clientId: "any", username: "user-2", password: "wrong" }, 5, 0x86],
    [null, { clientId: "any", username: "user-2" }, 5, 0x86],
  ];
  for (const [device, connect, code3, code5] of cases) {
    for (const [protocolVersion, code] of [[4, code3], [5, code5]] as const) {
      let connectedName: string | null = null;
      const stop = server.events.on("connected", (event) => (connectedName = event.device.name));
      const client = await rawConnect(t, server, protocolVersion);
      client.send(connectBytes(null, { ...connect, protocolVersion }));
      const hex = code.toString(16).padStart(2, "0");
      const expected = protocolVersion === 4 ? `20 02 00 ${hex}` : `20 03 00 ${hex} 00 ${code === 0 ? "" : `e0 02 ${hex} 00`}`;
      await client.expectBytes(expected).catch((error: Error) => assert.fail(`${JSON.stringify(connect)}: ${error.message}`));
      if (code !== 0) await client.expectClose();
      assert.equal(connectedName, device, JSON.stringify(connect));
      stop();
      client.socket.destroy();
    }
  }
});

test("a client id that is known alone: a password beside it is not compared", async (t) => {
  const server = await start(t);
  await create(server, "by client id", mqttBasic({ clientId: "c" }));
  const client = await rawConnect(t, server);
  // Client id "c", password "x", no user name: mqtt-packet does not write it.
  client.send(Buffer.from("101000044d5154540442003c000163000178", "hex"));
  await client.expectBytes("20 02 00 00");
});

test("a token that is also the user name of both-named credentials: client id and user name win", async (t) => {
  const server = await start(t);
  await create(server, "both", mqttBasic({ clientId: "c", userName: "DEMO_TOKEN", password: "secret" }));
  const wrong = await rawConnect(t, server);
  wrong.send(connectBytes("DEMO_TOKEN", { clientId: "c", password: "wrong" }));
  await wrong.expectBytes("20 02 00 05");
  const connected = server.events.next("connected");
  const token = await rawConnect(t, server);
  token.send(connectBytes("DEMO_TOKEN", { clientId: "d", password: "wrong" }));
  await token.expectBytes("20 02 00 00");
  assert.equal((await connected).device.name, "Demo device");
});

test("REST creates devices with a token that is given or made up", async (t) => {
  const server = await start(t);
  const given = await rest(server, "POST", "/api/device?accessToken=PUMP", '{"name":"pump","type":"pumps","additionalInfo":{"gateway":true}}');
  const device = JSON.parse(given.text);
  assert.deepEqual([given.status, device.name, device.type, device.additionalInfo], [200, "pump", "pumps", { gateway: true }]);
  const client = await rawConnect(t, server);
  client.send(connectBytes("PUMP"));
  await client.expectBytes("20 02 00 00");

  const madeUp = JSON.parse((await rest(server, "POST", "/api/device", '{"name":"fan"}')).text);
  const credentials = JSON.parse((await rest(server, "GET", `/api/device/${madeUp.id.id}/credentials`)).text);
  assert.match(credentials.credentialsId, /^[A-Za-z0-9]{20}$/);
  assert.deepEqual([credentials.credentialsType, credentials.credentialsValue, credentials.deviceId], ["ACCESS_TOKEN", null, madeUp.id]);
  const second = await rawConnect(t, server);
  second.send(connectBytes(credentials.credentialsId));
  await second.expectBytes("20 02 00 00");
});

test("REST shows credentials under ThingsBoard's id: SHA3-256 of what is compared", async (t) => {
  const server = await start(t);
  const read = async (id: string): Promise<Record<string, unknown>> => JSON.parse((await rest(server, "GET", `/api/device/${id}/credentials`)).text);
  const cases: [value: object, id: string][] = [
    [{ clientId: "only-id" }, sha3("only-id")],
    [{ clientId: "c", userName: "u", password: "p" }, sha3("c|u")],
    [{ userName: "u", password: "p" }, "u"],
  ];
  for (const [i, [value, id]] of cases.entries()) {
    const credentials = await read(await create(server, `device ${i}`, mqttBasic(value)));
    assert.deepEqual([credentials.credentialsType, credentials.credentialsId], ["MQTT_BASIC", id]);
    assert.deepEqual(JSON.parse(credentials.credentialsValue as string), { clientId: "", userName: "", password: "", ...value });
  }
  const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
  const x509 = await read(await create(server, "certified", { credentialsType: "X509_CERTIFICATE", credentialsValue: certificate }));
  assert.deepEqual([x509.credentialsId, x509.credentialsValue], [sha3("AAAABBBB"), "AAAABBBB"]);
});

test("changed credentials and a deleted device end the session: 0x98 for MQTT 5, a plain close for 3.1.1", async (t) => {
  const server = await start(t);
  const device = onlyDevice(server);
  const change = (token: string): Promise<{ status: number }> =>
    rest(server, "POST", "/api/device/credentials", JSON.stringify({ deviceId: { id: device.id }, credentialsType: "ACCESS_TOKEN", credentialsId: token }));
  const first = await rawLogin(t, server, 5);
  assert.equal((await change("SECOND")).status, 200);
  await first.expectBytes("e0 02 98 00");
  await first.expectClose();
  const old = await rawConnect(t, server);
  old.send(connectBytes("DEMO_TOKEN"));
  await old.expectBytes("20 02 00 05");
  const second = await rawConnect(t, server);
  second.send(connectBytes("SECOND"));
  await second.expectBytes("20 02 00 00");
  assert.equal((await rest(server, "DELETE", `/api/device/${device.id}`)).status, 200);
  await second.expectClose();
  const gone = await rawConnect(t, server);
  gone.send(connectBytes("SECOND"));
  await gone.expectBytes("20 02 00 05");
  assert.equal((await rest(server, "GET", `/api/device/${device.id}`)).status, 404);
  assert.equal((await rest(server, "POST", "/api/device?accessToken=SECOND", '{"name":"Demo device"}')).status, 200);
});

test("credentials that cannot be stored are refused by name, and nothing of them is kept", async (t) => {
  const server = await start(t);
  const withCredentials = (credentials: object): string => JSON.stringify({ device: { name: "new" }, credentials });
  const cases: [path: string, body: string, said: RegExp][] = [
    ["/api/device", "{}", /name should be specified/],
    ["/api/device", '{"name":" \\t"}', /name should be specified/],
    ["/api/device", '{"name":"a\\u0000b"}', /0x00/],
    ["/api/device", JSON.stringify({ name: "x".repeat(256) }), /at most 255 characters/],
    ["/api/device", '{"name":"Demo device"}', /such name already exists/],
    ["/api/device?accessToken=DEMO_TOKEN", '{"name":"new"}', /same access token/],
    ["/api/device?accessToken=", '{"name":"new"}', /must not be empty/],
    ["/api/device", '{"name":5}', /"name" must be a text/],
    ["/api/device", '{"name":"new","additionalInfo":[]}', /"additionalInfo"/],
    ["/api/device-with-credentials", withCredentials(mqttBasic({})), /both empty/],
    ["/api/device-with-credentials", withCredentials(mqttBasic({ clientId: "c", password: "p" })), /needs a user name/],
    ["/api/device-with-credentials", withCredentials(mqttBasic({ userName: "DEMO_TOKEN" })), /user name/],
    ["/api/device-with-credentials", withCredentials({ credentialsType: "MQTT_BASIC", credentialsValue: "{" }), /text of a JSON object/],
    ["/api/device-with-credentials", withCredentials({ credentialsType: "LWM2M_CREDENTIALS" }), /ACCESS_TOKEN, MQTT_BASIC or X509/],
    ["/api/device-with-credentials", withCredentials({ credentialsType: "X509_CERTIFICATE" }), /certificate is empty/],
  ];
  for (const [path, body, said] of cases) {
    const { status, text } = await rest(server, "POST", path, body);
    assert.equal(status, 400, `${path} ${body}`);
    assert.match(JSON.parse(text).message, said);
    assert.doesNotMatch(text, /DEMO_TOKEN/);
  }
  assert.equal([...server.devices].length, 1);
});

test("bound: a further device is refused", async (t) => {
  const server = await start(t, { bounds: { devices: 2 } });
  assert.equal((await rest(server, "POST", "/api/device", '{"name":"second"}')).status, 200);
  const { status, text } = await rest(server, "POST", "/api/device", '{"name":"third"}');
  assert.deepEqual([status, JSON.parse(text).message], [400, "there are 2 devices already"]);
  const client = await rawLogin(t, server);
  client.send(publish("v1/devices/me/telemetry", '{"a":1}'));
  await client.expectBytes("40 02 00 07");
});
