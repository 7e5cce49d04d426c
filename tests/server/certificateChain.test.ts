// Devices that a profile makes by the certificate that signed theirs (spec 1.2, 11.18, 11.22), with MQTT.js and raw sockets.

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { after } from "node:test";
import mqtt from "mqtt";
import { x509Certificate } from "../../host/server/credentials.ts";
import type { ProfileOptions } from "../../host/server/profiles.ts";
import { type LocalServer, startServer } from "../../host/server/server.ts";
import { valueText } from "../../host/server/values.ts";
import { Authority, type Certificate } from "../node/certificates.ts";
import { connectBytes, publish, rawConnect, rest, start, test } from "./harness.ts";

const authority = new Authority();
const stranger = new Authority();
/** Not the devices' own: a TLS client adds to its certificate what it trusts. */
const trusted = new Authority();
after(() => [authority, stranger, trusted].forEach((each) => each.remove()));
const { certificate, key } = trusted.issue("server", "DNS:localhost,IP:127.0.0.1");
const { ca } = authority;
const pump = authority.issue("pump-7.factory", "DNS:pump");
const bodyOf = (pem: string): string => new X509Certificate(pem).raw.toString("base64");
const provisionKey = createHash("sha3-256").update(bodyOf(ca)).digest("hex");

const profile: ProfileOptions = {
  name: "pumps", provisionType: "X509_CERTIFICATE_CHAIN", provisionSecret: ca, certificatePattern: "(.+)\\.factory", isNewAllowed: true,
};
const open = (t: Parameters<typeof start>[0], more: Partial<ProfileOptions> = {}): Promise<LocalServer> =>
  start(t, { tls: { port: 0, certificate, key }, profiles: [{ ...profile, ...more }] });

/** Says something as the device of a certificate that is shown with those above it; CONNACK's code when it may not. */
async function speak(server: LocalServer, own: Certificate, above: string[], value: string): Promise<number> {
  try {
    const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${server.tlsPort}`, { ca: trusted.ca, cert: [own.certificate, ...above].join(""), key: own.key, reconnectPeriod: 0 });
    await client.publishAsync("v1/devices/me/telemetry", JSON.stringify({ said: value }), { qos: 1 });
    await client.endAsync();
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
}

const said = (server: LocalServer, name: string): string | undefined => {
  const found = server.devices.byName(name)?.latest.get("said");
  return found && valueText(found.value);
};

test("a device is made by its first handshake, named by the capture group, and is the same at its next", async (t) => {
  const server = await open(t);
  const provisioned = server.events.next("provisioned");
  assert.equal(await speak(server, pump, [ca], "one"), 0);
  assert.deepEqual([(await provisioned).device.name, (await provisioned).credentialsType], ["pump-7", "X509_CERTIFICATE"]);
  const made = server.devices.byName("pump-7")!;
  assert.deepEqual([made.type, made.credentials, said(server, "pump-7")], ["pumps", { type: "X509_CERTIFICATE", certificate: bodyOf(pump.certificate) }, "one"]);
  assert.equal(await speak(server, pump, [ca], "two"), 0);
  assert.equal(await speak(server, pump, [], "three"), 0, "its own certificate is a credential now");
  assert.deepEqual([server.devices.byName("pump-7")?.id, said(server, "pump-7")], [made.id, "three"]);
});

test("another certificate for the same name takes the place of the first", async (t) => {
  const server = await open(t);
  const renewed = authority.issue("pump-7.factory", "DNS:renewed");
  assert.equal(await speak(server, pump, [ca], "old"), 0);
  const { id } = server.devices.byName("pump-7")!;
  assert.equal(await speak(server, renewed, [ca], "new"), 0);
  assert.deepEqual([server.devices.byName("pump-7")?.id, said(server, "pump-7")], [id, "new"]);
  assert.equal(await speak(server, pump, [], "old again"), 5);
});

test("without its issuer, of another issuer, or by another name nothing is made, and CONNACK says not authorized", async (t) => {
  const server = await open(t);
  const before = [...server.devices].length;
  assert.equal(await speak(server, pump, [], "alone"), 5);
  assert.equal(await speak(server, stranger.issue("pump-8.factory", "DNS:other"), [stranger.ca], "other issuer"), 5);
  assert.equal(await speak(server, authority.issue("pump-9.office", "DNS:office"), [ca], "other name"), 5);
  assert.equal([...server.devices].length, before);
});

test("a profile may renew without making; a device of another profile or with other credentials is left alone", async (t) => {
  const server = await open(t, { isNewAllowed: false });
  assert.equal(await speak(server, pump, [ca], "new"), 5);
  const known = server.devices.add({ name: "pump-7", type: "pumps", credentials: x509Certificate(authority.issue("old", "DNS:old").certificate) });
  assert.equal(await speak(server, pump, [ca], "renewed"), 0);
  assert.equal(said(server, "pump-7"), "renewed");
  for (const device of [{ name: "pump-5", type: "fans", credentials: x509Certificate("Zm9v") }, { name: "pump-6", type: "pumps", token: "T" }]) {
    const { credentials } = server.devices.add(device);
    assert.equal(await speak(server, authority.issue(`${device.name}.factory`, "DNS:it"), [ca], "taken"), 5);
    assert.deepEqual(server.devices.byName(device.name)!.credentials, credentials);
  }
  assert.equal(server.devices.byName("pump-7"), known);
});

test("a request with the key of such a profile gets no reply: 0x83 and the end", async (t) => {
  const server = await open(t);
  const client = await rawConnect(t, server, 5);
  client.send(connectBytes("provision", { protocolVersion: 5 }));
  await client.expectBytes("20 03 00 00 00");
  client.send(publish("/provision/request", JSON.stringify({ provisionDeviceKey: provisionKey, provisionDeviceSecret: bodyOf(ca) })));
  await client.expectBytes("40 04 00 07 83 00 e0 02 83 00");
  await client.expectClose();
});

test("REST takes and shows such a profile as ThingsBoard does: the key is the digest of the certificate", async (t) => {
  const server = await start(t);
  const body = (more: object): string => JSON.stringify({
    name: "pumps", provisionDeviceKey: "is not asked", profileData: {
      provisionConfiguration: {
        type: "X509_CERTIFICATE_CHAIN", provisionDeviceSecret: ca, certificateRegExPattern: "(.+)\\.factory", allowCreateNewDevicesByX509Certificate: true, ...more,
      },
    },
  });
  const { status, text } = await rest(server, "POST", "/api/deviceProfile", body({}));
  assert.equal(status, 200, text);
  const shown = JSON.parse(text) as { provisionDeviceKey: string; provisionType: string; profileData: { provisionConfiguration: object } };
  assert.deepEqual([shown.provisionDeviceKey, shown.provisionType, shown.profileData.provisionConfiguration], [provisionKey, "X509_CERTIFICATE_CHAIN", {
    type: "X509_CERTIFICATE_CHAIN", provisionDeviceSecret: bodyOf(ca), certificateRegExPattern: "(.+)\\.factory", allowCreateNewDevicesByX509Certificate: true,
  }]);
  for (const [more, said] of [[{ provisionDeviceSecret: "" }, /empty/], [{ certificateRegExPattern: "(" }, /certificateRegExPattern/], [{ certificateRegExPattern: "all" }, /group/]] as const) {
    const refused = await rest(server, "POST", "/api/deviceProfile", body(more).replace('"pumps"', '"more"'));
    assert.equal(refused.status, 400, refused.text);
    assert.match((JSON.parse(refused.text) as { message: string }).message, said);
  }
  await assert.rejects(startServer({ mqttPort: 0, restPort: 0, profiles: [{ name: "pumps", provisionType: "X509_CERTIFICATE_CHAIN" }] }), /certificate/);
});
