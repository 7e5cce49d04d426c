// Gates over one compiled module: what it may contain, import and export, and how deep its calls may go.

import type { WatModule } from "./wat.ts";

/** Calls from an export (not counted) to its deepest leaf or import (counted): the native stack of a microcontroller. */
export const CALLS_MAX = 5;

const NET = ["net_open", "net_state", "net_send", "net_recv", "net_close"];

const STORE = ["store_info", "store_read", "store_program", "store_erase", "store_sync"];
const OTA = ["ota_begin", "ota_write", "ota_verify", "ota_commit", "ota_abort", "ota_boot_state", "ota_confirm"];

/** What each profile may import from module `mote`: exactly this. */
export const IMPORTS: Record<string, string[]> = {
  minimal: [...NET, "now_ms", "random_u32"],
  device: [...NET, "now_ms", "random_u32", ...STORE, ...OTA],
  gateway: [...NET, "now_ms", "random_u32", ...STORE, ...OTA],
  "gateway-large": [...NET, "now_ms", "random_u32", ...STORE, ...OTA],
};

export function checkStart(module: WatModule): string[] {
  return module.hasStart ? ["has a start function: an initial value is computed"] : [];
}

/** Pages of 64 KiB; one where none is named. */
export const PAGES: Record<string, number> = { "gateway-large": 16 };

export function checkMemory(module: WatModule, pages = 1): string[] {
  const faults: string[] = [];
  const memory = module.memories[0];
  if (module.memories.length !== 1 || memory?.min !== pages || memory.max !== pages) {
    faults.push(`memory must be ${pages} pages, minimum and maximum, but is ${JSON.stringify(module.memories)}`);
  }
  if (module.imports.some((each) => each.kind === "memory")) faults.push("memory is imported");
  if (!module.exports.some((each) => each.kind === "memory" && each.name === "memory")) faults.push("memory is not exported as `memory`");
  return faults;
}

export function checkImports(module: WatModule, allowed: string[]): string[] {
  const found = module.imports.map((each) => (each.kind === "func" ? `${each.module}.${each.name}` : `${each.kind} ${each.module}.${each.name}`));
  return difference(allowed.map((name) => `mote.${name}`), found, "import");
}

export function checkExports(module: WatModule, expected: string[]): string[] {
  const found = module.exports.map((each) => (each.kind === "func" ? each.name : `${each.kind} ${each.name}`));
  return difference(["memory memory", ...expected], found, "export");
}

/** The compiler makes one function of two exports that do the same, and wasm3 is built to keep one name of each: see host/c/src/wasm3_config.h. */
export function checkSharedExports(module: WatModule): string[] {
  const names = new Map<string, string[]>();
  for (const { kind, name, target } of module.exports) if (kind === "func") names.set(target, [...(names.get(target) ?? []), name]);
  return [...names.values()].filter((each) => each.length > 1).map((each) => `${each.join(", ")} are one function`);
}

/** Signatures as ABI.md writes them: number of parameters and the result. */
export function checkSignatures(module: WatModule, documented: Map<string, { params: number; result: string }>): string[] {
  const faults: string[] = [];
  const compare = (name: string, target: string): void => {
    const wanted = documented.get(name);
    const found = module.functions.find((each) => each.name === target);
    if (!wanted || !found) return;
    const result = found.results.join(" ");
    if (found.params.length !== wanted.params || result !== wanted.result || found.params.some((each) => each !== "i32")) {
      faults.push(`${name} has (${found.params.join(" ")}) -> ${result || "nothing"}, documented with ${wanted.params} i32 -> ${wanted.result || "nothing"}`);
    }
  };
  for (const each of module.exports) if (each.kind === "func") compare(each.name, each.target);
  for (const each of module.functions) if (each.imported) compare(each.imported.replace("mote.", ""), each.name);
  return faults;
}

export function checkInstructions(module: WatModule): string[] {
  const faults: string[] = [];
  for (const each of module.functions) {
    const bad = each.instructions.find((word) => /f32|f64|^call_indirect|^return_call|^memory\.grow|^table\.|^v128/.test(word));
    if (bad) faults.push(`${each.name} contains ${bad}`);
    if ([...each.params, ...each.results].some((type) => /^f/.test(type))) faults.push(`${each.name} takes or returns a float`);
  }
  if (/\bf(32|64)\b/.test(module.declarations)) faults.push("a type or global is a float");
  if (module.tables > 0) faults.push("has a table");
  return faults;
}

export function checkHeap(module: WatModule): string[] {
  return module.functions
    .filter((each) => /~lib\/rt|__(new|alloc|renew|realloc|free|link|collect|pin|unpin|visit)\b/.test(each.name))
    .map((each) => `${each.name} is in the module: something allocates`);
}

/** What is marked `@apart` has to stay a function of its own: inlined again, it would be compiled with what each message needs. */
export function checkApart(module: WatModule, sources: ReadonlyMap<string, string>): string[] {
  const names = new Set(module.functions.map(({ name }) => name));
  return [...sources].filter(([path]) => path.startsWith("assembly/")).flatMap(([path, text]) =>
    [...text.matchAll(/^@apart\n(?:export )?function (\w+)/gm)].map(([, name]) => `$${path.replace(/\.ts$/, "")}/${name}`))
    .filter((name) => !names.has(name)).map((name) => `${name} was inlined or is not there`);
}

/** What is to be inlined ahead of time is called by these names; another name for one would only cost time, in silence. */
export function checkOften(module: WatModule, often: readonly string[]): string[] {
  const names = new Set(module.functions.map(({ name }) => name));
  return often.filter((name) => !names.has(`$assembly/${name}`)).map((name) => `${name} of host/tools/often.ts was inlined or is not there`);
}

export interface Depth { faults: string[]; deepest: string[] }

/** Longest chain of calls below the exports; a cycle is a fault of its own. */
export function checkDepth(module: WatModule, callsMax: number = CALLS_MAX): Depth {
  const byName = new Map(module.functions.map((each) => [each.name, each]));
  const done = new Map<string, string[]>();
  const faults: string[] = [];
  const walk = (name: string, path: string[]): string[] => {
    if (path.includes(name)) {
      faults.push(`recursion: ${[...path.slice(path.indexOf(name)), name].join(" > ")}`);
      return [name];
    }
    const known = done.get(name);
    if (known) return known;
    let longest: string[] = [];
    for (const callee of new Set(byName.get(name)?.calls ?? [])) {
      const below = walk(callee, [...path, name]);
      if (below.length > longest.length) longest = below;
    }
    const chain = [name, ...longest];
    done.set(name, chain);
    return chain;
  };
  let deepest: string[] = [];
  for (const each of module.exports) {
    if (each.kind !== "func") continue;
    const chain = walk(each.target, []);
    if (chain.length > deepest.length) deepest = chain;
    if (chain.length - 1 > callsMax) faults.push(`${each.name} goes ${chain.length - 1} calls deep, ${callsMax} are allowed: ${chain.join(" > ")}`);
  }
  return { faults: [...new Set(faults)], deepest };
}

function difference(expected: string[], found: string[], noun: string): string[] {
  return [
    ...expected.filter((name) => !found.includes(name)).map((name) => `${noun} ${name} is missing`),
    ...found.filter((name) => !expected.includes(name)).map((name) => `${noun} ${name} is not allowed`),
  ];
}
