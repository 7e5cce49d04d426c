// MQTT over TLS: the same rules, and X.509 client certificates in place of user names (spec 1.2, 1.3, 11.22).

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { after } from "node:test";
import mqtt from "mqtt";
import { type LocalServer, type ServerOptions, startServer } from "../../host/server/server.ts";
import { valueText } from "../../host/server/values.ts";
import { Authority, type Certificate } from "../node/certificates.ts";
import { connectBytes, onlyDevice, publish, rawConnectTls, rest, start, test } from "./harness.ts";
import { run } from "./command.ts";

const authority = new Authority();
after(() => authority.remove());
const serverCertificate = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
const pump = authority.issue("pump", "DNS:pump");
const stranger = authority.issue("stranger", "DNS:stranger");
const expired = authority.issue("expired", "DNS:expired", -1);
const ca = authority.ca;

const tls: ServerOptions["tls"] = { port: 0, certificate: serverCertificate.certificate, key: serverCertificate.key };
const own = ({ certificate, key }: Certificate): { cert: string; key: string } => ({ cert: certificate, key });

async function certify(server: LocalServer, name: string, { certificate }: Certificate): Promise<void> {
  const credentials = { credentialsType: "X509_CERTIFICATE", credentialsValue: certificate };
  const { status, text } = await rest(server, "POST", "/api/device-with-credentials", JSON.stringify({ device: { name }, credentials }));
  assert.equal(status, 200, text);
}

test("a token works over TLS as it does without", async (t) => {
  const server = await start(t, { tls });
  const client = await rawConnectTls(t, server, { ca });
  client.send(connectBytes(), publish("v1/devices/me/telemetry", '{"a":1}'));
  await client.expectBytes("20 02 00 00 40 02 00 07");
  const refused = await rawConnectTls(t, server, { ca });
  refused.send(connectBytes("WRONG"));
  await refused.expectBytes("20 02 00 05");
  await refused.expectClose();
});

test("a known certificate is all that counts; user name and password are not looked at", async (t) => {
  const server = await start(t, { tls });
  await certify(server, "pump", pump);
  for (const [username, more] of [[null, {}], ["WRONG", { password: "x" }], ["DEMO_TOKEN", {}]] as const) {
    const connected = server.events.next("connected");
    const client = await rawConnectTls(t, server, { ca, ...own(pump) });
    client.send(connectBytes(username, more));
    await client.expectBytes("20 02 00 00");
    assert.equal((await connected).device.name, "pump");
    client.socket.destroy();
  }
});

test("an unknown or outdated certificate passes the handshake and is refused by CONNACK", async (t) => {
  const server = await start(t, { tls });
  await certify(server, "expired", expired);
  for (const certificate of [stranger, expired]) {
    const v4 = await rawConnectTls(t, server, { ca, ...own(certificate) });
    v4.send(connectBytes("DEMO_TOKEN"));
    await v4.expectBytes("20 02 00 05");
    await v4.expectClose();
    const v5 = await rawConnectTls(t, server, { ca, ...own(certificate) }, 5);
    v5.send(connectBytes("DEMO_TOKEN", { protocolVersion: 5 }));
    await v5.expectBytes("20 03 00 87 00 e0 02 87 00");
    await v5.expectClose();
  }
});

test("a known certificate of a profile for another protocol: 0x88, then DISCONNECT 0x83", async (t) => {
  const server = await start(t, { tls, profiles: [{ name: "default", transportType: "LWM2M" }] });
  await certify(server, "pump", pump);
  const client = await rawConnectTls(t, server, { ca, ...own(pump) }, 5);
  client.send(connectBytes(null, { protocolVersion: 5 }));
  await client.expectBytes("20 03 00 88 00 e0 02 83 00");
  await client.expectClose();
});

test("a certificate is valid within its dates alone", async (t) => {
  let nowMs = Date.now();
  const server = await start(t, { tls, now: () => nowMs });
  await certify(server, "pump", pump);
  const { validFrom, validTo } = new X509Certificate(pump.certificate);
  const cases: [number, string][] = [
    [Date.parse(validFrom) - 1000, "20 02 00 05"],
    [Date.parse(validFrom), "20 02 00 00"],
    [Date.parse(validTo), "20 02 00 00"],
    [Date.parse(validTo) + 1000, "20 02 00 05"],
  ];
  for (const [atMs, connack] of cases) {
    nowMs = atMs;
    const client = await rawConnectTls(t, server, { ca, ...own(pump) });
    client.send(connectBytes(null));
    await client.expectBytes(connack);
    client.socket.destroy();
  }
});

test("a chain whose links do not hold gets no CONNACK; one that holds does", async (t) => {
  const server = await start(t, { tls });
  // Without the id of the authority's key, a name alone is the link.
  const named = authority.issue("named", "DNS:named\nauthorityKeyIdentifier=none");
  await certify(server, "named", named);
  // The same name and another key: the signature is not of this authority.
  const impostor = new Authority();
  t.after(() => impostor.remove());
  const sound = await rawConnectTls(t, server, { ca, cert: named.certificate + ca, key: named.key });
  sound.send(connectBytes(null));
  await sound.expectBytes("20 02 00 00");
  const broken = { ca, cert: named.certificate + impostor.ca, key: named.key };
  await assert.rejects(rawConnectTls(t, server, { ...broken, maxVersion: "TLSv1.2" }), /disconnected before secure/);
  // With TLS 1.3 the client is done before the server has seen its certificate.
  const late = await rawConnectTls(t, server, { ...broken, minVersion: "TLSv1.3" });
  late.send(connectBytes(null));
  await late.expectClose();
});

test("a resumed TLS session keeps the certificate", async (t) => {
  const server = await start(t, { tls });
  await certify(server, "pump", pump);
  const first = await rawConnectTls(t, server, { ca, ...own(pump), maxVersion: "TLSv1.2" });
  const session = (first.socket as import("node:tls").TLSSocket).getSession();
  first.send(connectBytes(null));
  await first.expectBytes("20 02 00 00");
  const second = await rawConnectTls(t, server, { ca, ...own(pump), maxVersion: "TLSv1.2", session });
  assert.equal((second.socket as import("node:tls").TLSSocket).isSessionReused(), true);
  second.send(connectBytes(null));
  await second.expectBytes("20 02 00 00");
});

test("faults reach connections over TLS: a reset, silence", async (t) => {
  const server = await start(t, { tls });
  const client = await rawConnectTls(t, server, { ca });
  client.send(connectBytes());
  await client.expectBytes("20 02 00 00");
  const reset = new Promise<string | undefined>((resolve) => client.socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)));
  server.faults.killSessions(onlyDevice(server).id);
  assert.equal(await reset, "ECONNRESET");
  await client.expectClose();
});

test("what is no TLS ends that connection and nothing else", async (t) => {
  const server = await start(t, { tls });
  const plain = connectTcp(server.tlsPort!, "127.0.0.1");
  t.after(() => void plain.destroy());
  const closed = new Promise((resolve) => plain.once("close", resolve));
  plain.on("error", () => {});
  plain.write(connectBytes());
  await closed;
  const client = await rawConnectTls(t, server, { ca });
  client.send(connectBytes());
  await client.expectBytes("20 02 00 00");
});

test("a certificate with another one's key is an error before anything listens", async () => {
  await assert.rejects(startServer({ mqttPort: 0, restPort: 0, tls: { port: 0, certificate: serverCertificate.certificate, key: pump.key } }), /key values mismatch/);
  await assert.rejects(startServer({ mqttPort: 0, restPort: 0, tls: { port: 0, certificate: "no PEM", key: pump.key } }), /PEM/);
});

test("MQTT.js and mosquitto_pub log in with a client certificate", async (t) => {
  const server = await start(t, { tls });
  await certify(server, "pump", pump);
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${server.tlsPort}`, { ca, ...own(pump), reconnectPeriod: 0 });
  t.after(() => client.endAsync(true));
  await client.publishAsync("v1/devices/me/telemetry", '{"by":"MQTT.js"}', { qos: 1 });
  const device = server.devices.byName("pump")!;
  assert.equal(valueText(device.latest.get("by")!.value), "MQTT.js");
  await client.endAsync();

  const common = ["-h", "127.0.0.1", "-p", String(server.tlsPort), "--cafile", authority.caFile, "-q", "1", "-t", "v1/devices/me/telemetry"];
  const files = (of: Certificate): string[] => ["--cert", of.certificateFile, "--key", of.keyFile];
  const publishing = await run("mosquitto_pub", ...common, ...files(pump), "-i", "bench", "-m", '{"by":"mosquitto"}');
  assert.deepEqual(publishing, { code: 0, output: "" });
  assert.equal(valueText(device.latest.get("by")!.value), "mosquitto");
  const refused = await run("mosquitto_pub", ...common, ...files(stranger), "-i", "bench", "-m", "{}");
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /not authori[sz]ed/i);
});
