// TLS of the POSIX port against node:tls and openssl: verified by default, and every cause of failure under its name.

import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { Driver, ENGINES } from "../behaviour/driver.ts";
import { Authority } from "../node/certificates.ts";
import { listen } from "../node/harness.ts";
import { opensslServer } from "../node/openssl-server.ts";

const authority = new Authority();
const stranger = new Authority();
after(() => [authority, stranger].forEach((each) => each.remove()));
const good = authority.issue("good", "IP:127.0.0.1,DNS:localhost");
const server: TlsOptions = { cert: good.certificate, key: good.key };

type Settings = Record<string, string | boolean>;

/** A client with these settings, started. */
async function client(t: TestContext, engine: (typeof ENGINES)[number], port: number, tls: Settings, host = "127.0.0.1"): Promise<Driver> {
  const driver = new Driver(t, engine);
  await driver.run("init", JSON.stringify({ mqtt_host: host, mqtt_port: port, client_id: "c", rpc: false, shared_attributes: false, qos: 1, tls }));
  await driver.run("start");
  return driver;
}

async function broker(t: TestContext, options: TlsOptions): Promise<number> {
  const made = createServer(options);
  made.on("tlsClientError", () => {});
  return (await listen(t, made)).port;
}

function issued(name: string, alternativeNames: string, days?: number): TlsOptions {
  const { certificate, key } = authority.issue(name, alternativeNames, days);
  return { cert: certificate, key };
}

const refusals: [what: string, status: string, server: TlsOptions, tls: Settings][] = [
  ["an authority that is not trusted", "TlsUntrusted", server, { ca: stranger.ca }],
  ["nothing but the system's authorities", "TlsUntrusted", server, {}],
  ["a certificate for another name", "TlsNameMismatch", issued("other", "DNS:elsewhere.example"), { ca: authority.ca }],
  ["a certificate for another address", "TlsNameMismatch", issued("address", "IP:127.0.0.2"), { ca: authority.ca }],
  ["a name asked for that the certificate lacks", "TlsNameMismatch", server, { ca: authority.ca, server_name: "elsewhere.example" }],
  ["a certificate whose time is over", "TlsExpired", issued("expired", "IP:127.0.0.1", -1), { ca: authority.ca }],
  ["no common version", "TlsHandshakeFailed", { ...server, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }, { ca: authority.ca }],
];

for (const engine of ENGINES.filter((each) => each !== "v8")) {
  const delivers = async (driver: Driver, message = '{"a":1}'): Promise<void> => {
    await driver.event("Connected");
    await driver.run("telemetry", message);
    await driver.event("Delivered");
  };
  const refused = async (driver: Driver, status: string): Promise<void> => {
    assert.equal((await driver.event("Disconnected")).reason_name, status);
    assert.equal(driver.of("Connected").length, 0);
  };

  test(`${engine}: a certificate of the authority for the name is accepted, and messages of every size go both ways`, async (t) => {
    const made = createServer(server);
    const bare = await listen(t, made);
    const driver = await client(t, engine, bare.port, { ca: authority.ca }, "localhost");
    await delivers(driver);
    await driver.run("subscribe", "down", 1);
    await driver.event("Subscribed");
    const link = await bare.link();
    link.publish("down", "x".repeat(20000)); // more than a ring and a record of TLS
    await driver.until("the whole message", (events) => events.some((each) => each.event === "Message" && (each.flags & 16) !== 0));
    const parts = driver.of("Message");
    assert.equal(parts.map((each) => each.payload).join(""), "x".repeat(20000));
    await driver.run("disconnect");
    await driver.event("Disconnected");
    await link.packet("disconnect");
    await link.closed();
  });

  test(`${engine}: the authority may be a file, and an address is checked as one`, async (t) => {
    await delivers(await client(t, engine, await broker(t, server), { ca: authority.caFile }));
  });

  test(`${engine}: a name other than the host's can be asked for`, async (t) => {
    let asked: string | undefined;
    const options: TlsOptions = { ...issued("named", "DNS:broker.example"), SNICallback: (name, done) => { asked = name; done(null); } };
    await delivers(await client(t, engine, await broker(t, options), { ca: authority.ca, server_name: "broker.example" }));
    assert.equal(asked, "broker.example");
  });

  for (const [what, status, options, tls] of refusals) {
    test(`${engine}: refused: ${what}`, async (t) => refused(await client(t, engine, await broker(t, options), tls), status));
  }

  test(`${engine}: the client's own certificate`, async (t) => {
    const device = authority.issue(`own-${engine}`, "DNS:own");
    const port = await broker(t, { ...server, requestCert: true, rejectUnauthorized: true, ca: authority.ca });
    await delivers(await client(t, engine, port, { ca: authority.ca, certificate: device.certificateFile, key: device.keyFile }));
  });

  test(`${engine}: a client certificate of a stranger is refused by name`, async (t) => {
    const port = await opensslServer(t, good, authority);
    const device = stranger.issue(`device-${engine}`, "DNS:device");
    await refused(await client(t, engine, port, { ca: authority.ca, certificate: device.certificate, key: device.key }), "TlsClientCertificateRefused");
  });

  test(`${engine}: verification can be turned off`, async (t) => {
    await delivers(await client(t, engine, await broker(t, server), { verify: false }));
  });

  test(`${engine}: nobody is called before the time is known, which is waited for`, async (t) => {
    const bare = await listen(t, createServer(server));
    const configuration = { mqtt_host: "127.0.0.1", mqtt_port: bare.port, client_id: "c", rpc: false, shared_attributes: false, session_limits: false, reconnect_min_ms: 1, reconnect_max_ms: 1 };
    const impatient = new Driver(t, engine);
    await impatient.run("clock", 0);
    await impatient.run("init", JSON.stringify({ ...configuration, tls: { ca: authority.ca, time_wait_s: 0 } }));
    await impatient.run("start");
    await refused(impatient, "TimeUnknown");
    // Without a time of its own the wait ends before connect_timeout_s, so that the failure has its name.
    const patient = new Driver(t, engine);
    await patient.run("clock", 0);
    await patient.run("init", JSON.stringify({ ...configuration, connect_timeout_s: 1, tls: { ca: authority.ca } }));
    await patient.run("start");
    await refused(patient, "TimeUnknown");
    assert.equal(bare.links.length, 0);
    await impatient.run("clock", 1);
    await delivers(impatient);
    await patient.run("clock", 1);
    await delivers(patient);
    // Who verifies nothing needs no time.
    const blind = new Driver(t, engine);
    await blind.run("clock", 0);
    await blind.run("init", JSON.stringify({ ...configuration, tls: { verify: false } }));
    await blind.run("start");
    await delivers(blind);
  });

  test(`${engine}: a time that comes while it is waited for is enough`, async (t) => {
    const driver = new Driver(t, engine);
    await driver.run("clock", 0);
    const made = await broker(t, server);
    await driver.run("init", JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: made, client_id: "c", rpc: false, shared_attributes: false, tls: { ca: authority.ca } }));
    await driver.run("start");
    for (let turns = 0; turns < 20; turns++) assert.ok(["Waiting", "Opening"].includes((await driver.stats()).state));
    await driver.run("clock", 1);
    await delivers(driver);
    assert.equal(driver.of("Disconnected").length, 0);
  });

  test(`${engine}: a plain broker behind a TLS port is a failed handshake`, async (t) => {
    const plain = await listen(t);
    const driver = await client(t, engine, plain.port, { ca: authority.ca });
    (await plain.link()).socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    await refused(driver, "TlsHandshakeFailed");
  });

  test(`${engine}: mistakes in the settings are named before the first connection`, async (t) => {
    const driver = new Driver(t, engine);
    const device = authority.issue(`settings-${engine}`, "DNS:own");
    const cases: [tls: unknown, status: string, text: string][] = [
      [true, "WrongType", "tls"],
      [{ verify: 1 }, "WrongType", "tls.verify"],
      [{ ca: 7 }, "WrongType", "tls.ca"],
      [{ ca: "/nowhere/ca.pem" }, "InvalidValue", "tls.ca"],
      [{ ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" }, "InvalidValue", "tls.ca"],
      [{ certificate: device.certificate }, "MissingKey", "tls.key"],
      [{ certificate: device.certificate, key: good.key }, "InvalidValue", "tls.key"],
      [{ authority: "x" }, "UnknownKey", "tls.authority"],
      [{ time_wait_s: "1" }, "WrongType", "tls.time_wait_s"],
      [{ time_wait_s: 4096 }, "InvalidValue", "tls.time_wait_s"],
    ];
    for (const [tls, status, text] of cases) {
      const answer = await driver.ask("init", JSON.stringify({ mqtt_host: "127.0.0.1", tls }));
      assert.deepEqual([answer.status, answer.text], [status, text]);
    }
  });
}
