// Compiles `const NAME = utf8("text")` to static bytes: one length byte, then the text as UTF-8. AssemblyScript's own
// string literals are UTF-16 objects with a header, about three times the size.
import { Transform } from "assemblyscript/transform";

const MAX_LENGTH = 255;

export default class Utf8Literals extends Transform {
  afterParse(parser) {
    for (const source of parser.sources) {
      if (source.sourceKind === 2 || source.sourceKind === 3) continue; // the standard library has none
      for (const statement of source.statements) {
        for (const declaration of statement.declarations ?? []) this.replace(declaration, parser);
      }
    }
  }

  replace(declaration, parser) {
    const call = declaration.initializer;
    if (call?.expression?.text !== "utf8" || call.args?.length !== 1) return;
    const bytes = Buffer.from(call.args[0].value, "utf8");
    if (bytes.length > MAX_LENGTH) throw new Error(`utf8 literal of ${bytes.length} bytes, at most ${MAX_LENGTH}`);
    // Parsed from text, so that no part of the compiler's syntax tree is built by hand.
    const text = `const x = memory.data<u8>([${[bytes.length, ...bytes].join(",")}]);`;
    const name = `~literal/${declaration.name.text}`;
    parser.parseFile(text, name, false);
    const parsed = parser.sources.pop();
    declaration.initializer = parsed.statements[0].declarations[0].initializer;
  }
}
