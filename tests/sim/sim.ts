// Lives of simulated devices, one a seed: `npm run sim -- --seeds N [--first N] [--trace] [--break NAME]`.
//
// The last line is `N seeds, N failed, N reconnects`; each failed seed prints one line that lives it again with a trace.

import { Command, Option } from "commander";
import { profileModule } from "../../host/node/instance.ts";
import { wholeNumber } from "../whole-number.ts";
import { MUTANTS, mutate } from "./mutants.ts";
import { live } from "./world.ts";

const program = new Command("sim")
  .description("Lives of simulated devices, one a seed.")
  .option("--seeds <count>", "how many lives", wholeNumber, 1000)
  .option("--first <seed>", "the first seed", wholeNumber, 1)
  .option("--trace", "print everything that happens")
  .addOption(new Option("--break <name>", "use a broken variant of the module, which must fail").choices(Object.keys(MUTANTS)))
  .parse();
const { seeds, first, trace: isTraced = false, break: mutant } = program.opts<{ seeds: number; first: number; trace?: boolean; break?: string }>();

const modules = mutant === undefined ? { device: profileModule("device"), gateway: profileModule("gateway") } : await mutate(mutant);
let failed = 0;
let reconnects = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const outcome = live(modules, seed, { isTraced });
  reconnects += outcome.reconnects;
  if (isTraced) console.log(outcome.trace.join("\n"));
  if (outcome.faults.length === 0) continue;
  failed++;
  const variant = mutant === undefined ? "" : ` --break ${mutant}`;
  console.log(`npm run sim -- --seeds 1 --first ${seed} --trace${variant}    # ${outcome.faults.slice(0, 3).join("; ")}`);
}
console.log(`${seeds} seeds, ${failed} failed, ${reconnects} reconnects`);
process.exitCode = failed > 0 ? 1 : 0;
