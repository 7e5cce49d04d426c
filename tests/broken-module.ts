// Compiles the module with one passage of its source changed: what a suite must notice, or it proves nothing.

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import "../host/tools/plain-packages.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

export interface Passage {
  /** What the module does wrong then. */
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What is wrong with passages: each must stand in its file exactly once. */
export function checkPassages(passages: readonly Passage[], read: (file: string) => string): string[] {
  return passages.filter(({ file, from }) => read(file).split(from).length !== 2).map(({ file, from }) => `${file} has not exactly one ${JSON.stringify(from)}`);
}

/** Compiles a profile with the passage; throws when that is not in the source any more. */
export async function compileBroken(profile: string, passage: Passage): Promise<WebAssembly.Module> {
  // The compiler takes longer to load than a hundred lives.
  const { default: asc } = await import("assemblyscript/asc");
  let isApplied = false;
  let binary: Uint8Array<ArrayBuffer> | null = null;
  const { error, stderr } = await asc.main(
    [`assembly/profiles/${profile}.ts`, "--target", profile, "--transform", "./assembly/literals.mjs", "--transform", "./assembly/offsets.mjs", "--transform", "./assembly/apart.mjs", "--baseDir", ROOT, "--outFile", "broken.wasm", "--textFile", "broken.wat",
      // It lives the same lives as when it is optimised, which takes three times as long.
      "--optimizeLevel", "0", "--shrinkLevel", "0"],
    {
      readFile(file, folder) {
        const path = join(folder, file);
        let text: string;
        try {
          text = readFileSync(path, "utf8");
        } catch {
          return null;
        }
        if (relative(ROOT, path) !== passage.file) return text;
        if (text.split(passage.from).length !== 2) throw new Error(`${passage.file} has not exactly one ${JSON.stringify(passage.from)}`);
        isApplied = true;
        return text.replace(passage.from, passage.to);
      },
      writeFile(file, contents) {
        if (file.endsWith(".wasm")) binary = contents as Uint8Array<ArrayBuffer>;
      },
    },
  );
  if (error !== null || binary === null || !isApplied) throw new Error(`the module in which ${passage.what} was not built: ${error?.message ?? ""}\n${stderr.toString()}`);
  return new WebAssembly.Module(binary);
}
