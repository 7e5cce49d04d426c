// Firmware over a bad network, kept in files: chunks are lost, sessions end, the device loses its power, and no written byte is fetched twice.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Feature, OtaKind } from "../../build/generated/abi.ts";
import { plainValue } from "../../host/server/values.ts";
import { behaviour, folder, Site, started } from "./harness.ts";

const IMAGE_BYTES = 1024 * 1024;
/** Larger than any buffer, so that each chunk comes in parts. */
const CHUNK_BYTES = 8192;
const CHUNKS = IMAGE_BYTES / CHUNK_BYTES;
const BUFFERS = { receive_buffer: 512, staging_buffer: 512 };
/** A second passes for each chunk that is lost. */
const LOSS = { percent: 5, seed: 1 };
const CUT_AT = [20, 45];
const POWER_LOST_AT = 70;

/** The bytes of the image that the device has on its disk. */
function writtenBytes(directory: string): number {
  const images = join(directory, "images");
  const part = readdirSync(images).find((name) => name.endsWith(".part"));
  return part === undefined ? 0 : statSync(join(images, part)).size;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

behaviour("updates", Feature.Ota, (check) => {
  check("1 MiB with 5 % of chunks lost, two disconnects and a power cut is verified, and nothing that was written is fetched again", async (t, engine) => {
    const image = randomBytes(IMAGE_BYTES);
    const site = await Site.open(t);
    const { server, device } = site;
    const states: unknown[] = [];
    server.events.on("telemetry", ({ key, value }) => { if (key === "fw_state") states.push(plainValue(value)); });
    const added = server.packages.add({ type: "FIRMWARE", title: "app", version: "1.10.0", tag: null, url: null });
    server.packages.upload(added, image, "SHA256");
    server.assignPackage(device, "FIRMWARE", added);
    server.faults.loseChunks(LOSS);

    const directory = folder(t);
    const cuts = new Set(CUT_AT);
    const fetchedAgain: number[] = [];
    let lost = 0;
    let chunkLast = 0;
    server.events.on("otaChunk", ({ chunk, isLost }) => {
      if (writtenBytes(directory) >= (chunk + 1) * CHUNK_BYTES) fetchedAgain.push(chunk);
      if (cuts.delete(chunk)) setImmediate(() => server.faults.killSessions());
      if (isLost) lost++;
      chunkLast = chunk;
    });
    const settings = {
      ...BUFFERS, ota_chunk_size: CHUNK_BYTES, ota_chunk_timeout_s: 1, firmware_title: "app", firmware_version: "1.9.0", host: { store_directory: directory },
    };

    const before = await started(t, engine, site.port, settings);
    for (const chunk of [...CUT_AT, POWER_LOST_AT]) await site.until(`chunk ${chunk}`, () => chunkLast >= chunk);
    await before.killed();
    const atPowerCut = writtenBytes(directory);
    assert.ok(atPowerCut > (POWER_LOST_AT - 2) * CHUNK_BYTES && atPowerCut < IMAGE_BYTES, `${atPowerCut} bytes were written`);
    assert.ok(before.of("Connected").length >= 3, "two sessions ended");

    const after = await started(t, engine, site.port, settings);
    await site.until("most chunks", () => chunkLast >= 100);
    await after.event("OtaReady");
    assert.ok(lost > 0, "some chunks were lost");
    assert.deepEqual(fetchedAgain, []);
    assert.equal(after.of("OtaProgress").at(-1)!.offset, IMAGE_BYTES);
    assert.ok(after.of("OtaProgress").length <= CHUNKS - POWER_LOST_AT + 2, "it went on where it was");
    await after.run("ota_apply", OtaKind.Firmware, 1);
    await after.event("OtaApplied");
    assert.equal(sha256(readFileSync(join(directory, "images", "firmware.image"))), sha256(image));
    await site.until("the report", () => states.includes("UPDATING"));
    assert.deepEqual(states.filter((state) => !["QUEUED", "INITIATED", "DOWNLOADING"].includes(String(state))), ["DOWNLOADED", "VERIFIED", "UPDATING"]);

    // The device boots what it fetched, and says so once it is connected.
    await after.killed();
    const updated = await started(t, engine, site.port, { ...settings, firmware_version: "1.10.0" });
    await site.until("UPDATED", () => states.at(-1) === "UPDATED");
    assert.equal(site.telemetry.get("current_fw_version"), "1.10.0");
    for (const driver of [before, after, updated]) assert.deepEqual(driver.of("OtaFailed"), []);
  });

  check("a package is given up, and asked for again", async (t, engine) => {
    const site = await Site.open(t);
    const { server, device } = site;
    const added = server.packages.add({ type: "FIRMWARE", title: "app", version: "2", tag: null, url: null });
    server.packages.upload(added, randomBytes(3000), "SHA256");
    server.assignPackage(device, "FIRMWARE", added);
    const driver = await started(t, engine, site.port, { firmware_title: "app", firmware_version: "1", receive_buffer: 1024, host: { store_directory: folder(t) } });
    await driver.event("OtaReady");
    await driver.run("ota_stop", OtaKind.Firmware);
    await driver.event("OtaFailed");
    await driver.run("ota_start", OtaKind.Firmware);
    await driver.event("OtaAvailable", (event) => driver.events.indexOf(event) > driver.events.findIndex((each) => each.event === "OtaFailed"));
    await driver.event("OtaReady");
    await driver.run("ota_apply", OtaKind.Firmware, 1);
    assert.deepEqual([(await driver.event("OtaApplied")).name, (await driver.ask("ota_stop", OtaKind.Firmware)).status], ["app", "BadState"]);
  });
});
