// TLS: verified by default, and every cause of failure under its name.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, test, type TestContext } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { ConfigurationError, DeviceClient, TlsError, type ClientOptions, type TlsSettings } from "../../host/node/index.ts";
import { Authority } from "./certificates.ts";
import { client, listen, withStatus, type BareBroker } from "./harness.ts";
import { opensslServer } from "./openssl-server.ts";

const authority = new Authority();
const stranger = new Authority();
after(() => [authority, stranger].forEach((each) => each.remove()));
const good = authority.issue("good", "IP:127.0.0.1,DNS:localhost");

async function broker(t: TestContext, options: TlsOptions): Promise<BareBroker> {
  const server = createServer(options);
  server.on("tlsClientError", () => {});
  return listen(t, server);
}

async function connect(t: TestContext, server: TlsOptions, tls: TlsSettings, host = "127.0.0.1", options: ClientOptions = {}): Promise<void> {
  const made = client(t, (await broker(t, server)).port, { mqtt_host: host, tls }, options);
  await made.connect();
  await made.sendTelemetry({ a: 1 });
}

const server = { cert: good.certificate, key: good.key };

test("a certificate of the authority for the name is accepted, and messages go both ways", async (t) => {
  await connect(t, server, { ca: authority.ca });
  await connect(t, server, { ca: authority.ca }, "localhost");
});

test("the authority may be a file, relative to the base directory", async (t) => {
  await connect(t, server, { ca: basename(authority.caFile) }, "127.0.0.1", { baseDirectory: authority.folder });
});

const refusals: [name: string, status: string, server: TlsOptions, tls: TlsSettings][] = [
  ["an authority that is not trusted", "TlsUntrusted", server, { ca: stranger.ca }],
  ["nothing but the system's authorities", "TlsUntrusted", server, {}],
  ["a certificate for another name", "TlsNameMismatch", issued("other", "DNS:elsewhere.example"), { ca: authority.ca }],
  ["a name asked for that the certificate lacks", "TlsNameMismatch", server, { ca: authority.ca, server_name: "elsewhere.example" }],
  ["a certificate whose time is over", "TlsExpired", issued("expired", "IP:127.0.0.1", -1), { ca: authority.ca }],
  ["no common version", "TlsHandshakeFailed", { ...server, minVersion: "TLSv1", maxVersion: "TLSv1.1" }, { ca: authority.ca }],
];

function issued(name: string, alternativeNames: string, days?: number): TlsOptions {
  const { certificate, key } = authority.issue(name, alternativeNames, days);
  return { cert: certificate, key };
}

function mutual(): TlsOptions {
  return { cert: good.certificate, key: good.key, requestCert: true, rejectUnauthorized: true, ca: authority.ca };
}

for (const [name, status, options, tls] of refusals) {
  test(`refused: ${name}`, async (t) => {
    await assert.rejects(connect(t, options, tls), withStatus(status, TlsError));
  });
}

test("a name other than the host's can be asked for", async (t) => {
  await connect(t, issued("named", "DNS:broker.example"), { ca: authority.ca, server_name: "broker.example" });
});

test("so can an address, which the certificate then has to have", async (t) => {
  await connect(t, issued("address", "IP:192.0.2.7"), { ca: authority.ca, server_name: "192.0.2.7" }, "localhost");
  const other = connect(t, issued("no-address", "DNS:localhost"), { ca: authority.ca, server_name: "192.0.2.7" }, "localhost");
  await assert.rejects(other, withStatus("TlsNameMismatch", TlsError));
});

const own = authority.issue("pair", "DNS:pair");
const unusable: [name: string, text: string, tls: TlsSettings, status?: string][] = [
  ["an authority that is no PEM", "tls.ca", { ca: "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n" }],
  ["a file that is no PEM", "tls.ca", { ca: import.meta.filename }],
  ["a certificate that is cut off", "tls.certificate", { certificate: own.certificate.slice(0, 200), key: own.key }],
  ["a key that is none", "tls.key", { certificate: own.certificate, key: own.certificate }],
  ["a key of another certificate", "tls.key", { certificate: own.certificate, key: good.key }],
  ["a certificate without its key", "tls.key", { certificate: own.certificate }, "MissingKey"],
  ["a key without its certificate", "tls.certificate", { key: own.key }, "MissingKey"],
];

for (const [name, text, tls, status = "InvalidValue"] of unusable) {
  test(`said before the first connection: ${name}`, () => {
    assert.throws(() => new DeviceClient({ mqtt_host: "127.0.0.1", tls }), (error) => {
      withStatus(status, ConfigurationError)(error);
      assert.equal((error as ConfigurationError).text.split(":")[0], text);
      assert.doesNotMatch(String((error as Error).message), /BEGIN|PRIVATE/);
      return true;
    });
  });
}

test("the client's own certificate, as files", async (t) => {
  const device = authority.issue("own", "DNS:own");
  await connect(t, mutual(), { ca: authority.ca, certificate: device.certificateFile, key: device.keyFile });
});

test("a client certificate of a stranger is refused by name", async (t) => {
  const port = await opensslServer(t, good, authority);
  const device = stranger.issue("device", "DNS:device");
  const made = client(t, port, { tls: { ca: authority.ca, certificate: device.certificate, key: device.key } });
  await assert.rejects(made.connect(), withStatus("TlsClientCertificateRefused", TlsError));
});

test("verification can be turned off, and that is said aloud", async (t) => {
  const warned = new Promise<Error & { code?: string }>((resolve) => process.once("warning", resolve));
  await connect(t, server, { verify: false });
  assert.equal((await warned).code, "MOTE_TLS_UNVERIFIED");
});

test("a plain broker behind a TLS port is a failed handshake", async (t) => {
  const plain = await listen(t);
  const made = client(t, plain.port, { tls: { ca: authority.ca } });
  const connecting = assert.rejects(made.connect(), withStatus("TlsHandshakeFailed", TlsError));
  (await plain.link()).socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  await connecting;
});

test("keys and certificates never enter the module's memory", async (t) => {
  const device = authority.issue("secret", "DNS:secret");
  const needles = [device.key, authority.ca].map((pem) => Buffer.from(pem.split("\n")[1]!));
  let looks = 0;
  const afterExport = (_name: string, memory: Uint8Array): void => {
    looks++;
    const text = Buffer.from(memory.buffer);
    for (const needle of needles) assert.equal(text.indexOf(needle), -1);
  };
  await connect(t, server, { ca: authority.ca, certificate: device.certificate, key: device.key }, "127.0.0.1", { hooks: { afterExport } });
  assert.ok(looks > 0);
});
