// Imported for its effect: packages are loaded as they are. tsx searches each module for `import()` and hands it on with a source map,
// which takes 15 s where the AssemblyScript compiler has 13 MB in one file.

import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

// Hooks run in a thread of their own, which imports this file too.
if (isMainThread) register(import.meta.url);

export async function load(url, context, next) {
  if (context.format !== "module" || !url.includes("/node_modules/")) return next(url, context);
  return { format: "module", source: await readFile(new URL(url)), shortCircuit: true };
}
