// Builds what is stale: the numbers of the ABI, the modules, the apps, the C host, the Node bundles.
//
//   node --import tsx host/tools/build.ts [modules] [apps] [c] [node]      all of them when none is named

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnWithMe } from "./children.ts";
import { ensureWritable } from "./writable.ts";
import "./plain-packages.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROFILES = readdirSync(join(ROOT, "assembly/profiles")).filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -3));

export type Step = "modules" | "apps" | "c" | "node";
export type Report = (line: string) => void;

/** All but the modules stand on the modules. */
const STEPS: Readonly<Record<Step, (report: Report) => Promise<void>>> = {
  async modules() {},
  apps: buildApps,
  async c(report) {
    report("C host");
    await run("cmake", "-S", "boards/posix", "-B", "build/c");
    await run("cmake", "--build", "build/c", "--parallel", String(availableParallelism()));
  },
  async node(report) {
    report("Node bundles");
    await runNode("host/tools/build-node.ts");
  },
};

/** Runs the steps beside each other; what they print is shown only when one fails. */
export async function build(steps: readonly Step[] = ["apps", "c", "node"], report: Report = () => {}): Promise<void> {
  ensureWritable(ROOT);
  await buildModules(report);
  const results = await Promise.allSettled(steps.map((step) => STEPS[step](report)));
  // Not before all have ended, or the next build would meet them.
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function buildModules(report: Report): Promise<void> {
  await runNode("host/tools/generate-abi.ts");
  const inputsMs = Math.max(newestMs("assembly"), newestMs("asconfig.json"), newestMs("package-lock.json"));
  const stale = PROFILES.filter((profile) => !existsSync(join(ROOT, `build/${profile}.wasm`)) || newestMs(`build/${profile}.wasm`) < inputsMs);
  mkdirSync(join(ROOT, "build"), { recursive: true });
  await Promise.all(stale.map((profile) => {
    report(`module ${profile}`);
    return run(process.execPath, "node_modules/assemblyscript/bin/asc.js", `assembly/profiles/${profile}.ts`, "--target", profile,
      // asc finds a transform of its configuration only among packages.
      "--transform", "./assembly/literals.mjs", "--transform", "./assembly/offsets.mjs", "--transform", "./assembly/apart.mjs");
  }));
}

/** The example apps; a file that exports no `setup` is a part of one. */
async function buildApps(report: Report): Promise<void> {
  const entries = readdirSync(join(ROOT, "assembly/apps")).filter((name) => readFileSync(join(ROOT, "assembly/apps", name), "utf8").includes("function setup("));
  const inputsMs = Math.max(newestMs("assembly"), newestMs("host/app"), newestMs("package-lock.json"));
  mkdirSync(join(ROOT, "build/apps"), { recursive: true });
  for (const name of entries.map((entry) => entry.slice(0, -3))) {
    const file = join(ROOT, `build/apps/${name}.wasm`);
    if (existsSync(file) && newestMs(`build/apps/${name}.wasm`) >= inputsMs) continue;
    report(`app ${name}`);
    // Loaded late, because it reads the numbers that the step before writes.
    const { compileApp } = await import("../app/compile.ts");
    writeFileSync(file, (await compileApp(join(ROOT, `assembly/apps/${name}.ts`))).wasm);
  }
}

/** When the newest file under a path was written. */
function newestMs(path: string): number {
  const entry = statSync(join(ROOT, path));
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(0, ...readdirSync(join(ROOT, path)).map((name) => newestMs(`${path}/${name}`)));
}

function runNode(script: string): Promise<void> {
  return run(process.execPath, "--import", "tsx", script);
}

function run(command: string, ...words: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawnWithMe(command, words, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding("utf8").on("data", (text: string) => { output += text; });
    child.on("error", (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${output}\n${command} ${words.join(" ")} failed`))));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const steps = process.argv.slice(2);
  const unknown = steps.find((step) => !(step in STEPS));
  try {
    if (unknown !== undefined) throw new Error(`there is no step ${unknown}; there are ${Object.keys(STEPS).join(", ")}`);
    await build(steps.length > 0 ? (steps as Step[]) : undefined, (line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
