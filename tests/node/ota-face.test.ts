// Updates as an application sees them, against the local server: they begin by themselves, can be vetoed, and fetched from a URL.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { OtaKind } from "../../build/generated/abi.ts";
import { MemorySlot, SlotOta, type ClientOptions, type DeviceClient, type OtaEvent } from "../../host/node/index.ts";
import { assignPackage } from "../../host/server/ota.ts";
import { demoDevice, startServer, type LocalServer } from "../../host/server/server.ts";
import { plainValue } from "../../host/server/values.ts";
import { client, Fault, nextEvent } from "./harness.ts";

const IMAGE = randomBytes(5000);
const SHA256 = createHash("sha256").update(IMAGE).digest("hex");

interface Started {
  readonly server: LocalServer;
  readonly client: DeviceClient;
  readonly slot: MemorySlot;
  readonly events: AsyncIterableIterator<OtaEvent>;
}

/** A client that runs another version than the one that its server assigned, not yet connected. */
async function start(t: TestContext, url: string | null, options: ClientOptions = {}): Promise<Started> {
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  const assigned = server.packages.add({ type: "FIRMWARE", title: "app", version: "2", tag: null, url });
  if (url === null) server.packages.upload(assigned, IMAGE, "SHA256");
  else Object.assign(assigned, { checksum: SHA256, checksumAlgorithm: "SHA256", sizeBytes: IMAGE.length });
  assignPackage(server.devices.byToken(demoDevice.token)!, "FIRMWARE", assigned, { now: Date.now, events: server.events });
  const slot = new MemorySlot();
  const made = client(t, server.mqttPort, {
    access_token: demoDevice.token, receive_buffer: 1024, ota_chunk_size: 1000, firmware_title: "app", firmware_version: "1",
  }, { ...options, ports: { ota: new SlotOta(slot) } });
  return { server, client: made, slot, events: made.otaEvents() };
}

/** What is told until the update ends, progress counted apart. */
async function lifeOf(events: AsyncIterableIterator<OtaEvent>): Promise<{ told: OtaEvent[]; progress: number[] }> {
  const told: OtaEvent[] = [];
  const progress: number[] = [];
  for await (const event of events) {
    if (event.type === "OtaProgress") progress.push(event.writtenBytes);
    else told.push(event);
    if (event.type === "OtaApplied" || event.type === "OtaFailed") break;
  }
  return { told, progress };
}

/** The last state that the server was told, once all that was sent has arrived. */
async function state({ server, client: made }: Started): Promise<unknown> {
  await made.sendTelemetry({ last: 1 });
  return plainValue(server.devices.byToken(demoDevice.token)!.latest.get("fw_state")!.value);
}

test("an update begins by itself, tells its progress and asks before it is applied", async (t) => {
  const started = await start(t, null);
  const asked: unknown[] = [];
  started.client.onOta((update) => { asked.push(update); });
  await started.client.connect();
  const { told, progress } = await lifeOf(started.events);
  assert.deepEqual(told.map(({ type }) => type), ["OtaAvailable", "OtaReady", "OtaApplied"]);
  assert.deepEqual(asked, [{ kind: "firmware", title: "app", version: "2", totalBytes: IMAGE.length }]);
  assert.deepEqual(progress, [1000, 2000, 3000, 4000, 5000]);
  assert.ok(IMAGE.equals(started.slot.image(OtaKind.Firmware)!));
  assert.equal(await state(started), "UPDATING");
});

for (const [how, veto] of [["false", () => false], ["an exception", () => Promise.reject(new Error("not now"))]] as const) {
  test(`${how} vetoes a verified image`, async (t) => {
    const started = await start(t, null);
    started.client.onOta(veto);
    await started.client.connect();
    const { told } = await lifeOf(started.events);
    assert.deepEqual(told.map(({ type }) => type), ["OtaAvailable", "OtaReady", "OtaFailed"]);
    assert.equal(await state(started), "FAILED");
  });
}

test("a package is given up by stopOta, and asked for again by startOta", async (t) => {
  const started = await start(t, null);
  await started.client.connect();
  for await (const event of started.events) if (event.type === "OtaProgress") break;
  started.client.stopOta();
  const given = (await lifeOf(started.client.otaEvents())).told;
  assert.deepEqual(given.map(({ type }) => type), ["OtaFailed"]);
  assert.equal(await state(started), "FAILED");
  const again = started.client.otaEvents();
  started.client.startOta("firmware");
  assert.deepEqual((await lifeOf(again)).told.map(({ type }) => type), ["OtaAvailable", "OtaReady", "OtaApplied"]);
  assert.equal(await state(started), "UPDATING");
});

test("an image at a URL is fetched by the application", async (t) => {
  const started = await start(t, "https://images.test/app.bin");
  const asked: string[] = [];
  started.client.onOtaUrl(({ url, checksum }) => {
    asked.push(url, checksum);
    return Readable.from(Array.from({ length: 8 }, (_, index) => IMAGE.subarray(index * 700, (index + 1) * 700)));
  });
  await started.client.connect();
  const { told } = await lifeOf(started.events);
  assert.equal(told.at(-1)!.type, "OtaApplied");
  assert.deepEqual(asked, ["https://images.test/app.bin", SHA256]);
  assert.ok(IMAGE.equals(started.slot.image(OtaKind.Firmware)!));
});

test("stop aborts the fetch from a URL without a word; the next start fetches again, and what was written is passed", async (t) => {
  const started = await start(t, "https://images.test/app.bin");
  const warnings: unknown[] = [];
  const onWarning = (warning: Error): void => { warnings.push(warning); };
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const signals: AbortSignal[] = [];
  const steps = new EventTarget();
  const step = (name: string): Promise<Event> => new Promise((resolve) => steps.addEventListener(name, resolve, { once: true }));
  const [begun, aborted] = [step("begun"), step("aborted")];
  started.client.onOtaUrl(async function* (_update, signal) {
    signals.push(signal);
    yield IMAGE.subarray(0, 2000);
    if (signals.length === 1) {
      steps.dispatchEvent(new Event("begun"));
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => {
        steps.dispatchEvent(new Event("aborted"));
        reject(signal.reason);
      }));
    }
    yield IMAGE.subarray(2000);
  });
  await started.client.connect();
  await begun;
  assert.equal(started.slot.image(OtaKind.Firmware)?.length ?? 0, 0);
  await started.client.stop();
  await aborted;
  assert.equal(signals[0]!.aborted, true);

  const events = started.client.otaEvents();
  await started.client.connect();
  const { told } = await lifeOf(events);
  assert.deepEqual(told.map(({ type }) => type), ["OtaApplied"]);
  assert.deepEqual(signals.map(({ aborted: isAborted }) => isAborted), [true, true]);
  assert.ok(IMAGE.equals(started.slot.image(OtaKind.Firmware)!));
  assert.equal(await state(started), "UPDATING");
  assert.deepEqual(warnings, []);
});

test("a trap aborts the fetch from a URL at once: nobody waits for the image until the server names it again", async (t) => {
  const fault = new Fault();
  const started = await start(t, "https://images.test/app.bin", { hooks: fault.hooks });
  const signals: AbortSignal[] = [];
  let begun!: () => void;
  const isBegun = new Promise<void>((resolve) => { begun = resolve; });
  started.client.onOtaUrl(async function* (_update, signal) {
    signals.push(signal);
    yield IMAGE.subarray(0, 2000);
    if (signals.length === 1) {
      begun();
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }
    yield IMAGE.subarray(2000);
  });
  const events = started.client.events();
  await started.client.connect();
  await isBegun;
  fault.isArmed = true;
  await started.client.sendTelemetry({ wakes: 1 }).catch(() => {});
  await nextEvent(events, "Disconnected");
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true], "before there is another instance");
  const { told } = await lifeOf(started.events);
  assert.equal(told.at(-1)!.type, "OtaApplied");
  assert.equal(signals.length, 2);
});

test("an image at a URL that is another one, or that nobody fetches, fails", async (t) => {
  for (const handler of [null, () => randomBytes(IMAGE.length)]) {
    const started = await start(t, "https://images.test/app.bin");
    started.client.onOtaUrl(handler);
    await started.client.connect();
    const { told } = await lifeOf(started.events);
    assert.equal(told.at(-1)!.type, "OtaFailed");
    assert.equal(await state(started), "FAILED");
  }
});
