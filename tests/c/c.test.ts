// Builds the C tests for both engines with sanitizers and runs them. One program: build/c-sanitized/unit-wasm3.
//
//   node --import tsx --test tests/c/c.test.ts

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENGINES = ["wasm3", "aot"] as const;

/** Building takes a while on a small machine; a program that hangs must not. */
const BUILD_MS_MAX = 600_000;
const RUN_MS_MAX = 120_000;

function run(program: string, args: string[], options: { input?: string; timeout?: number } = {}): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    cwd: ROOT, encoding: "utf8", timeout: options.timeout ?? RUN_MS_MAX, input: options.input ?? "", maxBuffer: 1 << 26,
  });
  const why = error?.message ?? `exit code ${status ?? signal}`;
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${why}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
  return stdout;
}

function build(folder: string, settings: string[], targets: string[]): void {
  for (const profile of ["minimal", "device", "gateway"]) {
    assert.ok(existsSync(`${ROOT}build/${profile}.wasm`), `build/${profile}.wasm is missing: npm run build`);
  }
  run("cmake", ["-S", "tests/c", "-B", folder, ...settings], { timeout: BUILD_MS_MAX });
  run("cmake", ["--build", folder, "--parallel", String(cpus().length), "--target", ...targets], { timeout: BUILD_MS_MAX });
}

/** What every C test program prints last. */
function checkCounts(output: string): void {
  const counts = output.match(/(\d+) passed, (\d+) failed\s*$/);
  assert.ok(counts, `no counts at the end of: ${output.slice(-500)}`);
  assert.notEqual(counts[1], "0");
  assert.equal(counts[2], "0", output);
}

/** The same commands must cause the same lines on both engines, whatever the size of a pointer. */
const TRACE = [
  `init\t16384\t2147478648\t{"mqtt_host":"broker","client_id":"c","qos":1}`, "start", "poll", "tick\t1000", "poll", "net\topen", "poll",
  "accept\t5", "poll", "accept\tall", "poll", "rx\t20020000", "poll", "poll", "poll", "begin", "add_integer\ta\t1",
  "add_decimal\tb\t-215\t1", "add_text\tc\tq\\x22", "send_telemetry", "poll", "rx\t40020001", "poll", "telemetry\t{\"a\":}", "fault",
  "publish\tt\tx", "poll", "tick\t45000", "poll", "poll", "net\t-35", "poll", "poll", "free",
].join("\n");

/** The programs of a folder that check themselves. */
const CHECKING = { unit: "unit tests", app: "an app beside a client", seam: "the groups store and ota", gateway: "the verbs of gateways" };

function checkPrograms(folder: string): void {
  for (const engine of ENGINES) {
    for (const [name, what] of Object.entries(CHECKING)) test(`${what}, ${engine}`, () => checkCounts(run(`${folder}/${name}-${engine}`, [])));
  }
  test("both engines give the same bytes", () => {
    const [wasm3, aot] = ENGINES.map((engine) => run(`${folder}/vector_runner-${engine}`, [], { input: TRACE }));
    assert.match(wasm3!, /^tx\t10/m);
    assert.match(wasm3!, /^event\tConnected/m);
    assert.equal(wasm3, aot);
  });
}

/** What has to have happened, or the lives were not worth living. */
const REACHED = [
  "Connected", "Disconnected", "Refused", "Unstable", "Delivered", "SubscriptionRefused", "Message", "MessageAborted", "MessageTooLarge", "RpcRequest", "SharedAttributes", "AttributesResponse",
  "RequestTimeout", "InvalidMessage", "Subscribed", "RpcResponse", "SessionLimits", "ProvisioningFailed", "OtaAvailable", "OtaProgress", "OtaReady", "OtaFailed", "Restarted", "AppFailed",
];
const LIVES = 400;

/** What happened in the lives of a profile, which must be the same for both engines, whatever the size of a pointer. */
const lived = new Map<string, string>();

function checkLives(folder: string, profile: string, programs: readonly string[]): void {
  test(`${LIVES} hostile lives of ${profile}`, () => {
    for (const program of programs) {
      const output = run(`${folder}/${program}`, ["--profile", profile, "--count", String(LIVES)]);
      checkCounts(output);
      assert.deepEqual(REACHED.filter((name) => profile !== "minimal" && !new RegExp(`^event ${name} `, "m").test(output)), []);
      assert.equal(output, lived.get(profile) ?? output);
      lived.set(profile, output);
    }
  });
}

const forBothEngines = (names: string[]): string[] => names.flatMap((name) => ENGINES.map((engine) => `${name}-${engine}`));

describe("C host with sanitizers", () => {
  // Checks added everywhere take most of the build to optimise; less of that finds no less.
  before(() => build("build/c-sanitized", ["-DMOTE_SANITIZE=ON", "-DCMAKE_C_FLAGS_RELEASE=-O1", "-DCMAKE_CXX_FLAGS_RELEASE=-O1"],
    [...forBothEngines([...Object.keys(CHECKING), "cpp_compiles", "driver", "vector_runner", "fuzz_face"]), "fuzz_face_gateway-aot"]));
  checkPrograms("build/c-sanitized");
  checkLives("build/c-sanitized", "minimal", ["fuzz_face-wasm3"]);
  checkLives("build/c-sanitized", "device", ["fuzz_face-wasm3", "fuzz_face-aot"]);
  checkLives("build/c-sanitized", "gateway", ["fuzz_face-wasm3", "fuzz_face_gateway-aot"]);

  for (const engine of ENGINES) {
    test(`usable from C++, ${engine}`, () => checkCounts(run(`build/c-sanitized/cpp_compiles-${engine}`, [])));
    test(`the driver answers and ends, ${engine}`, () => {
      const input = `start\ninit\t{"mqtt_host":1}\ninit\t{"mqtt_host":"localhost"}\nbegin\nadd_integer\ta\t1\nstats\nquit\n`;
      const lines = run(`build/c-sanitized/driver-${engine}`, [], { input }).trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(lines.filter((line) => "command" in line).map((line) => [line.command, line.status, line.text]), [
        ["start", "BadState", ""], ["init", "WrongType", "mqtt_host"], ["init", "Ok", undefined], ["begin", "Ok", undefined],
        ["add_integer", "Ok", undefined], ["stats", "Ok", undefined],
      ]);
    });
  }
});

describe("C host on a 32-bit machine", { skip: !existsSync("/usr/lib/gcc/x86_64-linux-gnu/12/32") && "no 32-bit libraries" }, () => {
  // The board's programs are not run there, but they compile without a warning. Left out are the driver, which is for a
  // network, and C++, whose 32-bit headers are a package of their own.
  before(() => build("build/c-32", ["-DMOTE_32BIT=ON"], ["board_programs", ...forBothEngines([...Object.keys(CHECKING), "vector_runner"]), "fuzz_face_gateway-aot"]));
  checkPrograms("build/c-32");
  checkLives("build/c-32", "gateway", ["fuzz_face_gateway-aot"]);
});
