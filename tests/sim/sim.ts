// Lives of simulated devices, one a seed: `npm run sim -- --seeds N [--first N] [--profile NAME] [--trace] [--break NAME]`.
//
// The last line is `N seeds, N failed, N reconnects`; each failed seed prints one line that lives it again with a trace.

import { Command, Option } from "commander";
import { profileModule } from "../../host/node/instance.ts";
import { wholeNumber } from "../whole-number.ts";
import { KINDS, type Kind } from "./kinds.ts";
import { MUTANTS, mutate } from "./mutants.ts";
import { live } from "./world.ts";

const program = new Command("sim")
  .description("Lives of simulated devices, one a seed.")
  .option("--seeds <count>", "how many lives", wholeNumber, 1000)
  .option("--first <seed>", "the first seed", wholeNumber, 1)
  .addOption(new Option("--profile <name>", "the profile of all lives; devices and gateways without it").choices(KINDS))
  .option("--trace", "print everything that happens")
  .addOption(new Option("--break <name>", "use a broken variant of the module, which must fail").choices(Object.keys(MUTANTS)).conflicts("profile"))
  .parse();
const { seeds, first, profile, trace: isTraced = false, break: mutant } = program.opts<{ seeds: number; first: number; profile?: Kind; trace?: boolean; break?: string }>();

const kinds = profile === undefined ? ["device", "gateway"] as const : [profile];
const modules = mutant === undefined ? Object.fromEntries(kinds.map((kind) => [kind, profileModule(kind)])) : await mutate(mutant);
let failed = 0;
let reconnects = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const outcome = live(modules, seed, { isTraced });
  reconnects += outcome.reconnects;
  if (isTraced) console.log(outcome.trace.join("\n"));
  if (outcome.faults.length === 0) continue;
  failed++;
  const variant = mutant !== undefined ? ` --break ${mutant}` : profile !== undefined ? ` --profile ${profile}` : "";
  console.log(`npm run sim -- --seeds 1 --first ${seed} --trace${variant}    # ${outcome.faults.slice(0, 3).join("; ")}`);
}
console.log(`${seeds} seeds, ${failed} failed, ${reconnects} reconnects`);
process.exitCode = failed > 0 ? 1 : 0;
