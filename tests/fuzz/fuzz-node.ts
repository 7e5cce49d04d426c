// Hostile lives of whole Node clients, one a seed: `npm run fuzz:node -- --seeds N [--first N] [--trace]`.
//
// The last line is `N seeds, N failed`; each failed seed prints one line that lives it again with a trace.

import { Command } from "commander";
import { wholeNumber } from "../whole-number.ts";
import { liveNode } from "./node-life.ts";

const program = new Command("fuzz:node")
  .description("Lives of Node clients between a hostile server and a careless application, one a seed.")
  .option("--seeds <count>", "how many lives", wholeNumber, 2000)
  .option("--first <seed>", "the first seed", wholeNumber, 1)
  .option("--trace", "print everything that happens")
  .parse();
const { seeds, first, trace: isTraced = false } = program.opts<{ seeds: number; first: number; trace?: boolean }>();

let failed = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const { fault, trace } = await liveNode(seed);
  if (isTraced) console.log(trace.join("\n"));
  if (fault === undefined) continue;
  failed++;
  console.log(`npm run fuzz:node -- --seeds 1 --first ${seed} --trace    # ${fault}`);
}
console.log(`${seeds} seeds, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
