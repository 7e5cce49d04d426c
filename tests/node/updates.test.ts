// Firmware that arrives over a bad network: an image of 1 MiB through buffers of 512 bytes, against the local server.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import mqttPacket from "mqtt-packet";
import { OtaKind } from "../../build/generated/abi.ts";
import { type DeviceClient, MemorySlot, SlotOta } from "../../host/node/index.ts";
import { demoDevice, startServer, type LocalServer } from "../../host/server/server.ts";
import { plainValue } from "../../host/server/values.ts";
import { client } from "./harness.ts";

const IMAGE_BYTES = 1024 * 1024;
const CHUNK_BYTES = 8192;
/** Six chunks or so are lost, and a second passes for each. */
const LOSS = { percent: 5, seed: 1 };

/** A slot that outlives its client, as flash does, and knows how far it was written. */
class CountingSlot extends MemorySlot {
  writtenBytes = 0;

  override append(bytes: Uint8Array): void {
    super.append(bytes);
    this.writtenBytes += bytes.length;
  }
}

/** Stands between client and server, and tells of each chunk that is asked for. */
async function proxy(t: TestContext, server: LocalServer, onRequest: (chunk: number, cut: () => void) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const listener = createServer((device) => {
    const upstream = connect(server.mqttPort, "127.0.0.1");
    const cut = (): void => {
      device.resetAndDestroy();
      upstream.destroy();
    };
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on("packet", (packet) => {
      const found = packet.cmd === "publish" && /^v2\/fw\/request\/\d+\/chunk\/(\d+)$/.exec(packet.topic);
      if (found) onRequest(Number(found[1]), cut);
    });
    for (const each of [device, upstream]) {
      sockets.add(each);
      each.on("error", () => {});
      each.on("close", cut);
    }
    device.on("data", (bytes: Buffer) => parser.parse(bytes));
    device.pipe(upstream).pipe(device);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => {
    listener.close();
    for (const each of sockets) each.destroy();
  });
  return (listener.address() as AddressInfo).port;
}

async function rest(server: LocalServer, path: string, body: string | FormData, type?: string): Promise<{ id: { id: string } }> {
  const response = await fetch(`${server.restUrl}${path}`, { method: "POST", body, ...(type && { headers: { "content-type": type } }) });
  assert.equal(response.status, 200);
  return await response.json() as { id: { id: string } };
}

async function assign(server: LocalServer, image: Buffer): Promise<void> {
  const { id } = await rest(server, "/api/otaPackage", JSON.stringify({ type: "FIRMWARE", title: "app", version: "1.10" }), "application/json");
  const form = new FormData();
  form.append("file", new Blob([image], { type: "application/octet-stream" }), "app.bin");
  await rest(server, `/api/otaPackage/${id.id}?checksumAlgorithm=SHA256`, form);
  const device = { id: { entityType: "DEVICE", id: server.devices.byToken(demoDevice.token)!.id }, firmwareId: { entityType: "OTA_PACKAGE", id: id.id } };
  await rest(server, "/api/device", JSON.stringify(device), "application/json");
}

test("1 MiB with lost chunks, two disconnects and a restart is verified, and nothing that was written is asked for again", { timeout: 120_000 }, async (t) => {
  const image = randomBytes(IMAGE_BYTES);
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  await assign(server, image);
  server.faults.loseChunks(LOSS);
  const states: unknown[] = [];
  server.events.on("*", (event) => {
    if (event.type === "telemetry" && event.key === "fw_state") states.push(plainValue(event.value));
  });

  const slot = new CountingSlot();
  const askedAgain: number[] = [];
  let cuts = 0;
  let running: DeviceClient | undefined;
  let restarted: (() => void) | undefined;
  const restart = new Promise<void>((resolve) => (restarted = resolve));
  const port = await proxy(t, server, (chunk, cut) => {
    if (Math.min((chunk + 1) * CHUNK_BYTES, IMAGE_BYTES) <= slot.writtenBytes) askedAgain.push(chunk);
    if (cuts === 0 && chunk === 20 || cuts === 1 && chunk === 60) {
      cuts++;
      cut();
    }
    if (chunk === 90) restarted!();
  });
  const boot = (): DeviceClient => client(t, port, {
    access_token: demoDevice.token, receive_buffer: 512, reconnect_min_ms: 1, reconnect_max_ms: 10, ota_chunk_size: CHUNK_BYTES, ota_chunk_timeout_s: 1,
    firmware_title: "app", firmware_version: "1.1",
  }, { ports: { ota: new SlotOta(slot) } });

  running = boot();
  running.connect().catch(() => {});
  await restart;
  await running.stop();
  assert.ok(slot.writtenBytes > 80 * CHUNK_BYTES && slot.writtenBytes < IMAGE_BYTES);

  running = boot();
  const events = running.otaEvents();
  await running.connect();
  const seen = new Set<string>();
  for await (const event of events) {
    seen.add(event.type);
    assert.notEqual(event.type, "OtaFailed");
    if (event.type === "OtaApplied") break;
  }
  assert.deepEqual([...seen], ["OtaAvailable", "OtaProgress", "OtaReady", "OtaApplied"]);
  assert.equal(cuts, 2);
  assert.deepEqual(askedAgain, []);
  assert.equal(slot.writtenBytes, IMAGE_BYTES);
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  assert.equal(sha256(slot.image(OtaKind.Firmware)!), sha256(image));
  await running.sendTelemetry({ last: 1 }); // what was sent before has arrived
  assert.deepEqual(states.filter((state) => state !== "DOWNLOADING" && state !== "QUEUED" && state !== "INITIATED"), ["DOWNLOADED", "VERIFIED", "UPDATING"]);
});
