// The image slot by itself: going on after a restart, checksums as the platform writes them, commit and rollback.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { OtaAlgorithm, OtaBootState, OtaKind, Status } from "../../build/generated/abi.ts";
import { fillSlot } from "../../host/node/ports/fill.ts";
import { FileSlot, MemorySlot } from "../../host/node/ports/image.ts";
import { SlotOta } from "../../host/node/ports/ota.ts";
import type { OtaPort } from "../../host/node/ports/port.ts";
import { watchDisk } from "./disk.ts";
import { temporaryDirectory } from "./harness.ts";

const { Firmware, Software } = OtaKind;
const bytes = (text: string): Uint8Array => Buffer.from(text);
const ID = bytes("app\n1.2");

async function done(ota: OtaPort, ask: () => number): Promise<number> {
  for (;;) {
    const told = new Promise<void>((resolve) => { ota.onActivity = () => resolve(); });
    const answer = ask();
    if (answer !== 0) return answer;
    await told;
  }
}

function write(ota: OtaPort, image: Uint8Array, id: Uint8Array = ID, kind: number = Firmware): void {
  assert.equal(ota.begin(kind, image.length, id), 0);
  assert.equal(ota.write(image), image.length);
}

/** md5sum and its sisters for the digests; for the others HashCode texts of Guava's own tests and of zlib's documentation. */
const command = (name: string, input: string): string => execFileSync(name, { input, encoding: "utf8" }).split(" ")[0]!;
const FOX = "The quick brown fox jumps over the lazy dog";
const checksums: [algorithm: keyof typeof OtaAlgorithm, image: string, hex: string][] = [
  ["Md5", FOX, command("md5sum", FOX)],
  ["Sha256", FOX, command("sha256sum", FOX)],
  ["Sha384", FOX, command("sha384sum", FOX)],
  ["Sha512", FOX, command("sha512sum", FOX)],
  // CRC-32 of "123456789" is cbf43926, that of the fox 414fa339; the lowest byte stands first.
  ["Crc32", "123456789", "2639f4cb"],
  ["Crc32", FOX, "39a34f41"],
  // By Python's zlib: digits of zero in front and at the end stay.
  ["Crc32", "image 13", "0b1965e5"],
  ["Crc32", "image 174", "ad62ed00"],
  // MurmurHash3 of "hello" is 248bfa47, that of the fox 2e4ff723.
  ["Murmur3_32", "hello", "47fa8b24"],
  ["Murmur3_32", FOX, "23f74f2e"],
  ["Murmur3_128", "hello", "029bbd41b3a7d8cb191dae486a901e5b"],
  ["Murmur3_128", FOX, "6c1b07bc7bbc4be347939ac4a93c437a"],
];

for (const [algorithm, image, hex] of checksums) {
  test(`${algorithm} of ${image} is ${hex.slice(0, 12)}...`, async (t) => {
    for (const ota of [new SlotOta(new MemorySlot()), new SlotOta(new FileSlot(temporaryDirectory(t)))]) {
      write(ota, bytes(image));
      assert.equal(ota.verify(OtaAlgorithm[algorithm], hex), 0, "hashing takes its time");
      assert.equal(await done(ota, () => ota.verify(OtaAlgorithm[algorithm], hex)), 1);
      assert.equal(await done(ota, () => ota.verify(OtaAlgorithm[algorithm], hex.toUpperCase())), 1);
      const other = `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}`;
      assert.equal(await done(ota, () => ota.verify(OtaAlgorithm[algorithm], other)), Status.InvalidValue);
      assert.equal(await done(ota, () => ota.verify(OtaAlgorithm[algorithm], hex.slice(2))), Status.InvalidValue);
    }
  });
}

test("an image that the application fetched is verified by what its checksum can be: the server names no algorithm beside a URL", async () => {
  const fill = (image: string, checksum: string): Promise<void> =>
    fillSlot(new SlotOta(new MemorySlot()), Firmware, { url: "https://files.test/app", totalBytes: image.length, checksum }, [bytes(image)], new AbortController().signal);
  for (const [algorithm, image, hex] of checksums) {
    await assert.doesNotReject(fill(image, hex), algorithm);
    await assert.rejects(fill(`${image.slice(0, -1)}?`, hex), { status: "ChecksumMismatch" }, algorithm);
  }
});

test("the same image goes on where it was, also after a restart; another begins anew", (t) => {
  const directory = temporaryDirectory(t);
  const image = Buffer.alloc(3000, "abc");
  const ota = new SlotOta(new FileSlot(directory));
  assert.equal(ota.begin(Firmware, 3000, ID), 0);
  assert.equal(ota.write(image.subarray(0, 1000)), 1000);
  assert.equal(ota.begin(Firmware, 3000, ID), 1000);
  const again = new SlotOta(new FileSlot(directory));
  assert.equal(again.begin(Firmware, 3000, ID), 1000);
  assert.equal(again.begin(Software, 3000, ID), 0, "software has a slot of its own");
  assert.equal(again.begin(Firmware, 3000, ID), 1000);
  assert.equal(again.begin(Firmware, 3001, ID), 0, "another size is another image");
  assert.equal(again.begin(Firmware, 3000, ID), 0, "whose beginning replaced the first");
  assert.equal(readdirSync(directory).filter((name) => name.startsWith("firmware-")).length, 1);
});

test("an id from the network never becomes a path", (t) => {
  const directory = temporaryDirectory(t);
  const ota = new SlotOta(new FileSlot(join(directory, "inner")));
  write(ota, bytes("x"), bytes("../../outside/\0"));
  assert.deepEqual(readdirSync(directory), ["inner"]);
  assert.equal(statSync(join(directory, "inner", readdirSync(join(directory, "inner"))[0]!)).mode & 0o777, 0o600);
});

test("commit renames a whole image, and only that; abort drops it", async (t) => {
  const directory = temporaryDirectory(t);
  const slot = new FileSlot(directory);
  const ota = new SlotOta(slot);
  assert.deepEqual([ota.write(bytes("x")), ota.commit(), ota.abort(), ota.verify(0, "")], [-5, -5, -5, -5]);
  assert.equal(ota.begin(Firmware, 4, ID), 0);
  ota.write(bytes("ne"));
  assert.equal(ota.commit(), Status.BadState);
  assert.equal(ota.verify(OtaAlgorithm.Md5, ""), Status.BadState);
  assert.equal(ota.write(bytes("w im")), Status.TooLarge);
  assert.equal(ota.write(bytes("ww")), 2);
  assert.equal(await done(ota, () => ota.commit()), 1);
  assert.equal(readFileSync(slot.imagePath(Firmware), "utf8"), "neww");
  assert.equal(ota.commit(), Status.BadState, "once");
  write(ota, bytes("drop"), bytes("2"), Software);
  assert.equal(ota.abort(), Status.Ok);
  assert.equal(existsSync(slot.imagePath(Software)), false);
  assert.equal(ota.begin(Software, 4, bytes("2")), 0);
});

test("what no image can be is refused by name", () => {
  const ota = new SlotOta(new MemorySlot(100));
  assert.deepEqual([ota.begin(Firmware, 0, ID), ota.begin(Firmware, -1, ID), ota.begin(2, 1, ID)], [-6, -6, -6]);
  assert.equal(ota.begin(Firmware, 101, ID), Status.TooLarge);
});

test("a directory that is gone is a failure by name", async (t) => {
  const directory = join(temporaryDirectory(t), "gone");
  const ota = new SlotOta(new FileSlot(directory));
  write(ota, bytes("x"));
  rmSync(directory, { recursive: true });
  assert.equal(await done(ota, () => ota.verify(OtaAlgorithm.Md5, "")), Status.StoreFailed);
  assert.equal(await done(ota, () => ota.commit()), Status.StoreFailed);
  assert.equal(ota.begin(Firmware, 1, ID), Status.StoreFailed);
});

async function commit(directory: string, image: string): Promise<FileSlot> {
  const slot = new FileSlot(directory);
  const ota = new SlotOta(slot);
  write(ota, bytes(image), bytes(image));
  assert.equal(await done(ota, () => ota.commit()), 1);
  return slot;
}

test("a new image is on trial for one boot; confirmed it stays", async (t) => {
  const directory = temporaryDirectory(t);
  const slot = await commit(directory, "one");
  assert.equal(slot.bootState(), OtaBootState.Normal);
  const trial = new SlotOta(new FileSlot(directory));
  assert.equal(trial.bootState(), OtaBootState.Unconfirmed);
  assert.equal(trial.confirm(), 1);
  assert.equal(trial.bootState(), OtaBootState.Normal);
  assert.equal(new FileSlot(directory).bootState(), OtaBootState.Normal);
  assert.equal(readFileSync(slot.imagePath(Firmware), "utf8"), "one");
});

test("not confirmed it is replaced by the one before, which is told until it is confirmed", async (t) => {
  const directory = temporaryDirectory(t);
  const slot = await commit(directory, "one");
  new FileSlot(directory).confirm();
  await commit(directory, "two");
  assert.equal(new FileSlot(directory).bootState(), OtaBootState.Unconfirmed);
  assert.equal(readFileSync(slot.imagePath(Firmware), "utf8"), "two");
  assert.equal(new FileSlot(directory).bootState(), OtaBootState.RolledBack);
  const last = new FileSlot(directory);
  assert.equal(last.bootState(), OtaBootState.RolledBack);
  assert.equal(readFileSync(slot.imagePath(Firmware), "utf8"), "one");
  last.confirm();
  assert.equal(new FileSlot(directory).bootState(), OtaBootState.Normal);
});

test("software has no boot: it is replaced", async (t) => {
  const directory = temporaryDirectory(t);
  const slot = new FileSlot(directory);
  const ota = new SlotOta(slot);
  write(ota, bytes("tool"), ID, Software);
  assert.equal(await done(ota, () => ota.commit()), 1);
  assert.equal(new FileSlot(directory).bootState(), OtaBootState.Normal);
  assert.equal(readFileSync(slot.imagePath(Software), "utf8"), "tool");
});

test("an image longer than its size, as no crash leaves it, begins anew", (t) => {
  const directory = temporaryDirectory(t);
  const ota = new SlotOta(new FileSlot(directory));
  write(ota, bytes("abc"));
  writeFileSync(join(directory, readdirSync(directory)[0]!), "abcdef");
  assert.equal(new SlotOta(new FileSlot(directory)).begin(Firmware, 3, ID), 0);
});

test("an image is never bootable without its trial: what cannot be noted is not put in place", async (t) => {
  const directory = temporaryDirectory(t);
  await commit(directory, "one");
  new FileSlot(directory).confirm();
  const slot = new FileSlot(directory);
  const ota = new SlotOta(slot);
  write(ota, bytes("two"), bytes("two"));
  mkdirSync(join(directory, "boot.next")); // nothing can be written there
  assert.equal(await done(ota, () => ota.commit()), Status.StoreFailed);
  assert.equal(readFileSync(slot.imagePath(Firmware), "utf8"), "one");
  assert.equal(new FileSlot(directory).bootState(), OtaBootState.Normal);
  rmSync(join(directory, "boot.next"), { recursive: true });
  assert.equal(await done(ota, () => ota.commit()), 1);
  assert.equal(readFileSync(slot.imagePath(Firmware), "utf8"), "two");
  assert.equal(new FileSlot(directory).bootState(), OtaBootState.Unconfirmed);
});

test("an image that is begun while another one is committed is not taken for it", async (t) => {
  const directory = temporaryDirectory(t);
  await commit(directory, "one");
  const slot = new FileSlot(directory);
  const ota = new SlotOta(slot);
  write(ota, bytes("two"), bytes("two"));
  const committed = slot.commit();
  assert.equal(ota.begin(Firmware, 5, bytes("three")), 0);
  assert.equal(ota.write(bytes("th")), 2);
  await committed.catch(() => {});
  assert.ok(["one", "two"].includes(readFileSync(slot.imagePath(Firmware), "utf8")), readFileSync(slot.imagePath(Firmware), "utf8"));
  assert.equal(ota.begin(Firmware, 5, bytes("three")), 2);
});

test("a boot file that says nothing known is no roll-back", (t) => {
  for (const text of ["", "conf", "garbage\0"]) {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, "boot"), text);
    assert.equal(new FileSlot(directory).bootState(), OtaBootState.Normal, JSON.stringify(text));
  }
});

test("what is confirmed survives a power cut: the new name is synchronised too", { skip: process.platform !== "linux" && "needs /proc" }, async (t) => {
  const directory = temporaryDirectory(t);
  await commit(directory, "one");
  const slot = new FileSlot(directory);
  const steps = watchDisk(t);
  slot.confirm();
  assert.equal(readFileSync(join(directory, "boot"), "utf8"), "confirmed\n");
  assert.deepEqual(steps.slice(-2), ["rename boot", `sync ${basename(directory)}`]);
});
