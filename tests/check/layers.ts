// Gates over who may import whom, in assembly, host and tests.

import { codeOnly, importsOf, includesOf, lineAt, type Sources } from "./sources.ts";

const GROUND = ["abi", "host", "memory"];

/** What each room of assembly may import, besides itself. */
const MAY_IMPORT: Record<string, string[]> = {
  abi: [], host: ["abi"], memory: ["abi"], no_heap: [],
  base: GROUND,
  mqtt: [...GROUND, "base"],
  json: [...GROUND, "base"],
  client: [...GROUND, "base", "mqtt", "json"],
  store: [...GROUND, "base"],
  thingsboard: [...GROUND, "base", "mqtt", "json", "client", "store"],
  managed: [...GROUND, "base", "mqtt", "json", "client", "store"],
  profiles: [...GROUND, "base", "mqtt", "json", "client", "store", "thingsboard", "managed"],
  app: ["abi"], apps: ["app", "abi"],
};

/** Headers of the engines, which only the engine seam may know. */
const ENGINE_HEADER = /^(wasm3|m3_\w+|wasm3_\w+|wasm-rt[\w-]*)\.h$/;
const ENGINE_FILE = /(^|\/)(engine_\w+|wasm-rt[\w-]*|wasm_rt\w*)\.[ch]$/;

export function roomOf(path: string): string | undefined {
  return /^assembly\/([a-z_]+)(?:\/|\.ts$)/.exec(path)?.[1];
}

export function checkAssemblyLayers(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, text] of sources) {
    const room = roomOf(path);
    if (!room || !path.endsWith(".ts")) continue;
    const allowed = MAY_IMPORT[room];
    if (!allowed) {
      faults.push(`${path}: the room ${room} is not in the table of layers`);
      continue;
    }
    for (const each of importsOf(path, text, sources)) {
      const target = roomOf(each.to);
      if (!target) faults.push(`${path}:${each.line} imports ${each.to}, which is outside assembly`);
      else if (target !== room && !allowed.includes(target)) faults.push(`${path}:${each.line} (${room}) imports ${each.to} (${target})`);
    }
  }
  return faults;
}

/** Entry files of asconfig.json: only profiles and apps face the outside. */
export function checkEntries(entries: string[]): string[] {
  return entries
    .filter((entry) => !/^(\.\/)?assembly\/(profiles|apps)\/\w+\.ts$/.test(entry))
    .map((entry) => `asconfig.json compiles ${entry}: only assembly/profiles and assembly/apps may be entries`);
}

/** Sized memory regions belong to memory.ts; a literal list of bytes is data that is only read and may stand anywhere. */
export function checkMemoryData(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, text] of sources) {
    if (!path.startsWith("assembly/") || !path.endsWith(".ts") || /^assembly\/(memory\.ts$|app\/memory\.ts$|apps\/)/.test(path)) continue;
    const code = codeOnly(text);
    for (const match of code.matchAll(/memory\.data\s*(<[^>]*>)?\s*\(\s*(.)/g)) {
      if (match[2] !== "[") faults.push(`${path}:${lineAt(code, match.index)} reserves memory: that is for memory.ts`);
    }
  }
  return faults;
}

export function checkExternals(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, text] of sources) {
    if (!path.startsWith("assembly/") || !path.endsWith(".ts") || path === "assembly/host.ts" || /^assembly\/apps?\//.test(path)) continue;
    const code = codeOnly(text);
    const match = /@external\b/.exec(code);
    if (match) faults.push(`${path}:${lineAt(code, match.index)} declares an import: that is for host.ts`);
  }
  return faults;
}

export function checkHostLayers(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, text] of sources) {
    const inTests = path.startsWith("tests/");
    if (/\.(ts|mts|js|mjs)$/.test(path)) {
      for (const each of importsOf(path, text, sources)) {
        if (!inTests && each.to.startsWith("tests/")) faults.push(`${path}:${each.line} imports ${each.to}: nothing imports tests`);
        if (path.startsWith("host/") && each.to.startsWith("boards/")) faults.push(`${path}:${each.line} imports ${each.to}: hosts do not know boards`);
        if (path.startsWith("host/node/") && /^host\/(cli|server)\//.test(each.to)) faults.push(`${path}:${each.line} imports ${each.to}: the client knows neither cli nor server`);
      }
      const code = codeOnly(text);
      const match = /\bWebAssembly\s*\.\s*\w+/.exec(code);
      if (match && path.startsWith("host/") && !/^host\/node\/(instance|app-module)\.ts$/.test(path)) {
        faults.push(`${path}:${lineAt(code, match.index)} uses ${match[0]}: only host/node/instance.ts and app-module.ts may`);
      }
    }
    if (/\.(c|h|cpp)$/.test(path)) {
      for (const header of includesOf(text)) {
        const name = header.split("/").at(-1)!;
        if (ENGINE_HEADER.test(name) && !ENGINE_FILE.test(path)) faults.push(`${path} includes ${header}: only engine_*.c may`);
        if (!inTests && header.includes("tests/")) faults.push(`${path} includes ${header}: nothing includes tests`);
      }
    }
  }
  return faults;
}
