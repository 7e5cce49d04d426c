// Where the build puts what the command needs, seen from the sources and from the bundle.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommandError, ExitCode } from "./exit.ts";

/** The path of a file under `build`; fails with the command that makes it. */
export function builtFile(name: string, command: string): string {
  const places = [`../${name}`, `../../build/${name}`].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new CommandError(ExitCode.NotBuilt, `build/${name} has not been built`, `build it with: ${command}`);
  return found;
}
