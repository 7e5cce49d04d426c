// The package as npm packs it: each client finds its module in it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./harness.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { dependencies: object };

const PROGRAM = `
import { DeviceClient, GatewayClient } from "mote";
const configuration = { mqtt_host: "broker.test", ignore_missing_features: true };
const made = [
  ...["minimal", "device"].map((profile) => new DeviceClient(configuration, { profile })),
  ...["gateway", undefined].map((profile) => new GatewayClient(configuration, { profile })),
];
console.log(JSON.stringify(made.map(({ features }) => features.includes("Gateway"))));
`;

/** By the npm that runs these tests: a package that as-pect needs brings an old one along, which `npm test` would find first. */
function pack(directory: string): void {
  const { npm_execpath: running } = process.env;
  const words = ["pack", "--ignore-scripts", "--pack-destination", directory];
  if (running === undefined) execFileSync("npm", words, { cwd: root, stdio: "pipe" });
  else execFileSync(process.execPath, [running, ...words], { cwd: root, stdio: "pipe" });
}

test("clients of every profile are made from the packed package", (t) => {
  const directory = temporaryDirectory(t);
  pack(directory);
  const filename = readdirSync(directory).find((name) => name.endsWith(".tgz"))!;
  const modules = join(directory, "node_modules");
  mkdirSync(join(modules, "mote"), { recursive: true });
  execFileSync("tar", ["-xzf", join(directory, filename), "-C", join(modules, "mote"), "--strip-components=1"]);
  for (const name of Object.keys(dependencies)) {
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", PROGRAM], { cwd: directory, encoding: "utf8" });
  assert.deepEqual(JSON.parse(output), [false, false, true, true]);

  const profiles = readdirSync(join(root, "assembly/profiles")).map((name) => name.replace(/\.ts$/, ".wasm"));
  for (const place of ["node", "cli"]) {
    const beside = readdirSync(join(modules, "mote/build", place)).filter((name) => name.endsWith(".wasm"));
    assert.deepEqual(beside.sort(), profiles.sort(), place);
  }
});
