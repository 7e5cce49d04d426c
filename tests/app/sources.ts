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

/** The same, written to a file; its path. */
export async function compileToFile(name: string, source: string, options: AppOptions = {}): Promise<string> {
  const path = join(FOLDER, `${name}.wasm`);
  writeFileSync(path, (await compile(name, source, options)).wasm);
  return path;
}
