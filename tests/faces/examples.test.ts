// The example programs of ThingsBoard's SDKs, rewritten on each face: each runs against the local server, which says what it saw.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Configuration } from "../../host/node/index.ts";
import { x509Certificate } from "../../host/server/credentials.ts";
import type { Device } from "../../host/server/device.ts";
import { demoDevice, startServer, type LocalServer, type ServerOptions } from "../../host/server/server.ts";
import { plainValue } from "../../host/server/values.ts";
import { PATIENCE_MS } from "../behaviour/watch.ts";
import { Authority } from "../node/certificates.ts";
import { FACES, Program, type Face } from "./example.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CHILD = "Test Device A1";

/** The server, and what it was told. */
interface Scene {
  readonly server: LocalServer;
  readonly device: Device;
  readonly face: Face;
  run(name: string, more?: Partial<Configuration>): Program;
  /** Runs it to its end: an app has none and is interrupted when it has written `line`. */
  whole(name: string, line: string, more?: Partial<Configuration>): Promise<Program>;
  rest(method: string, path: string, body?: unknown): Promise<unknown>;
}

function scene(name: string, body: (scene: Scene, t: TestContext) => Promise<void>, options: ServerOptions = {}): void {
  for (const face of FACES) {
    test(`${face}: ${name}`, { timeout: 3 * PATIENCE_MS }, async (t) => {
      const server = await startServer({ mqttPort: 0, restPort: 0, ...options });
      t.after(() => server.close());
      const device = server.devices.byToken(demoDevice.token)!;
      const configuration: Configuration = {
        mqtt_host: "127.0.0.1", mqtt_port: server.mqttPort, access_token: demoDevice.token, reconnect_min_ms: 1, reconnect_max_ms: 50,
        ignore_missing_features: true,
      };
      const run = (program: string, more: Partial<Configuration> = {}): Program => Program.start(t, face, program, { ...configuration, ...more });
      await body({
        server, device, face, run,
        whole: async (program, line, more) => {
          const running = run(program, more);
          await running.shows(line);
          await (face === "AS" ? running.end() : running.ended);
          return running;
        },
        rest: async (method, path, content) => {
          const response = await fetch(server.restUrl + path, {
            method, signal: AbortSignal.timeout(PATIENCE_MS),
            ...(content === undefined ? {} : { body: JSON.stringify(content), headers: { "content-type": "application/json" } }),
          });
          const text = await response.text();
          assert.equal(response.status, 200, `${path}: ${text}`);
          return text === "" ? null : JSON.parse(text) as unknown;
        },
      }, t);
    });
  }
}

const latest = (device: Device, key: string): unknown => {
  const point = device.latest.get(key);
  return point === undefined ? undefined : plainValue(point.value);
};
const attribute = (device: Device, key: string): unknown => {
  const found = device.attributes.CLIENT_SCOPE.get(key);
  return found === undefined ? undefined : plainValue(found.value);
};

function isTelemetryThere(device: Device): void {
  assert.deepEqual(["temperature", "enabled", "currentFirmwareVersion", "CPU"].map((key) => latest(device, key)), [41.9, false, "v1.2.2", 12]);
  assert.equal(attribute(device, "status"), "ok");
}

scene("telemetry and attributes, with and without delivery", async ({ device, whole }) => {
  await whole("telemetry", "delivered");
  isTelemetryThere(device);
});

const authority = new Authority();
after(() => authority.remove());
const own = authority.issue("server", "IP:127.0.0.1");
const deviceCertificate = authority.issue("device", "DNS:device");

scene("telemetry over TLS, with a client certificate in place of a token", async ({ server, whole }) => {
  const device = server.addDevice({ name: "certified", credentials: x509Certificate(deviceCertificate.certificate) });
  await whole("telemetry", "delivered", { access_token: undefined, mqtt_port: server.tlsPort!, tls: {
    ca: authority.caFile, certificate: deviceCertificate.certificateFile, key: deviceCertificate.keyFile,
  } });
  isTelemetryThere(device);
}, { tls: { port: 0, certificate: own.certificate, key: own.key } });

scene("telemetry of a device that its certificate makes: a profile has the authority that signed it", async ({ server, whole }) => {
  await whole("telemetry", "delivered", { access_token: undefined, mqtt_port: server.tlsPort!, tls: {
    ca: authority.caFile, certificate: deviceCertificate.chainFile, key: deviceCertificate.keyFile,
  } });
  const made = server.devices.byName("device")!;
  assert.equal(made.type, "certified");
  isTelemetryThere(made);
}, {
  tls: { port: 0, certificate: own.certificate, key: own.key },
  profiles: [{ name: "certified", provisionType: "X509_CERTIFICATE_CHAIN", provisionSecret: authority.ca, isNewAllowed: true }],
});

scene("a hundred measurements with their times", async ({ device, whole }) => {
  await whole("telemetry-pack", "100 delivered");
  const points = device.history.get("humidity")!;
  assert.equal(points.length, 100);
  assert.deepEqual(points.map(({ tsMs }) => tsMs - points[0]!.tsMs), Array.from({ length: 100 }, (_, index) => index));
  assert.equal(latest(device, "temperature"), 42.1);
});

scene("a request for client and shared attributes", async ({ device, rest, whole, server }) => {
  const asked = server.events.next("attributesRequested", undefined, PATIENCE_MS);
  await rest("POST", `/api/plugins/telemetry/DEVICE/${device.id}/attributes/SHARED_SCOPE`, { targetFirmwareVersion: "v2" });
  const { lines } = await whole("request-attributes", "no configuration");
  assert.equal((await asked).device.id, device.id);
  assert.ok(lines.some((line) => /"shared": ?\{"targetFirmwareVersion":"v2"\}/.test(line)), lines.join(" / "));
});

scene("subscriptions to one shared attribute and to all", async ({ device, rest, run, server, face }) => {
  const write = (values: object): Promise<unknown> => rest("POST", `/api/plugins/telemetry/DEVICE/${device.id}/attributes/SHARED_SCOPE`, values);
  await write({ uploadFrequency: 10 });
  const program = run("subscribe-attributes");
  // An app writes names and values as lines of their own.
  await program.shows(face === "AS" ? "uploadFrequency is" : "uploadFrequency is 10");
  await write({ uploadFrequency: 30, mode: "eco" });
  await program.shows("30");
  await program.shows("eco");
  assert.ok(face === "AS" || program.lines.includes("uploadFrequency is 30"));
  const left = server.events.next("disconnected", undefined, PATIENCE_MS);
  await program.end();
  await left;
});

scene("replies to server-side RPC", async ({ device, rest, run, server }) => {
  const subscribed = server.events.next("subscribed", ({ filter }) => filter.includes("rpc/request"), PATIENCE_MS);
  const program = run("reply-rpc");
  await subscribed;
  const call = (method: string): Promise<unknown> => rest("POST", `/api/rpc/twoway/${device.id}`, { method, params: {}, timeout: PATIENCE_MS });
  assert.equal(typeof (await call("getCPULoad") as Record<string, unknown>)["CPU percent"], "number");
  const { Memory } = await call("getMemoryUsage") as { Memory: number };
  assert.ok(Memory >= 0 && Memory <= 100, String(Memory));
  assert.deepEqual(await call("explode"), { error: "unknown method" });
  await program.end();
});

scene("a client-side RPC and its answer", async ({ whole, server }) => {
  const called = server.events.next("clientRpc", ({ method }) => method === "getTime", PATIENCE_MS);
  const { lines } = await whole("request-rpc", '{"time":1760000000000}');
  assert.equal(JSON.parse((await called).params).zone, "UTC");
  assert.ok(lines.some((line) => line.includes("answer")));
}, { answerClientRpc: (_device, method) => (method === "getTime" ? '{"time":1760000000000}' : undefined) });

scene("a device that a user may claim", async ({ device, rest, whole }) => {
  await whole("claim", "claimable");
  const { response } = await rest("POST", `/api/customer/device/${encodeURIComponent(device.name)}/claim`, { secretKey: "my_claim_code" }) as { response: string };
  assert.equal(response, "SUCCESS");
  assert.notEqual(device.customerId, null);
});

scene("credentials by provisioning, which are used from then on", async ({ server, run, face }, t) => {
  const folder = mkdtempSync(join(tmpdir(), "mote-provisioned-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const more: Partial<Configuration> = {
    access_token: undefined, host: { store_directory: folder },
    provision: { provisionDeviceKey: "key", provisionDeviceSecret: "secret", deviceName: "Own name" },
  };
  let made = 0;
  server.events.on("provisioned", () => made++);
  const stored = (): Promise<unknown> => server.events.next("telemetry", ({ key }) => key === "provisioned", PATIENCE_MS);
  const first = stored();
  const program = run("provision", more);
  await program.shows("provisioned");
  await first;
  await (face === "AS" ? program.end() : program.ended);
  assert.equal(latest(server.devices.byName("Own name")!, "provisioned"), true);
  if (face === "TS") return; // asks for credentials by a call, and keeps none
  const second = stored();
  const again = run("provision", more);
  await second;
  await (face === "AS" ? again.end() : again.ended);
  assert.equal(made, 1);
}, { profiles: [{ name: "pumps", provisionType: "ALLOW_CREATE_NEW_DEVICES", provisionKey: "key", provisionSecret: "secret" }] });

scene("firmware that the server assigned", async ({ server, device, whole }, t) => {
  const folder = mkdtempSync(join(tmpdir(), "mote-firmware-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const assigned = server.packages.add({ type: "FIRMWARE", title: "app", version: "v1.10", tag: null, url: null });
  server.packages.upload(assigned, randomBytes(20_000), "SHA256");
  server.assignPackage(device, "FIRMWARE", assigned);
  const states: unknown[] = [];
  server.events.on("telemetry", ({ key, value }) => { if (key === "fw_state") states.push(plainValue(value)); });
  await whole("update-firmware", "applied", {
    firmware_title: "app", firmware_version: "v1.1", receive_buffer: 4096, host: { store_directory: folder },
  });
  assert.deepEqual([latest(device, "current_fw_title"), latest(device, "current_fw_version")], ["app", "v1.1"]);
  assert.deepEqual(states, ["DOWNLOADING", "DOWNLOADED", "VERIFIED", "UPDATING"]);
});

function gateway(server: LocalServer): Partial<Configuration> {
  server.addDevice({ name: "gate", token: "GATEWAY_TOKEN", isGateway: true });
  return { access_token: "GATEWAY_TOKEN" };
}

scene("telemetry and attributes of a child", async ({ server, whole }) => {
  const told: string[] = [];
  server.events.on("childConnected", ({ device }) => told.push(`+${device.name}`));
  server.events.on("childDisconnected", ({ device }) => told.push(`-${device.name}`));
  await whole("gateway-telemetry", "delivered", gateway(server));
  const child = server.devices.byName(CHILD)!;
  assert.deepEqual([latest(child, "temperature"), attribute(child, "firmwareVersion")], [42.2, "2.3.1"]);
  assert.ok(Math.abs(child.latest.get("temperature")!.tsMs - Date.now()) < 60_000);
  assert.deepEqual(told, [`+${CHILD}`, `-${CHILD}`]);
});

scene("a request for a shared attribute of a child", async ({ server, rest, whole, face }) => {
  const child = server.addDevice({ name: CHILD });
  await rest("POST", `/api/plugins/telemetry/DEVICE/${child.id}/attributes/SHARED_SCOPE`, { temperature: 19.5 });
  await whole("gateway-request-attributes", face === "AS" ? "19.5" : `${CHILD}: 19.5`, gateway(server));
});

scene("replies to RPC of a child", async ({ server, rest, run }) => {
  const connected = server.events.next("childConnected", undefined, PATIENCE_MS);
  const program = run("gateway-reply-rpc", gateway(server));
  const { device } = await connected;
  const call = (method: string): Promise<unknown> => rest("POST", `/api/rpc/twoway/${device.id}`, { method, params: {}, timeout: PATIENCE_MS });
  assert.equal(typeof (await call("getCPULoad") as Record<string, unknown>)["CPU load"], "number");
  assert.deepEqual(await call("explode"), { error: "unknown method" });
  await program.end();
});

test("an example in TypeScript runs as a program of its own", async (t) => {
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), "mote-example-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "device.json");
  writeFileSync(file, JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: server.mqttPort, access_token: demoDevice.token }));
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ["--import", "tsx", "boards/posix/examples/run.ts", "telemetry", file], { cwd: ROOT },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
  assert.equal(output, "delivered\n");
  isTelemetryThere(server.devices.byToken(demoDevice.token)!);
});
