// Measures instructions for a message and memory of a client, and writes build/bench.json: `npm run bench`.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RUN_LENGTH = 500;

type Mode = "telemetry" | "rpc";
type Engine = "wasm3" | "aot";

function run(command: string, ...words: string[]): string {
  return execFileSync(command, words, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
}

function build(folder: string, ...settings: string[]): string {
  run("cmake", "-S", "tests/bench", "-B", `build/${folder}`, ...settings);
  run("cmake", "--build", `build/${folder}`, "--parallel", "2", "--target", "bench-wasm3", "bench-aot");
  return join(ROOT, "build", folder);
}

/** All instructions that a program executes in user space. */
function instructions(program: string, mode: Mode, count: number): number {
  const profile = join(ROOT, "build", "callgrind.out");
  run("valgrind", "--tool=callgrind", `--callgrind-out-file=${profile}`, program, mode, String(count));
  const summary = /^(?:summary|totals): (\d+)/m.exec(readFileSync(profile, "utf8"));
  if (summary === null) throw new Error("callgrind wrote no total");
  return Number(summary[1]);
}

/** The difference between two run lengths leaves only what each message costs. */
function perMessage(program: string, mode: Mode): number {
  return Math.round((instructions(program, mode, 2 * RUN_LENGTH) - instructions(program, mode, RUN_LENGTH)) / RUN_LENGTH);
}

function perEngine(folder: string, engine: Engine): Record<string, number> {
  const program = join(folder, `bench-${engine}`);
  return { instructions_per_telemetry: perMessage(program, "telemetry"), instructions_per_rpc: perMessage(program, "rpc") };
}

/** Variables of the client's own libraries: data and bss of every object but the ports'. */
function staticBytes(folder: string, ...libraries: string[]): number {
  return libraries.reduce((sum, library) => {
    const rows = run("size", "-t", join(folder, "board", "mote_host", library)).trim().split("\n");
    const total = rows[rows.length - 1]!.trim().split(/\s+/).map(Number);
    return sum + total[1]! + total[2]!;
  }, 0);
}

/** Arena (linear memory included), the client's record, static data and stack; compiled at load, or each function when it is first called. */
function ramBytes(folder: string, engine: Engine, profile: string, mode: "ram" | "lazy-ram" = "ram"): number {
  const libraries = engine === "wasm3" ? ["libmote_wasm3.a", "libmote_wasm3_core.a"] : [`libmote_aot_${profile}.a`];
  return sumOf(folder, engine, mode, profile) + staticBytes(folder, ...libraries);
}

/** The same of an app; the client beneath is not counted, wasm3 is. */
function appRamBytes(folder: string, app: string): number {
  return sumOf(folder, "wasm3", "app", join(ROOT, "build", "apps", `${app}.wasm`)) + staticBytes(folder, "libmote_app.a", "libmote_wasm3_core.a");
}

function sumOf(folder: string, engine: Engine, ...words: string[]): number {
  const parts = JSON.parse(run(join(folder, `bench-${engine}`), ...words)) as { arena: number; records: number; stack: number };
  return parts.arena + parts.records + parts.stack;
}

/** Native stack of everything a client does, where the compiler makes no tail calls of wasm3's operations. */
function stackBytes(folder: string, profile: string): number {
  return (JSON.parse(run(join(folder, "bench-wasm3"), "ram", profile)) as { stack: number }).stack;
}

const native = build("bench", "-DMOTE_PROFILES=device");
// Not position independent, as firmware is: else constant tables of pointers would count as data.
const NARROW = ["-DMOTE_PROFILES=minimal;device", "-DMOTE_32BIT=ON", "-DCMAKE_EXE_LINKER_FLAGS=-no-pie"];
const narrow = build("bench-32", ...NARROW, "-DCMAKE_C_FLAGS=-fno-pie");
const narrowWithoutTailCalls = build("bench-32-no-tail-calls", ...NARROW, "-DCMAKE_C_FLAGS=-fno-pie -fno-optimize-sibling-calls");
const figures = {
  x86_64: { wasm3: perEngine(native, "wasm3"), aot: perEngine(native, "aot") },
  i386: {
    wasm3: {
      minimal_ram_bytes: ramBytes(narrow, "wasm3", "minimal"), minimal_lazy_ram_bytes: ramBytes(narrow, "wasm3", "minimal", "lazy-ram"),
      device_ram_bytes: ramBytes(narrow, "wasm3", "device"), device_lazy_ram_bytes: ramBytes(narrow, "wasm3", "device", "lazy-ram"),
      minimal_stack_without_tail_calls_bytes: stackBytes(narrowWithoutTailCalls, "minimal"),
      device_stack_without_tail_calls_bytes: stackBytes(narrowWithoutTailCalls, "device"),
      app_ram_bytes: appRamBytes(narrow, "thermostat"),
    },
    aot: { device_ram_bytes: ramBytes(narrow, "aot", "device") },
  },
};
mkdirSync(join(ROOT, "build"), { recursive: true });
writeFileSync(join(ROOT, "build", "bench.json"), `${JSON.stringify(figures, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
