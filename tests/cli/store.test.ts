// What the configuration says of the store holds on every engine alike: a folder where nothing can be kept is refused by name before anything is connected.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MAIN, PATIENCE_MS } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "mote-store-"));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "file"), "x");
mkdirSync(join(folder, "large"));
writeFileSync(join(folder, "large/journal.flash"), Buffer.alloc(16385));
mkdirSync(join(folder, "odd/journal.flash"), { recursive: true });
symlinkSync("/nowhere/at/all", join(folder, "dangling"));

const PROGRAMS = fileURLToPath(new URL("../../build/c/", import.meta.url));
const ENGINES: Readonly<Record<string, readonly string[]>> = {
  v8: [process.execPath, MAIN, "device", "--engine", "v8"],
  wasm3: [join(PROGRAMS, "mote-device-wasm3"), "--json"],
  aot: [join(PROGRAMS, "mote-device-aot"), "--json"],
};

interface Case {
  readonly name: string;
  readonly directory: string;
  /** What a C program names beside the key, and what the command says. */
  readonly status: string;
  readonly said: RegExp;
  /** The largest file that may be written, in blocks of 512 bytes; a disk that is full answers likewise. */
  readonly blocks?: number;
}

const cases: readonly Case[] = [
  { name: "below a folder of the system that takes none", directory: "/proc/nowhere/at/all", status: "StoreFailed", said: /cannot use \/proc\/nowhere\/at\/all: ENOENT/ },
  { name: "in such a folder", directory: "/proc/nowhere", status: "StoreFailed", said: /cannot use \/proc\/nowhere: ENOENT/ },
  { name: "that is a file", directory: "file", status: "StoreFailed", said: /cannot use .*file: EEXIST/ },
  { name: "below a file", directory: "file/x/y", status: "StoreFailed", said: /cannot use .*y: ENOTDIR/ },
  { name: "that leads nowhere", directory: "dangling", status: "StoreFailed", said: /cannot use .*dangling: ENOENT/ },
  { name: "whose files are folders", directory: "odd", status: "StoreFailed", said: /cannot use .*odd: EISDIR/ },
  { name: "whose files are larger than they may be", directory: "large", status: "StoreFailed", said: /cannot use .*large: .*journal\.flash has 16385 bytes, but the area has 16384/ },
  { name: "on a disk that is full", directory: "full", status: "StoreFailed", said: /cannot use .*full: EFBIG/, blocks: 8 },
  { name: "without a name", directory: "", status: "InvalidValue", said: /store_directory/ },
  { name: "with a zero in its name", directory: "a\0b", status: "InvalidValue", said: /store_directory/ },
  { name: "with half a character in its name", directory: "a\ud800", status: "InvalidUtf8", said: /store_directory/ },
];

function run([command, ...words]: readonly string[], host: object, blocks?: number): { status: number | null; stdout: string; stderr: string } {
  const config = join(folder, "device.json");
  writeFileSync(config, JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: 1, host }));
  const limit = blocks === undefined ? "" : `ulimit -f ${blocks}; `;
  return spawnSync("sh", ["-c", `${limit}exec "$@"`, "sh", command!, ...words, "--config", config], { encoding: "utf8", timeout: PATIENCE_MS });
}

for (const { name, directory, status, said, blocks } of cases) {
  for (const [engine, command] of Object.entries(ENGINES)) {
    test(`${engine}: a store_directory ${name} is refused by name`, () => {
      const ended = run(command, { store_directory: directory }, blocks);
      if (engine === "v8") {
        assert.match(ended.stderr, said);
        assert.doesNotMatch(ended.stderr, /\n {4}at /);
      } else {
        assert.deepEqual(JSON.parse(ended.stdout || JSON.stringify(ended)), { event: "Error", status, text: "store_directory" });
      }
      assert.equal(ended.status, 2);
    });
  }
}

for (const engine of Object.keys(ENGINES)) {
  test(`${engine}: a store_directory is made, with the folders above it that are missing`, () => {
    const { stdout, stderr } = run([process.execPath, MAIN, "device", "--engine", engine], { store_directory: `${engine}/made/for/it/` });
    assert.ok(existsSync(join(folder, engine, "made/for/it/journal.flash")), stdout + stderr);
  });
}

for (const engine of Object.keys(ENGINES)) {
  test(`${engine}: areas have the sizes that the configuration asks for`, () => {
    const { stdout, stderr } = run([process.execPath, MAIN, "device", "--engine", engine], { store_directory: `${engine}/sized`, journal_size: 8192, queue_size: 0, database_size: 4096 });
    const sizes = ["journal", "queue", "database"].map((name) => statSync(join(folder, engine, "sized", `${name}.flash`), { throwIfNoEntry: false })?.size);
    assert.deepEqual(sizes, [8192, undefined, 4096], stdout + stderr);
  });
}

const SAID: Readonly<Record<string, string>> = { WrongType: "of another JSON type", InvalidValue: "outside the range that is allowed" };
const sizes: readonly [key: string, value: unknown, status: string][] = [
  ["journal_size", "16384", "WrongType"], ["queue_size", 4097, "InvalidValue"], ["database_size", -4096, "InvalidValue"], ["journal_size", 2 ** 31, "InvalidValue"],
  ["image_size", null, "WrongType"], ["image_size", 1.5, "InvalidValue"],
];
for (const [key, value, status] of sizes) {
  for (const [engine, command] of Object.entries(ENGINES)) {
    test(`${engine}: ${key} ${JSON.stringify(value)} is refused by name`, () => {
      const ended = run(command, { [key]: value });
      if (engine === "v8") assert.match(ended.stderr, new RegExp(`${SAID[status]!}.*\\(${key}\\)`));
      else assert.deepEqual(JSON.parse(ended.stdout || JSON.stringify(ended)), { event: "Error", status, text: key });
      assert.equal(ended.status, 2);
    });
  }
}
