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

/** Packs the checkout into a folder, as any npm does it; the name of the file. */
function pack(folder: string): string {
  // Under `npm test` the word npm is an old one that a dependency brings; who runs the tests is named by `npm_execpath`.
  const { npm_execpath: npm } = process.env;
  const [command, ...words] = npm?.endsWith("npm-cli.js") ? [process.execPath, npm] : ["npm"];
  // A cache of its own, since the user's may not be there or belong to another.
  const env = { ...process.env, npm_config_cache: join(folder, "cache"), npm_config_offline: "true", npm_config_loglevel: "error" };
  execFileSync(command!, [...words, "pack", root, "--ignore-scripts"], { cwd: folder, env, stdio: "pipe" });
  const file = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  assert.ok(file, "npm has packed nothing");
  return file;
}

test("clients of every profile are made from the packed package", (t) => {
  const directory = temporaryDirectory(t);
  const filename = pack(directory);
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
