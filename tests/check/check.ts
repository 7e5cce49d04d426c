// `npm run check`: runs every gate over the build and the sources, prints each with its faults, and fails if one did.

import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { OFTEN, OFTEN_IN_POLL } from "../../host/tools/often.ts";
import { checkPassages } from "../broken-module.ts";
import { MUTANTS as FUZZ_MUTANTS } from "../fuzz/mutants.ts";
import { MUTANTS as SIM_MUTANTS } from "../sim/mutants.ts";
import { checkAbiDocument, documentedFunctions, exportsOf, parseAbiDocument } from "./abi-document.ts";
import { checkAppDocument } from "./app-document.ts";
import { checkBanned } from "./banned.ts";
import { checkComingFrom } from "./coming-from.ts";
import { checkDeadFiles, checkSpecs } from "./dead-files.ts";
import { checkAssemblyLayers, checkEntries, checkExternals, checkHostLayers, checkMemoryData } from "./layers.ts";
import * as gate from "./module-gates.ts";
import { readSources, type Sources } from "./sources.ts";
import { borrowNames, disassemble, parseWat, type WatModule } from "./wat.ts";

const TOP = join(dirname(fileURLToPath(import.meta.url)), "../..");
const run = promisify(execFile);

let passed = 0;
let failed = 0;

function report(name: string, faults: string[], remark = ""): void {
  if (faults.length === 0) passed++;
  else failed++;
  console.log(`${faults.length === 0 ? "ok    " : "FAILED"} ${name}${remark ? `: ${remark}` : ""}`);
  for (const fault of faults) console.log(`         ${fault}`);
}

/** The shipped bytes with the names of the compiler's text; undefined, and reported, if they are not there. */
async function loadModule(profile: string): Promise<WatModule | undefined> {
  const wasm = join(TOP, "build", `${profile}.wasm`);
  const wat = join(TOP, "build", `${profile}.wat`);
  try {
    const module = parseWat(await disassemble(readFileSync(wasm)));
    borrowNames(module, parseWat(readFileSync(wat, "utf8")));
    return module;
  } catch (error) {
    report(`${profile}: shipped bytes`, [`${(error as Error).message.split("\n")[0]}; run npm run build`]);
    return undefined;
  }
}

/** A module that is older than its sources would pass for another one. */
function checkFresh(profile: string, sources: Sources): string[] {
  const built = statSync(join(TOP, "build", `${profile}.wasm`)).mtimeMs;
  return [...sources.keys(), "asconfig.json"]
    .filter((path) => (path === "asconfig.json" || /^assembly\/.*\.(ts|mjs)$/.test(path)) && existsSync(join(TOP, path)))
    .filter((path) => statSync(join(TOP, path)).mtimeMs > built)
    .map((path) => `build/${profile}.wasm is older than ${path}; run npm run build`)
    .slice(0, 1);
}

async function checkProfile(profile: string, sources: Sources): Promise<void> {
  const module = await loadModule(profile);
  if (!module) return;
  const document = parseAbiDocument(sources.get("assembly/ABI.md") ?? "");
  const depth = gate.checkDepth(module);
  report(`${profile}: newer than its sources`, checkFresh(profile, sources));
  report(`${profile}: no start function`, gate.checkStart(module));
  report(`${profile}: memory of its size, exported`, gate.checkMemory(module, gate.PAGES[profile]));
  report(`${profile}: imports`, gate.checkImports(module, gate.IMPORTS[profile]!));
  report(`${profile}: exports are those of ABI.md`, gate.checkExports(module, exportsOf(document, profile.replace("-large", ""))));
  report(`${profile}: no exports share a function`, gate.checkSharedExports(module));
  report(`${profile}: signatures are those of ABI.md`, gate.checkSignatures(module, documentedFunctions(document)));
  report(`${profile}: no float, table, indirect call or growth`, gate.checkInstructions(module));
  report(`${profile}: no heap`, gate.checkHeap(module));
  // The others leave some of it out.
  if (profile === "gateway") report(`${profile}: what is apart is a function`, gate.checkApart(module, sources));
  if (profile === "device") report(`${profile}: what is to be inlined ahead of time is a function`, gate.checkOften(module, [...OFTEN, OFTEN_IN_POLL]));
  report(`${profile}: at most ${gate.CALLS_MAX} calls deep`, depth.faults, depth.deepest.join(" > "));
}

/** A command that must end well; what it printed is the fault otherwise. */
async function command(name: string, file: string, args: string[]): Promise<void> {
  try {
    await run(file, args, { cwd: TOP });
    report(name, []);
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    report(name, `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(0, 12));
  }
}

interface AsConfig { entries?: string[] }

/** Compiles a profile with a runtime whose allocators are compile errors. */
async function checkNoHeapBuild(profile: string): Promise<void> {
  const asc = join(TOP, "node_modules/assemblyscript/bin/asc.js");
  const runtime = ["--runtime", "./assembly/no_heap", "--stackSize", "16", "--noEmit"];
  const fast = ["--optimizeLevel", "0", "--shrinkLevel", "0"];
  await command(`${profile}: compiles without a heap`, process.execPath, [asc, `assembly/profiles/${profile}.ts`, "--target", profile, "--transform", "./assembly/literals.mjs", ...runtime, ...fast]);
}

async function main(): Promise<void> {
  const sources = readSources(TOP);
  const read = (path: string): string => sources.get(path) ?? "";
  const scripts: AsConfig = JSON.parse(read("asconfig.json") || "{}");
  const profiles = Object.keys(gate.IMPORTS);

  // The slow ones run beside the pure ones: two cores are what a small machine has.
  const background = (async () => {
    await command("types", process.execPath, [join(TOP, "node_modules/typescript/bin/tsc"), "--noEmit"]);
    await command("generated files are current", process.execPath, ["--import", "tsx", "host/tools/generate-abi.ts", "--check"]);
    for (const profile of profiles) {
      if (sources.has("assembly/no_heap.ts")) await checkNoHeapBuild(profile);
      else report(`${profile}: compiles without a heap`, ["assembly/no_heap.ts, the runtime that refuses to allocate, does not exist"]);
    }
  })();

  for (const profile of profiles) await checkProfile(profile, sources);
  report("ABI.md, abi.ts and host.ts agree", checkAbiDocument(read("assembly/ABI.md"), read("assembly/abi.ts"), read("assembly/host.ts")));
  report("ABI.md of apps, its declarations and the hosts agree",
    checkAppDocument(read("assembly/app/ABI.md"), read("assembly/abi.ts"), read("assembly/app/verbs.ts"), read("host/c/src/app_verbs.h")));
  report("coming-from.md names calls, keys and tests that exist", checkComingFrom(sources));
  report("broken variants of the module name passages that exist", checkPassages([...Object.values(SIM_MUTANTS), ...Object.values(FUZZ_MUTANTS)], read));
  report("layers of assembly", checkAssemblyLayers(sources));
  report("entries are profiles", checkEntries(scripts.entries ?? []));
  report("memory regions stand in memory.ts", checkMemoryData(sources));
  report("imports stand in host.ts", checkExternals(sources));
  report("layers of the hosts and tests", checkHostLayers(sources));
  report("no banned words", checkBanned(sources));
  report("no dead files", checkDeadFiles(sources));
  report("each file of the module has its unit spec", checkSpecs(sources));
  await background;
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main();
