// Looks at the version of Node, finds the Debian packages that a task needs, and installs those that are missing.
//
//   node --import tsx host/tools/setup.ts [build] [test]

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Task = "build" | "test";

/** What a task runs, by the package that brings it. */
const PACKAGES: Readonly<Record<Task, readonly string[]>> = {
  build: ["gcc", "libc6-dev", "cmake", "make", "libmbedtls-dev", "zlib1g-dev", "libmurmurhash-dev"],
  // The 32-bit libraries exist on x86-64 only.
  test: [...(process.arch === "x64" ? ["gcc-multilib"] : []), "valgrind", "mosquitto", "mosquitto-clients", "openssl"],
};

/** What to look for where there are no Debian packages. */
const COMMANDS: Readonly<Record<Task, readonly string[]>> = {
  build: ["cc", "cmake", "make"],
  test: ["valgrind", "mosquitto", "mosquitto_pub", "openssl", "script"],
};

/** What is wrong with this version of Node; null for nothing. */
export function nodeFault(version: string): string | null {
  const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { engines: { node: string } };
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)!.map(Number);
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  if (ownMajor > major! || (ownMajor === major && ownMinor >= minor!)) return null;
  return `Node ${version} is too old: ${major}.${minor} or newer is needed (https://nodejs.org)`;
}

/** Whether there is a command of that name; not each of them knows --version. */
function exists(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" }).status === 0;
}

function succeeds(command: string, ...words: string[]): boolean {
  return spawnSync(command, words, { stdio: "ignore" }).status === 0;
}

function isInstalled(name: string): boolean {
  const { stdout } = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Status}", name], { encoding: "utf8" });
  return stdout === "installed";
}

/** Answers when everything is there; throws with the line to run when it cannot be installed from here. */
export function ensurePackages(...tasks: Task[]): void {
  const fault = nodeFault(process.versions.node);
  if (fault !== null) throw new Error(fault);
  if (!succeeds("dpkg-query", "--version")) {
    const commands = tasks.flatMap((task) => COMMANDS[task]).filter((command) => !exists(command));
    if (commands.length === 0) return;
    throw new Error(`this is no Debian system; install what brings these commands, then run this again: ${commands.join(", ")}`);
  }
  const missing = tasks.flatMap((task) => PACKAGES[task]).filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? "" : "sudo ";
  const line = `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (!isRoot && !succeeds("sudo", "-n", "true")) throw new Error(`packages are missing; run this once, then try again:\n  ${line}`);
  process.stderr.write(`Installing ${missing.join(", ")}\n`);
  const prefix = isRoot ? [] : ["sudo", "-n"];
  const apt = (...words: string[]): boolean => {
    const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", ...words];
    return spawnSync(command!, rest, { stdio: ["ignore", 2, 2] }).status === 0;
  };
  if (!apt("update") || !apt("install", "-y", "--no-install-recommends", ...missing)) throw new Error(`installing failed; run by hand:\n  ${line}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tasks = process.argv.slice(2);
  const unknown = tasks.find((task) => !(task in PACKAGES));
  try {
    if (unknown !== undefined) throw new Error(`there is no task ${unknown}; there are ${Object.keys(PACKAGES).join(" and ")}`);
    ensurePackages(...(tasks.length > 0 ? (tasks as Task[]) : (["build"] as const)));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
