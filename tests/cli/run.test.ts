// The server and the device as a user runs them: to a clean end, or to an error that says what to do.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import mqtt from "mqtt";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { Authority } from "../node/certificates.ts";
import { Command, PATIENCE_MS } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-cli-"));
after(() => rmSync(folder, { recursive: true }));
const config = join(folder, "device.json");
writeFileSync(config, JSON.stringify({ mqtt_host: "127.0.0.1", access_token: "DEMO_TOKEN" }));

async function server(t: TestContext, ...words: string[]): Promise<{ command: Command; port: string; rest: string; id: string }> {
  const command = new Command(t, ["server", "--port", "0", "--rest-port", "0", ...words]);
  const [, port, rest] = await command.shows(/mqtt:\/\/127\.0\.0\.1:(\d+).*(http:\/\/[\d.:]+)/);
  const [, id] = await command.shows(/has id ([\w-]+) and access token DEMO_TOKEN/);
  return { command, port: port!, rest: rest!, id: id! };
}

test("the server takes its limits and the gateway from the command line", async (t) => {
  const { rest, id } = await server(t, "--gateway", "--limit", "device.messages=20:1,600:60", "--limit", "device.telemetryMessages=10:1", "--limit", "gateway.messages=5:1");
  const get = async (path: string): Promise<any> => (await fetch(`${rest}${path}`, { signal: AbortSignal.timeout(PATIENCE_MS) })).json();
  const { device, gateway } = await get("/api/mote/limits");
  assert.deepEqual([device, gateway.messages], [{ messages: "20:1,600:60", telemetryMessages: "10:1", telemetryDataPoints: null }, "5:1"]);
  assert.deepEqual((await get(`/api/device/${id}`)).additionalInfo, { gateway: true });
});

test("the server takes a certificate and a provision key from the command line", async (t) => {
  const authority = new Authority();
  t.after(() => authority.remove());
  const { certificateFile, keyFile } = authority.issue("server", "IP:127.0.0.1");
  const { command } = await server(t, "--tls-certificate", certificateFile, "--tls-key", keyFile, "--tls-port", "0", "--provision-key", "key", "--provision-secret", "hunter2");
  const [url] = await command.shows(/mqtts:\/\/127\.0\.0\.1:\d+/);
  const client = await mqtt.connectAsync(url, { ca: authority.ca, username: "provision", reconnectPeriod: 0 });
  t.after(() => client.endAsync(true));
  const request = { provisionDeviceKey: "key", provisionDeviceSecret: "hunter2", deviceName: "pump", token: "PUMP_TOKEN" };
  await client.publishAsync("/provision/request", JSON.stringify(request), { qos: 1 });
  await command.shows(/provisioned.*pump/);
  assert.doesNotMatch(command.stdout, /hunter2|PUMP_TOKEN/);
});

async function closedPort(): Promise<string> {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return String(port);
}

test("a reader that closes its end of the pipe ends the device like Ctrl-C", async (t) => {
  const { port } = await server(t);
  const device = new Command(t, ["device", "--config", config, "--engine", "v8", "--port", port, "--interval", "50"]);
  await device.shows(/Telemetry/);
  device.child.stdout!.destroy();
  const { code, stderr } = await device.ended;
  assert.equal(stderr, "");
  assert.equal(code, 0);
});

const isBuilt = (engine: string): boolean => engine === "v8" || existsSync(new URL(`../../build/c/mote-device-${engine}`, import.meta.url));
for (const engine of ["v8", "wasm3", "aot"].filter(isBuilt)) {
  test(`${engine}: the demo device sends, answers, and leaves on Ctrl-C`, async (t) => {
    const { command, port, rest, id } = await server(t);
    const device = new Command(t, ["device", "--config", config, "--engine", engine, "--port", port, "--interval", "50", "--json"]);
    await command.shows(/sequence.*/);
    for (const [method, params, reply] of [
      ["setLed", { on: false }, '{"ok":true}'], ["getState", {}, /^\{"enabled":false,"sequence":\d+\}$/], ["explode", {}, '{"error":"unknown method"}'],
    ] as const) {
      const response = await fetch(`${rest}/api/rpc/twoway/${id}`, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ method, params }), signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await response.text();
      if (typeof reply === "string") assert.equal(text, reply);
      else assert.match(text, reply);
    }
    await device.shows(/"enabled":false/);
    const { code, stdout, stderr } = await device.interrupt();
    assert.equal(stderr, "");
    assert.equal(code, 0);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(lines[0]!["event"], "Connected");
    assert.deepEqual(lines.find(({ event }) => event === "Telemetry")!["values"], { temperature: 25.5, humidity: 60, enabled: true, fw: "v1.2.2", sequence: 1 });
    const sequences = lines.filter(({ event }) => event === "Telemetry").map(({ values }) => (values as { sequence: number }).sequence);
    assert.deepEqual(sequences, sequences.map((_, index) => index + 1));
    const { event, sent, delivered } = lines.at(-1)!;
    assert.deepEqual([event, sent, delivered], ["Stopped", sequences.length, sequences.length]);
    assert.equal((await command.interrupt()).code, 0);
  });

  test(`${engine}: nobody listens: exit code 3 and the reason`, async (t) => {
    const port = await closedPort();
    const { code, stderr } = await new Command(t, ["device", "--config", config, "--engine", engine, "--port", port]).ended;
    assert.match(stderr, new RegExp(`no connection to 127\\.0\\.0\\.1:${port}: ConnectionRefused`));
    assert.match(stderr, /--retry/);
    assert.equal(code, 3);
  });
}

test("--retry goes on where nobody listens, until Ctrl-C", async (t) => {
  const device = new Command(t, ["device", "--config", config, "--port", await closedPort(), "--retry"]);
  await device.shows(/ConnectionRefused/);
  assert.equal((await device.interrupt()).code, 0);
});

test("refused credentials: exit code 3, and the code", async (t) => {
  const { port } = await server(t);
  const wrong = join(folder, "wrong.json");
  writeFileSync(wrong, JSON.stringify({ mqtt_host: "127.0.0.1", access_token: "WRONG_SECRET" }));
  const { code, stderr, stdout } = await new Command(t, ["device", "--config", wrong, "--port", port]).ended;
  assert.match(stderr, /refused the connection: (bad user name or password|not authorized)/);
  assert.doesNotMatch(stdout + stderr, /WRONG_SECRET/);
  assert.equal(code, 3);
});

test("a port in use: exit code 1, and what to do", async (t) => {
  const { port } = await server(t);
  const { code, stderr } = await new Command(t, ["server", "--port", port, "--rest-port", "0"]).ended;
  assert.match(stderr, /EADDRINUSE[^]*--port/);
  assert.equal(code, 1);
});

test("no colours in a pipe, whatever happens", async (t) => {
  const { command, port } = await server(t);
  const device = new Command(t, ["device", "--config", config, "--port", port]);
  await device.shows(/Delivered/);
  const results = [await device.interrupt(), await command.interrupt()];
  for (const { stdout, stderr } of results) assert.doesNotMatch(stdout + stderr, /\x1b/);
});

test("SIGTERM ends the device in an orderly way as well", async (t) => {
  const { port } = await server(t);
  const device = new Command(t, ["device", "--config", config, "--port", port]);
  await device.shows(/Delivered/);
  device.child.kill("SIGTERM");
  const { code, stdout } = await device.ended;
  assert.equal(code, 0);
  assert.match(stdout, /Stopped/);
});

for (const engine of ["v8", "wasm3"]) {
  test(`${engine}: the second Ctrl-C ends a device that still waits for a PUBACK, and what it has started`, async (t) => {
    const broker = await BareBroker.open(t);
    broker.answers.publish = false;
    const own = join(folder, `stubborn-${engine}.json`);
    writeFileSync(own, JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, ack_timeout_s: 600, session_limits: false }));
    const command = new Command(t, ["device", "--config", own, "--engine", engine, "--interval", "20", "--json"]);
    await command.shows(/"Telemetry"/);
    // Signals that come too fast are one.
    const timer = setInterval(() => command.child.kill("SIGINT"), 50);
    t.after(() => clearInterval(timer));
    const { code } = await command.ended;
    assert.equal(code, 130);
    const link = await broker.link();
    await link.closed();
  });
}
