// The store by itself, in RAM and in files: NOR flash, whatever asks for it.

import assert from "node:assert/strict";
import { appendFileSync, chmodSync, readFileSync, statSync, truncateSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { test, type TestContext } from "node:test";
import { Status, StoreArea, StoreInfo } from "../../build/generated/abi.ts";
import { FileStore, MemoryStore } from "../../host/node/ports/store.ts";
import type { StorePort } from "../../host/node/ports/port.ts";
import { watchDisk } from "./disk.ts";
import { temporaryDirectory } from "./harness.ts";

const UNIT = 4096;
const { Journal } = StoreArea;

function read(store: StorePort, offset: number, length: number): number[] {
  const into = new Uint8Array(length);
  assert.equal(store.read(Journal, offset, into), length);
  return [...into];
}

/** Asks until the answer is not "busy". */
async function durable(store: StorePort, area: number = Journal): Promise<number> {
  for (;;) {
    const told = new Promise<void>((resolve) => { store.onActivity = () => resolve(); });
    const answer = store.sync(area);
    if (answer !== 0) return answer;
    await told;
  }
}

const stores: [name: string, make: (t: TestContext) => StorePort][] = [
  ["in RAM", () => new MemoryStore()], ["in files", (t) => new FileStore(temporaryDirectory(t))],
];

for (const [name, make] of stores) {
  test(`${name}: fresh areas are erased, programming clears bits, erasing sets those of one unit`, (t) => {
    const store = make(t);
    assert.deepEqual([store.info(Journal, StoreInfo.Size) % UNIT, store.info(Journal, StoreInfo.EraseSize)], [0, UNIT]);
    assert.deepEqual(read(store, 0, 4), [255, 255, 255, 255]);
    assert.equal(store.program(Journal, 0, Uint8Array.of(0xf0, 0x0f, 0xff, 0)), 4);
    assert.equal(store.program(Journal, 0, Uint8Array.of(0xff, 0xff, 0x12, 0xff)), 4);
    assert.deepEqual(read(store, 0, 5), [0xf0, 0x0f, 0x12, 0, 255]);
    assert.equal(store.program(Journal, UNIT, Uint8Array.of(1, 2, 3, 4)), 4);
    assert.equal(store.erase(Journal, 0), UNIT);
    assert.deepEqual(read(store, 0, 4), [255, 255, 255, 255]);
    assert.deepEqual(read(store, UNIT, 4), [1, 2, 3, 4]);
  });

  test(`${name}: a program ends with the unit in which it begins`, (t) => {
    const store = make(t);
    assert.equal(store.program(Journal, UNIT - 4, new Uint8Array(8)), 4);
    assert.deepEqual(read(store, UNIT - 4, 8), [0, 0, 0, 0, 255, 255, 255, 255]);
  });

  test(`${name}: what lies outside, is not aligned or not there is refused`, async (t) => {
    const store = make(t);
    const size = store.info(Journal, StoreInfo.Size);
    const answers = [
      store.read(Journal, size - 3, new Uint8Array(4)), store.read(Journal, -1, new Uint8Array(1)), store.read(7, 0, new Uint8Array(1)),
      store.program(Journal, size, new Uint8Array(4)), store.program(Journal, 2, new Uint8Array(4)), store.program(Journal, 0, new Uint8Array(3)),
      store.erase(Journal, 4), store.erase(Journal, size), store.info(3, StoreInfo.Size), store.info(Journal, 9), store.sync(9),
      store.read(StoreArea.Database, 0, new Uint8Array(1)),
    ];
    assert.deepEqual(answers, answers.map(() => Status.InvalidValue));
    assert.equal(store.info(StoreArea.Database, StoreInfo.Size), 0);
  });
}

test("files keep what was synchronised, and what was not, over a restart of the process", async (t) => {
  const directory = temporaryDirectory(t);
  const store = new FileStore(directory);
  store.program(Journal, 8, Uint8Array.of(1, 2, 3, 4));
  assert.equal(await durable(store), 1);
  assert.equal(store.sync(Journal), 1, "nothing has changed since");
  store.program(Journal, 12, Uint8Array.of(5, 6, 7, 8));
  assert.equal(store.sync(Journal), 0, "a change asks for the disk again");
  assert.deepEqual(read(new FileStore(directory), 4, 12), [255, 255, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(await durable(store), 1);
});

test("what changes while the disk works is not said to be durable", async (t) => {
  const store = new FileStore(temporaryDirectory(t));
  await durable(store);
  store.program(Journal, 0, new Uint8Array(4));
  const told = new Promise<void>((resolve) => { store.onActivity = () => resolve(); });
  assert.equal(store.sync(Journal), 0);
  store.program(Journal, 4, new Uint8Array(4));
  await told;
  assert.equal(store.sync(Journal), 0);
  assert.equal(await durable(store), 1);
});

test("only the owner may read the files, also those that were there", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "journal.flash");
  new FileStore(directory);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o644);
  new FileStore(directory);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a file that was cut off reads as erased behind its end, and holds the whole area again", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "journal.flash");
  const store = new FileStore(directory);
  const size = store.info(Journal, StoreInfo.Size);
  store.program(Journal, 0, new Uint8Array(8));
  truncateSync(path, 4);
  assert.deepEqual(read(new FileStore(directory), 0, 8), [0, 0, 0, 0, 255, 255, 255, 255]);
  assert.equal(readFileSync(path).length, size);
});

test("a file that is longer than the area is somebody else's", (t) => {
  const directory = temporaryDirectory(t);
  new FileStore(directory);
  appendFileSync(join(directory, "journal.flash"), "x");
  assert.throws(() => new FileStore(directory), /journal\.flash has 16385 bytes/);
});

test("a file that is gone is a failure by name, and changes nothing", async (t) => {
  const directory = temporaryDirectory(t);
  const store = new FileStore(directory);
  unlinkSync(join(directory, "journal.flash"));
  assert.equal(store.program(Journal, 0, new Uint8Array(4)), Status.StoreFailed);
  assert.deepEqual(read(store, 0, 4), [255, 255, 255, 255]);
  assert.equal(await durable(store), Status.StoreFailed);
  new FileStore(directory);
  assert.equal(await durable(store), 1, "a failure is told once");
});

test("files that were made are there after a power cut: their directory is synchronised", { skip: process.platform !== "linux" && "needs /proc" }, (t) => {
  const directory = temporaryDirectory(t);
  const steps = watchDisk(t);
  new FileStore(directory);
  assert.ok(steps.includes(`sync ${basename(directory)}`), steps.join());
});
