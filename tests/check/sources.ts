// Lists the files of the project and reads from each what the source gates ask for: its imports and its code without comments.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Path from the top of the project, with slashes, to text. */
export type Sources = Map<string, string>;

const TEXT = /\.(ts|mts|js|mjs|c|h|cpp|html|css|md|json|cmake|txt|sh|wat|ld|S)$|(^|\/)(run|Makefile)$/;

/** Every text file that git tracks or would track. */
export function readSources(top: string): Sources {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: top, encoding: "utf8" });
  const sources: Sources = new Map();
  for (const path of listed.split("\0").filter((each) => TEXT.test(each) && each !== "package-lock.json").sort()) {
    const full = join(top, path);
    if (existsSync(full)) sources.set(path, readFileSync(full, "utf8"));
  }
  return sources;
}

/** The text with comments blanked out, line numbers kept. Strings stay, for gates that look into them. */
export function withoutComments(text: string): string {
  const token = /"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replace(token, (found) => (found.startsWith("/") ? found.replace(/[^\n]/g, " ") : found));
}

/** The text with comments and the insides of strings blanked out. */
export function codeOnly(text: string): string {
  return withoutComments(text).replace(/(["'`])(?:\\[^]|(?!\1)[^\\])*\1/g, (found) => found[0] + found.slice(1, -1).replace(/[^\n]/g, " ") + found[0]);
}

export interface Import { from: string; to: string; line: number }

/** Relative imports of a TypeScript or JavaScript file, resolved to project paths. */
export function importsOf(path: string, text: string, sources: Sources): Import[] {
  const found: Import[] = [];
  const code = withoutComments(text);
  const statement = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']*)["']|new URL\(\s*["'](\.[^"']*)["']/g;
  for (const match of code.matchAll(statement)) {
    const target = normalize(join(dirname(path), (match[1] ?? match[2])!)).replaceAll("\\", "/");
    const resolved = [target, `${target}.ts`, `${target}.mjs`, `${target}.js`, `${target}/index.ts`, target.replace(/\.js$/, ".ts")].find((each) => sources.has(each));
    found.push({ from: path, to: resolved ?? target, line: lineAt(code, match.index) });
  }
  return found;
}

/** Names that a C file includes, as written. */
export function includesOf(text: string): string[] {
  return [...text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)].map(([, name]) => name!);
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
