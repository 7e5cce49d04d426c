// `npm run size`: bytes of each profile and of each of its functions, and the RAM that wasm3 takes to hold it whole.
//
// Writes build/size.json. The difference is to the module at `git HEAD`, when that was measured before.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseWat } from "../check/wat.ts";
import { functionBodies } from "./sections.ts";

const TOP = fileURLToPath(new URL("../../", import.meta.url));
/** Each profile with the linear memory that it is measured with: room for buffers of 256 and 512 bytes. */
const PROFILES: Record<string, number> = { minimal: 4096, device: 8192, gateway: 12288, "gateway-large": 1048576 };
const REPORT = join(TOP, "build/size.json");
const ARENA_BUILD = join(TOP, "build/size");

export interface Size { wasm: number; functions: number; body_bytes: number; wasm3_arena_bytes: number | null }

interface Report { commit: string; profiles: Record<string, Size> }

/** Names of the compiler's text, whose functions stand in the order of the bytes. */
function bodiesByName(profile: string): { name: string; bytes: number }[] {
  const bodies = functionBodies(readFileSync(join(TOP, `build/${profile}.wasm`)));
  const names = parseWat(readFileSync(join(TOP, `build/${profile}.wat`), "utf8")).functions.filter((each) => !each.imported).map((each) => each.name);
  if (names.length !== bodies.length) throw new Error(`build/${profile}.wat is of another build than the .wasm; run npm run build`);
  return bodies.map((bytes, index) => ({ name: names[index]!, bytes }));
}

/** Builds the arena program for 32 bits; undefined, with the reason on the error output, where that is not possible. */
function buildArena(): string | undefined {
  for (const words of [["-S", "tests/size", "-B", ARENA_BUILD, "-DMOTE_32BIT=ON"], ["--build", ARENA_BUILD, "--target", "arena"]]) {
    const { status, stdout, stderr } = spawnSync("cmake", words, { cwd: TOP, encoding: "utf8" });
    if (status !== 0) {
      console.error(`the arena is not measured: cmake ${words.join(" ")}\n${stdout}${stderr}`);
      return undefined;
    }
  }
  return join(ARENA_BUILD, "arena");
}

function measureArena(program: string | undefined, profile: string, memory: number): number | null {
  if (!program) return null;
  const { status, stdout, stderr } = spawnSync(program, [join(TOP, `build/${profile}.wasm`), String(memory)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the arena of ${profile}: ${stderr}`);
  return Number(stdout);
}

function previousReport(): Report | undefined {
  return existsSync(REPORT) ? (JSON.parse(readFileSync(REPORT, "utf8")) as Report) : undefined;
}

function main(): void {
  const before = previousReport();
  const arena = buildArena();
  const report: Report = { commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: TOP, encoding: "utf8" }).trim(), profiles: {} };
  for (const [profile, memory] of Object.entries(PROFILES)) {
    const bodies = bodiesByName(profile);
    const size: Size = {
      wasm: readFileSync(join(TOP, `build/${profile}.wasm`)).length, functions: bodies.length,
      body_bytes: bodies.reduce((sum, each) => sum + each.bytes, 0), wasm3_arena_bytes: measureArena(arena, profile, memory),
    };
    report.profiles[profile] = size;
    console.log(`${profile}: ${Object.entries(size).map(([name, value]) => `${name} ${value}${change(value, before?.profiles[profile]?.[name as keyof Size])}`).join(", ")}`);
    for (const each of bodies.sort((a, b) => b.bytes - a.bytes)) console.log(`${String(each.bytes).padStart(7)}  ${each.name.replace(/^\$/, "")}`);
  }
  if (before) console.log(`changes are against the measurement of ${before.commit}`);
  mkdirSync(join(TOP, "build"), { recursive: true });
  writeFileSync(REPORT, `${JSON.stringify(report, null, 2)}\n`);
}

function change(now: number | null, then: number | null | undefined): string {
  return now === null || then === null || then === undefined || now === then ? "" : ` (${now > then ? "+" : ""}${now - then})`;
}

main();
