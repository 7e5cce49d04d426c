// Lets the optimiser put the constant part of an address into the instruction that uses it, and begin with constants.
//
// The first changes nothing unless the other part is negative, and no code here reaches a table from behind its beginning by a negative index. The
// compiler does this by itself only for modules that leave the first 1,024 bytes of memory unused.
//
// Constants that pass through a local are put where they are used before anything else happens to the code: later the optimiser finds fewer of them.
import { Transform } from "assemblyscript/transform";

export default class Offsets extends Transform {
  afterCompile(module) {
    this.binaryen.setLowMemoryUnused(true);
    module.runPasses(["precompute-propagate"]);
  }
}
