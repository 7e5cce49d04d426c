// Keeps a function marked `@apart` out of the one that calls it: the optimiser inlines what is called once.
//
// A function is compiled as a whole. On a board that compiles on first call, what runs once in a session must not
// lie in the middle of what runs for every message.
import { Transform } from "assemblyscript/transform";

export default class Apart extends Transform {
  names = [];

  afterParse(parser) {
    for (const source of parser.sources) {
      for (const { decorators, name } of source.statements) {
        if (decorators?.some((decorator) => decorator.name.text === "apart")) this.names.push(`${source.internalPath}/${name.text}`);
      }
    }
  }

  afterCompile(module) {
    for (const name of this.names) {
      this.binaryen.setPassArgument("no-inline", name);
      module.runPasses(["no-inline"]);
    }
    this.binaryen.clearPassArguments();
  }
}
