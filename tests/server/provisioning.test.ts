// Provisioning sessions: what they take, every credential type, every failure, and the end after the reply (spec 2.9, 11.18).

import assert from "node:assert/strict";
import mqtt from "mqtt";
import type { LocalServer, ServerOptions } from "../../host/server/server.ts";
import { run } from "./command.ts";
import { connectBytes, publish, type RawClient, rawConnect, rest, start, subscribe, test } from "./harness.ts";

const request = "/provision/request";
const response = "/provision/response";

const creating: ServerOptions = {
  profiles: [{ name: "pumps", provisionType: "ALLOW_CREATE_NEW_DEVICES", provisionKey: "key", provisionSecret: "secret" }],
};
const checking: ServerOptions = {
  profiles: [{ name: "pumps", provisionType: "CHECK_PRE_PROVISIONED_DEVICES", provisionKey: "key", provisionSecret: "secret" }],
};
const withKey = (members: object): string => JSON.stringify({ provisionDeviceKey: "key", provisionDeviceSecret: "secret", ...members });

const notFound = '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}';
const failure = '{"errorMsg":"Failed to provision device!","status":"FAILURE"}';

type Test = Parameters<typeof rawConnect>[0];

async function open(t: Test, server: LocalServer, version: 4 | 5 = 4): Promise<RawClient> {
  const client = await rawConnect(t, server, version);
  client.send(connectBytes("provision", { protocolVersion: version }));
  await client.expectBytes(version === 5 ? "20 03 00 00 00" : "20 02 00 00");
  client.packets.length = 0;
  return client;
}

/** The reply to one request in a session of its own. The PUBACK comes first (spec 11.36). */
async function provision(t: Test, server: LocalServer, payload: string): Promise<string> {
  const client = await open(t, server);
  client.send(publish(request, payload));
  assert.deepEqual(await client.next().then(({ cmd }) => cmd), "puback");
  const { topic, text, qos, messageId } = await client.nextPublish();
  assert.deepEqual([topic, qos, messageId], [response, 1, 1]);
  client.socket.destroy();
  return text;
}

test("the name provision opens a session without credentials, as user name and as client id", async (t) => {
  const server = await start(t);
  for (const connect of [connectBytes("provision"), connectBytes("provision", { password: "x" }), connectBytes(null, { clientId: "provision" }), connectBytes("WRONG", { clientId: "provision" })]) {
    const client = await rawConnect(t, server);
    client.send(connect);
    await client.expectBytes("20 02 00 00");
    client.send(Buffer.from("c000", "hex"));
    await client.expectBytes("d0 00");
    client.send(Buffer.from("e000", "hex"));
    await client.expectClose();
  }
});

test("SUBSCRIBE takes the one filter; UNSUBSCRIBE says what was held", async (t) => {
  const server = await start(t);
  const v4 = await open(t, server);
  v4.send(subscribe(1, [response, 2], ["v1/devices/me/attributes", 1], ["#", 0]));
  await v4.expectBytes("90 05 00 01 01 80 80");
  const v5 = await open(t, server, 5);
  v5.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: [response] }, subscribe(3, [response, 0], ["v2/a", 1]));
  await v5.expectBytes("b0 04 00 02 00 11 90 05 00 03 00 00 8f");
  v5.send({ cmd: "unsubscribe", messageId: 4, unsubscriptions: [response, "v2/a"] });
  await v5.expectBytes("b0 05 00 04 00 00 11");
});

test("in a device's session the provisioning filter is refused", async (t) => {
  const server = await start(t);
  const client = await rawConnect(t, server);
  client.send(connectBytes(), subscribe(1, [response, 1]));
  await client.expectBytes("20 02 00 00 90 03 00 01 80");
});

test("another topic is acknowledged and ends the session with 0x90", async (t) => {
  const server = await start(t, creating);
  for (const topic of ["v1/devices/me/telemetry", "provision/request", response]) {
    const v4 = await open(t, server);
    v4.send(publish(topic, "{}"));
    await v4.expectBytes("40 02 00 07");
    await v4.expectClose();
    const v5 = await open(t, server, 5);
    v5.send(publish(topic, "{}"));
    await v5.expectBytes("40 04 00 07 90 00 e0 02 90 00");
    await v5.expectClose();
  }
  const atMostOnce = await open(t, server, 5);
  atMostOnce.send(publish("a/b", "{}", 0));
  await atMostOnce.expectBytes("e0 02 90 00");
  await atMostOnce.expectClose();
});

test("every credential type comes back byte for byte, and logs in", async (t) => {
  const server = await start(t, creating);
  const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
  const cases: [members: object, reply: string, connect: Buffer | null][] = [
    [{ deviceName: "own token", credentialsType: "ACCESS_TOKEN", token: "tok-1" },
      '{"credentialsValue":"tok-1","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}', connectBytes("tok-1")],
    [{ deviceName: " token, no type ", token: "tok-2" },
      '{"credentialsValue":"tok-2","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}', connectBytes("tok-2")],
    [{ deviceName: "basic", credentialsType: "MQTT_BASIC", username: "u", password: "p", clientId: "c" },
      '{"credentialsValue":{"clientId":"c","userName":"u","password":"p"},"credentialsType":"MQTT_BASIC","status":"SUCCESS"}',
      connectBytes("u", { password: "p", clientId: "c" })],
    [{ deviceName: "basic by user name", credentialsType: "MQTT_BASIC", username: "only" },
      '{"credentialsValue":{"clientId":"","userName":"only","password":""},"credentialsType":"MQTT_BASIC","status":"SUCCESS"}', connectBytes("only")],
    [{ deviceName: "certified", credentialsType: "X509_CERTIFICATE", hash: certificate },
      '{"credentialsValue":"AAAABBBB","credentialsType":"X509_CERTIFICATE","status":"SUCCESS"}', null],
  ];
  for (const [members, reply, connect] of cases) {
    assert.equal(await provision(t, server, withKey(members)), reply);
    const device = server.devices.byName((members as { deviceName: string }).deviceName.trim());
    assert.deepEqual([device?.type, device?.attributes.SERVER_SCOPE.get("provisionState")?.value], ["pumps", { type: "string", value: "provisioned" }]);
    if (connect === null) continue;
    const client = await rawConnect(t, server);
    client.send(connect);
    await client.expectBytes("20 02 00 00");
  }
});

test("what the server makes up: a token, a name, and a token in place of a type that has no value", async (t) => {
  const server = await start(t, { ...creating, devices: [] });
  for (const members of [{}, { deviceName: "" }, { credentialsType: "MQTT_BASIC" }, { credentialsType: "LWM2M_CREDENTIALS", token: "" }]) {
    const reply = JSON.parse(await provision(t, server, withKey(members)));
    assert.deepEqual([reply.status, reply.credentialsType], ["SUCCESS", "ACCESS_TOKEN"]);
    assert.match(reply.credentialsValue, /^[A-Za-z0-9]{20}$/);
  }
  for (const { name } of server.devices) assert.match(name, /^[A-Za-z0-9]{20}$/);
  await provision(t, server, withKey({ deviceName: "gate", gateway: true }));
  assert.equal(server.devices.byName("gate")?.isGateway, true);
});

test("every failure that has a reply", async (t) => {
  const server = await start(t, { profiles: [...creating.profiles!, { name: "off", provisionKey: "off", provisionSecret: "secret" }] });
  const cases: [object, string][] = [
    [{ provisionDeviceKey: "other" }, notFound],
    [{ provisionDeviceSecret: "other" }, notFound],
    [{ provisionDeviceKey: "" }, notFound],
    [{ provisionDeviceSecret: "" }, notFound],
    [{ provisionDeviceKey: "off" }, notFound],
    [{ deviceName: "Demo device" }, failure],
    [{ deviceName: "   " }, failure],
    [{ deviceName: "   ", provisionDeviceKey: "" }, failure],
    [{ deviceName: "a", token: "DEMO_TOKEN" }, failure],
    [{ deviceName: "b", credentialsType: "MQTT_BASIC", token: "t" }, failure],
    [{ deviceName: "c", credentialsType: "MQTT_BASIC", clientId: "c", password: "p" }, failure],
    [{ deviceName: "d", credentialsType: "ACCESS_TOKEN", username: "u" }, failure],
    [{ deviceName: "e", credentialsType: "X509_CERTIFICATE", token: "t" }, failure],
    [{ deviceName: "f", credentialsType: "LWM2M_CREDENTIALS", token: "t" }, failure],
    [{ deviceName: "x".repeat(256) }, failure],
  ];
  for (const [members, reply] of cases) assert.equal(await provision(t, server, withKey(members)), reply, JSON.stringify(members));
  assert.deepEqual([...server.devices].map(({ name }) => name), ["Demo device"]);
});

test("a missing or null member and an unknown type: PUBACK 0x83, no JSON, and the end", async (t) => {
  const server = await start(t, creating);
  const payloads = [
    "{}",
    '{"provisionDeviceKey":"key"}',
    '{"provisionDeviceSecret":"secret"}',
    ...["provisionDeviceKey", "provisionDeviceSecret", "deviceName", "credentialsType", "token", "username", "password", "clientId", "hash", "gateway"].map(
      (name) => withKey({ [name]: null }),
    ),
    withKey({ credentialsType: "TOKEN" }),
    withKey({ credentialsType: "" }),
    withKey({ deviceName: {} }),
  ];
  for (const payload of payloads) {
    const v5 = await open(t, server, 5);
    v5.send(publish(request, payload));
    await v5.expectBytes("40 04 00 07 83 00 e0 02 83 00").catch((error: Error) => assert.fail(`${payload}: ${error.message}`));
    await v5.expectClose();
    const v4 = await open(t, server);
    v4.send(publish(request, payload));
    await v4.expectBytes("40 02 00 07");
    await v4.expectClose();
  }
  // A null that is no member of the request is not looked at.
  assert.match(await provision(t, server, withKey({ other: null })), /SUCCESS/);
});

test("what is no JSON object is R2: 0x99 and the session goes on, or the end of a 3.1.1 session", async (t) => {
  const server = await start(t, creating);
  const v5 = await open(t, server, 5);
  for (const payload of ["", "{", "[]", "null", '"text"']) {
    v5.send(publish(request, payload));
    await v5.expectBytes("40 04 00 07 99 00");
    const v4 = await open(t, server);
    v4.send(publish(request, payload));
    await v4.expectClose();
  }
});

test("a pre-provisioned device gets the credentials it has, once", async (t) => {
  const server = await start(t, checking);
  server.addDevice({ name: "pump 1", token: "PUMP", type: "pumps" });
  server.addDevice({ name: "pump 2", token: "OTHER" });
  assert.equal(await provision(t, server, withKey({ deviceName: "pump 2" })), failure);
  assert.equal(await provision(t, server, withKey({ deviceName: "none" })), failure);
  assert.equal(await provision(t, server, withKey({})), failure);
  const mine = withKey({ deviceName: "pump 1", token: "mine" });
  assert.equal(await provision(t, server, mine), '{"credentialsValue":"PUMP","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}');
  assert.equal(await provision(t, server, mine), failure);
  const id = server.devices.byName("pump 1")!.id;
  await rest(server, "POST", `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE`, '{"provisionState":"any"}');
  assert.equal(await provision(t, server, mine), failure);
  await rest(server, "DELETE", `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE?keys=provisionState`);
  assert.match(await provision(t, server, mine), /PUMP/);
});

test("the reply has the granted QoS, and the connection ends some time after it without a DISCONNECT", async (t) => {
  const server = await start(t, { ...creating, provisioningLingerMs: 50 });
  const client = await open(t, server, 5);
  client.send(subscribe(1, [response, 0]), publish(request, withKey({ token: "t" }), 0));
  await client.expectBytes("90 04 00 01 00 00");
  client.packets.length = 0;
  const { qos, text } = await client.nextPublish();
  assert.deepEqual([qos, text], [0, '{"credentialsValue":"t","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}']);
  const publishLength = 2 + 2 + response.length + 1 + Buffer.byteLength(text);
  client.received = client.received.subarray(publishLength);
  await client.expectClose();
});

test("a device that leaves after its reply leaves nothing behind that would end it", async (t) => {
  const server = await start(t, { ...creating, provisioningLingerMs: 3_600_000 });
  const client = await open(t, server);
  const timers = (): number => process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;
  const before = timers();
  client.send(publish(request, withKey({ token: "t" })));
  assert.equal((await client.next()).cmd, "puback");
  assert.match((await client.nextPublish()).text, /SUCCESS/);
  assert.equal(timers(), before + 1);
  client.socket.destroy();
  while (timers() > before) await new Promise(setImmediate);
});

test("a failure keeps the session open for another try", async (t) => {
  const server = await start(t, creating);
  const client = await open(t, server);
  client.send(publish(request, withKey({ deviceName: "Demo device" })));
  assert.equal((await client.next()).cmd, "puback");
  assert.equal((await client.nextPublish()).text, failure);
  client.send(publish(request, withKey({ deviceName: "new", token: "t" })));
  assert.equal((await client.next()).cmd, "puback");
  assert.match((await client.nextPublish()).text, /SUCCESS/);
});

test("profiles are made and changed over REST", async (t) => {
  const server = await start(t);
  const profile = (type: string, more: object = {}): string => JSON.stringify({
    name: "fans", type: "DEFAULT", transportType: "MQTT", provisionType: type, provisionDeviceKey: "key",
    profileData: { provisionConfiguration: { type, provisionDeviceSecret: "secret" } }, ...more,
  });
  const made = JSON.parse((await rest(server, "POST", "/api/deviceProfile", profile("DISABLED"))).text);
  assert.equal(await provision(t, server, withKey({})), notFound);
  const changed = await rest(server, "POST", "/api/deviceProfile", profile("ALLOW_CREATE_NEW_DEVICES", { id: made.id }));
  assert.equal(changed.status, 200);
  assert.match(await provision(t, server, withKey({ deviceName: "fan" })), /SUCCESS/);
  assert.equal(server.devices.byName("fan")?.type, "fans");
  assert.equal((await rest(server, "GET", `/api/deviceProfile/${made.id.id}`)).text, changed.text);
  const all = JSON.parse((await rest(server, "GET", "/api/deviceProfiles")).text);
  assert.deepEqual(all.data.map(({ name }: { name: string }) => name), ["default", "fans"]);
  const wrong: [string, RegExp][] = [
    ["{}", /needs a name/],
    ['{"name":"fans"}', /"fans" already/],
    [profile("DISABLED", { name: "other" }), /provision key/],
    [profile("ALWAYS", { name: "other" }), /ALLOW_CREATE_NEW_DEVICES/],
    ['{"name":"other","provisionDeviceKey":""}', /must not be empty/],
    ['{"name":"other","transportType":"HTTP"}', /transportType/],
  ];
  for (const [body, said] of wrong) {
    const { status, text } = await rest(server, "POST", "/api/deviceProfile", body);
    assert.equal(status, 400, body);
    assert.match(JSON.parse(text).message, said);
  }
  assert.equal((await rest(server, "GET", "/api/deviceProfile/none")).status, 400);
  assert.equal((await rest(server, "GET", "/api/deviceProfile/11111111-2222-3333-4444-555555555555")).status, 404);
});

test("a device whose profile is for another protocol is refused: 3, or 0x88 and DISCONNECT 0x89", async (t) => {
  const server = await start(t, { profiles: [{ name: "default", transportType: "COAP" }] });
  const v4 = await rawConnect(t, server);
  v4.send(connectBytes());
  await v4.expectBytes("20 02 00 03");
  await v4.expectClose();
  const v5 = await rawConnect(t, server, 5);
  v5.send(connectBytes("DEMO_TOKEN", { protocolVersion: 5 }));
  await v5.expectBytes("20 03 00 88 00 e0 02 89 00");
  await v5.expectClose();
});

test("MQTT.js and mosquitto_rr provision themselves", async (t) => {
  const server = await start(t, creating);
  const client = await mqtt.connectAsync(server.mqttUrl, { username: "provision", reconnectPeriod: 0 });
  t.after(() => client.endAsync(true));
  await client.subscribeAsync(response, { qos: 1 });
  const message = new Promise<string>((resolve) => client.once("message", (_topic, payload) => resolve(payload.toString())));
  await client.publishAsync(request, withKey({ deviceName: "by MQTT.js", token: "js" }), { qos: 1 });
  assert.equal(JSON.parse(await message).credentialsValue, "js");
  const answer = await run("mosquitto_rr", "-h", "127.0.0.1", "-p", String(server.mqttPort), "-u", "provision", "-q", "1", "-W", "5",
    "-t", request, "-e", response, "-m", withKey({ deviceName: "by mosquitto", token: "m" }));
  assert.deepEqual(answer, { code: 0, output: '{"credentialsValue":"m","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}\n' });
});

test("faults without a device reach provisioning sessions too", async (t) => {
  const server = await start(t);
  const client = await open(t, server);
  server.faults.killSessions();
  await client.expectClose();
});
