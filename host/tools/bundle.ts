// How esbuild bundles the package and the `mote` command.

import { chmodSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";

const source = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

const common: BuildOptions = { bundle: true, platform: "node", target: "node20", format: "esm", sourcemap: true, logLevel: "warning" };

/** The package; npm brings its dependencies. */
export async function bundlePackage(outfile: string): Promise<void> {
  await build({ ...common, entryPoints: [source("node/index.ts")], outfile, packages: "external" });
}

/** The command, with everything that it needs in one file. */
export async function bundleCommand(outfile: string): Promise<void> {
  // What is bundled of CommonJS still asks for Node's own modules by `require`.
  const js = '#!/usr/bin/env node\nimport { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);';
  await build({ ...common, entryPoints: [source("cli/main.ts")], outfile, banner: { js } });
  chmodSync(outfile, 0o755);
}
