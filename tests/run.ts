// `npm test`: sets up, builds, runs every suite and adds their tests up. The last line is `N passed, N failed`.

import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../host/tools/build.ts";
import { ensurePackages } from "../host/tools/setup.ts";
import { countTests, tapFailures, type Format } from "./count.ts";

const TOP = fileURLToPath(new URL("../", import.meta.url));
const LOGS = join(TOP, "build/test");
const PROGRAMS = join(TOP, "build/tests");
const SUITE_MINUTES_MAX = 20;
/** Programs of tests/c that test by themselves; the others are driven by node tests. */
const C_TESTS = /^(unit|seam|app|gateway|cpp_compiles)-(wasm3|aot)$/;

interface Suite { name: string; command: string; words: string[]; format: Format }

const node = (...words: string[]): { command: string; words: string[] } => ({ command: process.execPath, words });

function suites(): Suite[] {
  const files = (readdirSync(join(TOP, "tests"), { recursive: true }) as string[]).filter((name) => name.endsWith(".test.ts")).sort();
  const programs = readdirSync(PROGRAMS).filter((name) => C_TESTS.test(name)).sort();
  return [
    { name: "gates", ...node("--import", "tsx", "tests/check/check.ts"), format: "summary" },
    { name: "units of the module (as-pect)", ...node("node_modules/@as-pect/cli/bin/asp.js", "--config", "tests/unit/as-pect.config.js", "--as-config", "tests/unit/as-pect.asconfig.json", "--summary"), format: "aspect" },
    ...programs.map((name): Suite => ({ name: `C: ${name}`, command: join(PROGRAMS, name), words: [], format: name.startsWith("cpp") ? "exit" : "summary" })),
    { name: "node", ...node("--import", "tsx", "--test", "--test-reporter=tap", "--test-concurrency=2", ...files.map((name) => `tests/${name}`)), format: "tap" },
  ];
}

interface Ending { output: string; exitCode: number | null }

function run(command: string, words: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd: TOP, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), SUITE_MINUTES_MAX * 60000);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const end = (exitCode: number | null, text: string): void => {
      clearTimeout(timer);
      resolve({ output: output + text, exitCode });
    };
    child.on("error", (error) => end(null, error.message));
    child.on("close", (code) => end(code, ""));
  });
}

/** Everything that the suites need: packages, module, hosts, C programs. */
async function prepare(): Promise<void> {
  ensurePackages("build", "test");
  await build(undefined, (line) => console.log(line));
  for (const words of [["-S", "tests/c", "-B", PROGRAMS], ["--build", PROGRAMS, "--parallel", String(availableParallelism())]]) {
    const { output, exitCode } = await run("cmake", words);
    if (exitCode !== 0) throw new Error(`cmake ${words.join(" ")}\n${output}`);
  }
}

async function main(): Promise<void> {
  let passed = 0;
  let failed = 0;
  mkdirSync(LOGS, { recursive: true });
  try {
    await prepare();
    for (const suite of suites()) {
      const started = Date.now();
      const { output, exitCode } = await run(suite.command, suite.words);
      writeFileSync(join(LOGS, `${suite.name.replace(/\W+/g, "-")}.log`), output);
      const count = countTests(suite.format, output, exitCode);
      passed += count.passed;
      failed += count.failed;
      console.log(`${count.failed === 0 ? "ok    " : "FAILED"} ${suite.name}: ${count.passed} passed, ${count.failed} failed, ${Math.round((Date.now() - started) / 1000)} s`);
      if (count.failed > 0) console.log(suite.format === "tap" ? tapFailures(output).join("\n") : output.trim());
    }
  } catch (error) {
    failed++;
    console.log((error as Error).message);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

await main();
