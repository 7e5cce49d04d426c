// Topics of a device profile in place of the usual ones, and its PUBACK on bad payloads (spec 2.0, 2.12, 11.24).

import assert from "node:assert/strict";
import type { LocalServer } from "../../host/server/server.ts";
import { onlyDevice, publish, type RawClient, rawLogin, rest, start, subscribe, test } from "./harness.ts";

/** Saves the profile of the only device; its members as ThingsBoard's REST has them. */
async function saveProfile(server: LocalServer, transport: object, transportType = "MQTT"): Promise<string> {
  const all = JSON.parse((await rest(server, "GET", "/api/deviceProfiles")).text) as { data: { id: object; name: string }[] };
  const id = all.data.find(({ name }) => name === "default")?.id;
  const profile = { id, name: "default", transportType, profileData: { transportConfiguration: { type: transportType, ...transport } } };
  const { status, text } = await rest(server, "POST", "/api/deviceProfile", JSON.stringify(profile));
  assert.equal(status, 200, text);
  return text;
}

/** Publishes at QoS 1 on MQTT 5, where an unknown topic is told as 0x90. */
async function isKnown(client: RawClient, topic: string, payload: string): Promise<boolean> {
  client.send(publish(topic, payload));
  const packet = await client.next();
  assert.equal(packet.cmd, "puback");
  return packet.cmd === "puback" && packet.reasonCode !== 0x90;
}

test("a telemetry and an attributes topic take the place of the long usual ones, the short ones stay", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server, 5);
  // The profile counts at once, also for a session that is open.
  await saveProfile(server, { deviceTelemetryTopic: "site/+/data/#", deviceAttributesTopic: "site/a.b/state" });
  const cases: [topic: string, isTelemetry: boolean | null][] = [
    ["site/7/data", true],
    ["site/7/data/x/y", true],
    ["site/7/8/data", null],
    ["site//data", null],
    ["site/7/database", null],
    ["site/a.b/state", false],
    ["site/axb/state", null],
    ["v1/devices/me/telemetry", null],
    ["v1/devices/me/attributes", null],
    ["v2/t", true],
    ["v2/a", false],
  ];
  const device = onlyDevice(server);
  for (const [index, [topic, isTelemetry]] of cases.entries()) {
    assert.equal(await isKnown(client, topic, `{"k${index}":1}`), isTelemetry !== null, topic);
    const stored = [device.latest.has(`k${index}`), device.attributes.CLIENT_SCOPE.has(`k${index}`)];
    assert.deepEqual(stored, [isTelemetry === true, isTelemetry === false], topic);
  }
});

test("the telemetry filter # swallows what is not for gateways or attributes", async (t) => {
  const server = await start(t);
  await saveProfile(server, { deviceTelemetryTopic: "#" });
  const client = await rawLogin(t, server, 5);
  for (const topic of ["v1/devices/me/rpc/response/0", "v1/devices/me/attributes/request/1", "a/b"]) {
    client.send(publish(topic, `{"${topic}":1}`));
    await client.expectBytes("40 02 00 07");
  }
  client.send(publish("v1/devices/me/attributes", '{"a":1}'));
  await client.expectBytes("40 02 00 07");
  const device = onlyDevice(server);
  assert.deepEqual([device.latest.size, [...device.attributes.CLIENT_SCOPE.keys()]], [3, ["a"]]);
});

test("the subscribe topic is granted; updates come on the usual one at QoS 1, and UNSUBSCRIBE stops nothing", async (t) => {
  const server = await start(t);
  await saveProfile(server, { deviceAttributesSubscribeTopic: "site/updates" });
  const client = await rawLogin(t, server, 5);
  client.send(subscribe(1, ["site/updates", 0], ["site/other", 0]));
  await client.expectBytes("90 05 00 01 00 00 8f");
  client.packets.length = 0;
  const path = `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}/SHARED_SCOPE`;
  const update = async (body: string): Promise<void> => {
    await rest(server, "POST", path, body);
    const { topic, text, qos } = await client.nextPublish();
    assert.deepEqual([topic, text, qos], ["v1/devices/me/attributes", body, 1]);
  };
  await update('{"a":1}');
  client.received = Buffer.alloc(0);
  client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["site/updates", "site/updates"] });
  await client.expectBytes("b0 05 00 02 00 8f 11");
  client.packets.length = 0;
  await update('{"a":2}');
  // The usual filters go on as ever.
  client.received = Buffer.alloc(0);
  client.send(subscribe(3, ["v1/devices/me/attributes", 1]), { cmd: "unsubscribe", messageId: 4, unsubscriptions: ["v1/devices/me/attributes"] });
  await client.expectBytes("90 04 00 03 00 01 b0 04 00 04 00 00");
  client.packets.length = 0;
  await rest(server, "POST", path, '{"a":3}');
  await client.expectNothing();
});

test("filters of a profile that no broker would take are granted", async (t) => {
  const server = await start(t);
  await saveProfile(server, { deviceAttributesSubscribeTopic: "#" });
  const client = await rawLogin(t, server);
  client.send(subscribe(1, ["a#b/+c", 1], ["#", 2]), { cmd: "unsubscribe", messageId: 2, unsubscriptions: ["a#b/+c"] });
  await client.expectBytes("90 04 00 01 01 01 b0 02 00 02");
});

test("PUBACK on validation failure is an option of the profile; other transports have neither it nor topics", async (t) => {
  const server = await start(t);
  const shown = JSON.parse(await saveProfile(server, { sendAckOnValidationException: true, deviceTelemetryTopic: " " })).profileData;
  assert.deepEqual(shown.transportConfiguration, {
    type: "MQTT",
    deviceTelemetryTopic: "v1/devices/me/telemetry",
    deviceAttributesTopic: "v1/devices/me/attributes",
    deviceAttributesSubscribeTopic: "v1/devices/me/attributes",
    sendAckOnValidationException: true,
  });
  const client = await rawLogin(t, server);
  client.send(publish("v1/devices/me/telemetry", "{"));
  await client.expectBytes("40 02 00 07");
  await saveProfile(server, { sendAckOnValidationException: true, deviceTelemetryTopic: "x" }, "DEFAULT");
  client.send(publish("v1/devices/me/telemetry", "{}"));
  await client.expectBytes("40 02 00 07");
  client.send(publish("v1/devices/me/telemetry", "{"));
  await client.expectClose();
});
