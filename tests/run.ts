// `npm test`: sets up, builds, runs every suite and adds their tests up. The last line is `N passed, N failed`.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../host/tools/build.ts";
import { ensurePackages } from "../host/tools/setup.ts";
import { ensureWritable } from "../host/tools/writable.ts";
import { countTests, tapFailures, type Count, type Format } from "./count.ts";
import { runProgram, type Ending } from "./program.ts";

const TOP = fileURLToPath(new URL("../", import.meta.url));
const LOGS = join(TOP, "build/test");
const PROGRAMS = join(TOP, "build/tests");
const SUITE_MINUTES_MAX = 20;
/** One more than there are processors: most suites wait for a timer or another program now and then. */
const LANES = availableParallelism() + 1;
/** These begin first, so that none of them runs alone at the end. */
const LONG = ["c/c", "sim/sim", "vectors/v8", "units of the module (as-pect)", "app/engines", "gates", "vectors/c", "fuzz/fuzz", "behaviour/reconnects", "app/gateway", "app/parts-engines", "app/updates", "app/build", "node/engines"];
/** Programs of tests/c that test by themselves; the others are driven by node tests. */
const C_TESTS = /^(unit|seam|app|gateway|cpp_compiles)-(wasm3|aot)$/;

interface Suite { name: string; command: string; words: string[]; format: Format }

const node = (...words: string[]): { command: string; words: string[] } => ({ command: process.execPath, words });

function suites(): Suite[] {
  const ending = ".test.ts";
  const files = (readdirSync(join(TOP, "tests"), { recursive: true }) as string[]).filter((name) => name.endsWith(ending)).sort();
  const programs = readdirSync(PROGRAMS).filter((name) => C_TESTS.test(name)).sort();
  const all: Suite[] = [
    { name: "gates", ...node("--import", "tsx", "tests/check/check.ts"), format: "summary" },
    { name: "units of the module (as-pect)", ...node("node_modules/@as-pect/cli/bin/asp.js", "--config", "tests/unit/as-pect.config.js", "--as-config", "tests/unit/as-pect.asconfig.json", "--summary"), format: "aspect" },
    ...programs.map((name): Suite => ({ name: `C: ${name}`, command: join(PROGRAMS, name), words: [], format: name.startsWith("cpp") ? "exit" : "summary" })),
    // Of tsx the half that modules need: the other one reads each file of each CommonJS package.
    ...files.map((name): Suite => ({
      name: name.slice(0, -ending.length), ...node("--import", "tsx/esm", "--import", "./host/tools/plain-packages.mjs", "--test-reporter=tap", `tests/${name}`), format: "tap",
    })),
  ];
  const unknown = LONG.filter((long) => !all.some(({ name }) => name === long));
  if (unknown.length > 0) throw new Error(`LONG in tests/run.ts names what is no suite: ${unknown.join(", ")}`);
  const place = ({ name }: Suite): number => (LONG.includes(name) ? LONG.indexOf(name) : LONG.length);
  return all.sort((one, other) => place(one) - place(other));
}

const run = (command: string, words: string[]): Promise<Ending> => runProgram(command, words, TOP, SUITE_MINUTES_MAX * 60_000);

/** Everything that the suites need: packages, module, hosts, C programs. */
async function prepare(): Promise<void> {
  ensurePackages("build", "test");
  await build(undefined, (line) => console.log(line));
  for (const words of [["-S", "tests/c", "-B", PROGRAMS], ["--build", PROGRAMS, "--parallel", String(availableParallelism())]]) {
    const { output, exitCode } = await run("cmake", words);
    if (exitCode !== 0) throw new Error(`cmake ${words.join(" ")}\n${output}`);
  }
}

/** Runs a suite and tells what became of it. */
async function play(suite: Suite): Promise<Count> {
  const started = Date.now();
  const { output, exitCode } = await run(suite.command, suite.words);
  writeFileSync(join(LOGS, `${suite.name.replace(/\W+/g, "-")}.log`), output);
  const count = countTests(suite.format, output, exitCode);
  console.log(`${count.failed === 0 ? "ok    " : "FAILED"} ${suite.name}: ${count.passed} passed, ${count.failed} failed, ${Math.round((Date.now() - started) / 1000)} s`);
  // A program that crashed may name no test.
  if (count.failed > 0) console.log((suite.format === "tap" && tapFailures(output).join("\n")) || output.trim());
  return count;
}

async function main(): Promise<void> {
  let passed = 0;
  let failed = 0;
  try {
    ensureWritable(TOP);
    rmSync(LOGS, { recursive: true, force: true });
    mkdirSync(LOGS, { recursive: true });
    await prepare();
    const waiting = suites();
    const lane = async (): Promise<void> => {
      for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) {
        const count = await play(suite);
        passed += count.passed;
        failed += count.failed;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  } catch (error) {
    failed++;
    console.log((error as Error).message);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

// Nobody reads it any more: as if it were interrupted.
process.stdout.on("error", () => process.kill(process.pid, "SIGTERM"));
await main();
