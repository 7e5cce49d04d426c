// Runs one example: node --import tsx boards/posix/examples/run.ts NAME CONFIGURATION.json

import { interrupted } from "../../../host/cli/exit.ts";
import { readConfiguration } from "../../../host/node/index.ts";
import { examples } from "./all.ts";

const [name, file] = process.argv.slice(2);
const ending = new AbortController();
void interrupted().then(() => ending.abort());

try {
  const example = examples[name ?? ""];
  if (example === undefined || file === undefined) throw new Error(`usage: run.ts NAME CONFIGURATION.json, NAME one of ${Object.keys(examples).join(" ")}`);
  await example({ configuration: readConfiguration(file).configuration, signal: ending.signal, print: (line) => console.log(line) });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
