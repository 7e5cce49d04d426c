// Lets the optimiser put the constant part of an address into the instruction that uses it.
//
// That changes nothing unless the other part is negative, and no code here reaches a table from behind its beginning by a negative index. The
// compiler does this by itself only for modules that leave the first 1,024 bytes of memory unused.
import { Transform } from "assemblyscript/transform";

export default class Offsets extends Transform {
  afterCompile() {
    this.binaryen.setLowMemoryUnused(true);
  }
}
