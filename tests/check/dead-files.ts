// Finds files that nobody imports, includes, lists or runs, and those that no unit spec is about.

import { importsOf, includesOf, type Sources } from "./sources.ts";

/** Files that something outside the sources opens by itself: people, npm, test runners, editors, `mote build`, the build of the profiles, the C that wasm2c writes. */
const ROOT = /(^|\/)(README|ABI|LICENSE)[\w.]*$|^[^/]+$|^tests\/.*\.(test|spec|include)\.ts$|^tests\/vectors\/.*\.md$|(^|\/)(CMakeLists\.txt|as-pect\.\w+\.js(on)?|idf_component\.yml|Makefile)$|^\.ci\/|\.d\.ts$|^host\/c\/aot\/|^assembly\/(apps|profiles)\//;
const CONSIDERED = /\.(ts|mts|js|mjs|c|h|cpp|cmake|html|css|ld|S|wat)$/;

export function checkDeadFiles(sources: Sources): string[] {
  const alive = new Set<string>();
  for (const [path, text] of sources) {
    if (/\.(ts|mts|js|mjs)$/.test(path)) for (const each of importsOf(path, text, sources)) if (each.to !== path) alive.add(each.to);
    if (/\.md$/.test(path) && !path.startsWith("tests/vectors/")) continue;
    // Listed by name, or by a pattern of its folder, in a build file, a script or an include.
    for (const candidate of sources.keys()) {
      if (candidate === path || alive.has(candidate)) continue;
      const name = candidate.split("/").at(-1)!;
      if ((text.includes(name) && mentions(path, text, candidate, name)) || namedByVariable(path, text, name)) alive.add(candidate);
    }
  }
  return [...sources.keys()]
    .filter((path) => CONSIDERED.test(path) && !ROOT.test(path) && !alive.has(path) && !globbed(path, sources))
    .map((path) => `${path}: nobody imports, includes or lists it`);
}

function mentions(path: string, text: string, candidate: string, name: string): boolean {
  if (/\.(c|h|cpp)$/.test(path)) return includesOf(text).some((include) => candidate === include || candidate.endsWith(`/${include}`) || include.endsWith(name));
  const boundary = new RegExp(`(^|[^\\w.-])${name.replace(/[.+]/g, "\\$&")}(?![\\w.-])`, "m");
  return boundary.test(text);
}

/** CMake names files with variables: `module_${engine}.c`. */
function namedByVariable(path: string, text: string, name: string): boolean {
  if (!/CMakeLists\.txt$|\.cmake$/.test(path)) return false;
  return [...text.matchAll(/[\w.-]*\$\{\w+\}[\w.-]+/g)].some(([pattern]) => {
    const [before, after] = pattern.split(/\$\{\w+\}/) as [string, string];
    return before !== "" && name.startsWith(before) && name.endsWith(after);
  });
}

/** CMake's file(GLOB ...) and the like list a whole folder. */
function globbed(path: string, sources: Sources): boolean {
  const folder = path.split("/").slice(0, -1).at(-1) ?? "";
  const extension = path.split(".").at(-1)!;
  return [...sources].some(([other, text]) => /CMakeLists\.txt$|\.cmake$/.test(other) && new RegExp(`GLOB[^)]*${folder}/[\\w]*\\*\\.${extension}`).test(text));
}

/** The client module but what only declares: what apps import, entries of profiles, numbers, the host's functions, the ban on a heap. */
const MODULE_FILE = /^assembly\/(?!(?:app|apps|profiles)\/|(?:abi|host|no_heap)\.ts$).*\.ts$/;

/** A file of the client module without a unit spec of its own. */
export function checkSpecs(sources: Sources): string[] {
  return [...sources.keys()]
    .filter((path) => MODULE_FILE.test(path))
    .map((path) => path.replace(/^assembly\/(.*)\.ts$/, "tests/unit/$1.spec.ts"))
    .filter((spec) => !sources.has(spec))
    .map((spec) => `${spec}: missing`);
}
