// Hostile lives of clients, one a seed: `npm run fuzz -- --seeds N [--first N] [--trace]`, and of whole Node clients: `npm run fuzz:node` likewise.
//
// The last line is `N seeds, N failed`; each failed seed prints one line that lives it again with a trace.

import { Argument, Command } from "commander";
import { wholeNumber } from "../whole-number.ts";
import { live } from "./life.ts";
import { liveNode } from "./node-life.ts";

/** By the name of the script that lives them. */
const LIVES = { "fuzz": live, "fuzz:node": liveNode } as const;

const program = new Command("npm run")
  .description("Lives of clients between a hostile server and a careless application, one a seed.")
  .addArgument(new Argument("<script>", "of the module, or of the Node face around it").choices(Object.keys(LIVES)))
  .option("--seeds <count>", "how many lives", wholeNumber, 2000)
  .option("--first <seed>", "the first seed", wholeNumber, 1)
  .option("--trace", "print everything that happens")
  .parse();
const { seeds, first, trace: isTraced = false } = program.opts<{ seeds: number; first: number; trace?: boolean }>();
const script = program.args[0] as keyof typeof LIVES;

let failed = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const { fault, trace } = await LIVES[script](seed);
  if (isTraced) console.log(trace.join("\n"));
  if (fault === undefined) continue;
  failed++;
  console.log(`npm run ${script} -- --seeds 1 --first ${seed} --trace    # ${fault}`);
}
console.log(`${seeds} seeds, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
