// Bundles the Node package with its types, and the `mote` command.

import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bundleCommand, bundlePackage } from "./bundle.ts";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

rmSync(path("build/node"), { recursive: true, force: true });
await bundlePackage(path("build/node/index.js"));
await bundleCommand(path("build/cli/mote.js"));
for (const profile of readdirSync(path("assembly/profiles")).map((name) => name.replace(/\.ts$/, ""))) {
  if (!existsSync(path(`build/${profile}.wasm`))) throw new Error(`build/${profile}.wasm is missing; run the step "modules" first`);
  for (const place of ["node", "cli"]) copyFileSync(path(`build/${profile}.wasm`), path(`build/${place}/${profile}.wasm`));
}

const project = path("build/node/tsconfig.json");
writeFileSync(project, JSON.stringify({
  extends: "../../tsconfig.json",
  compilerOptions: {
    noEmit: false, declaration: true, emitDeclarationOnly: true, rewriteRelativeImportExtensions: true,
    rootDir: "../..", outDir: "types", typeRoots: ["../../node_modules/@types"],
  },
  include: [], exclude: [],
  files: ["../../host/node/index.ts", "../../host/node/webassembly.d.ts"],
}));
const { status, stdout } = spawnSync(process.execPath, [path("node_modules/typescript/bin/tsc"), "-p", project], { encoding: "utf8" });
rmSync(project);
if (status !== 0) throw new Error(`types: ${stdout}`);
writeFileSync(path("build/node/index.d.ts"), 'export * from "./types/host/node/index.js";\n');
