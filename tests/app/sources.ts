// Apps for tests, written where a test says and compiled as `mote build` does.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileApp, type AppModule, type AppOptions } from "../../host/app/compile.ts";
import "../../host/tools/plain-packages.mjs";

const FOLDER = fileURLToPath(new URL("../../build/test/apps/", import.meta.url));
/** Seen from there. */
export const LIBRARY = "../../../assembly/app";

/** What every app begins with. */
export const HEAD = `export { event_buffer, event_capacity } from "${LIBRARY}";\n`;

export async function compile(name: string, source: string, options: AppOptions = {}): Promise<AppModule> {
  mkdirSync(FOLDER, { recursive: true });
  const entry = join(FOLDER, `${name}.ts`);
  writeFileSync(entry, source);
  return compileApp(entry, options);
}

const compiled = new Map<string, { readonly source: string; readonly path: Promise<string> }>();

/** The same, written to a file, once for all engines that ask for it; its path. No two suites have apps of the same name: they may run at the same time. */
export function compileToFile(name: string, source: string, options: AppOptions = {}): Promise<string> {
  const known = compiled.get(name);
  if (known !== undefined && known.source !== source) throw new Error(`two apps of one suite are called ${name}`);
  if (known !== undefined) return known.path;
  const path = writeApp(name, source, options);
  compiled.set(name, { source, path });
  return path;
}

async function writeApp(name: string, source: string, options: AppOptions): Promise<string> {
  const path = join(FOLDER, `${name}.wasm`);
  writeFileSync(path, (await compile(name, source, options)).wasm);
  return path;
}
