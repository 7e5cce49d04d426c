// Every code sample of the documentation compiles, with the declarations around it that a reader would have; every link ends somewhere.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileApp } from "../../host/app/compile.ts";
import "../../host/tools/plain-packages.mjs";
import { readSources } from "./sources.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = join(ROOT, "build/test/samples");
const CLIENT = 'import { DeviceClient } from "../../../host/node/index.ts";\ndeclare const token: string;\n';

/** What stands in front of the samples of a document. */
const AROUND: Readonly<Record<string, string>> = { "README.md": CLIENT, "host/node/README.md": CLIENT };
const C_AROUND = '#include "mote.h"\nvoid sample(void);\nvoid sample(void) {\nstatic mote_t mote;\nstatic mote_options_t options;\n';

const documents = [...readSources(ROOT)].filter(([path]) => path.endsWith(".md"));
const blocks = (language: string): { document: string; code: string }[] => documents.flatMap(([document, text]) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))].map(([, code]) => ({ document, code: code! })));

test("TypeScript", () => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const samples = blocks("ts").filter(({ document }) => !document.startsWith("assembly/"));
  assert.ok(samples.length >= 3, "README.md, host/node, host/server");
  samples.forEach(({ document, code }, index) => {
    const text = `${AROUND[document] ?? ""}${code.replaceAll('"./host/', '"../../../host/')}`;
    writeFileSync(join(FOLDER, `${index}-${document.replaceAll(/\W/g, "-")}.ts`), text);
  });
  const configuration = { extends: "../../../tsconfig.json", compilerOptions: { noUnusedLocals: false, noUnusedParameters: false }, include: ["*.ts", "../../../host/node/webassembly.d.ts"], exclude: [] };
  writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(configuration));
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "--noEmit", "--project", FOLDER], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

test("C", () => {
  const samples = blocks("c");
  assert.ok(samples.length >= 1);
  const includes = ["host/c/include", "build/generated"].flatMap((folder) => ["-I", join(ROOT, folder)]);
  for (const { document, code } of samples) {
    const { status, stderr } = spawnSync("cc", ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", ...includes, "-x", "c", "-"], { input: `${C_AROUND}${code}}\n`, encoding: "utf8" });
    assert.equal(status, 0, `${document}: ${stderr}`);
  }
});

test("apps", async () => {
  const samples = blocks("ts").filter(({ document }) => document.startsWith("assembly/"));
  assert.ok(samples.length >= 1);
  mkdirSync(FOLDER, { recursive: true });
  for (const [index, { code }] of samples.entries()) {
    const entry = join(FOLDER, "apps", `app${index}.ts`);
    mkdirSync(dirname(entry), { recursive: true });
    writeFileSync(entry, code);
    assert.ok((await compileApp(entry)).wasm.length > 0);
  }
});

test("links end at a file, and at a heading of it", () => {
  const anchors = (text: string): Set<string> =>
    new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")));
  const broken = documents.flatMap(([document, page]) => {
    const links = [...page.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)/gm)].map(([, inline, below]) => (inline ?? below)!);
    return links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path, anchor] = link.split("#");
      const target = path === "" ? join(ROOT, document) : join(ROOT, dirname(document), path!);
      return !existsSync(target) || (anchor !== undefined && !anchors(readFileSync(target, "utf8")).has(anchor));
    }).map((link) => `${document}: ${link}`);
  });
  assert.deepEqual(broken, []);
});
