// Compiles `const NAME = utf8("text")` to static bytes: one length byte, then the text as UTF-8; `bytes("text")` likewise
// without the length. AssemblyScript's own string literals are UTF-16 objects with a header, about three times the size.
import { Transform } from "assemblyscript/transform";

const MAX_LENGTH = 255;

export default class Literals extends Transform {
  afterParse(parser) {
    // Literals stand in plain declarations at the top level of a file only.
    for (const source of [...parser.sources]) {
      for (const statement of source.statements) {
        for (const declaration of statement.declarations ?? []) this.replace(declaration, parser);
      }
    }
  }

  replace(declaration, parser) {
    const call = declaration.initializer;
    const kind = call?.expression?.text;
    if ((kind !== "utf8" && kind !== "bytes") || call.args?.length !== 1) return;
    const text = [...Buffer.from(call.args[0].value, "utf8")];
    if (kind === "utf8") {
      if (text.length > MAX_LENGTH) throw new Error(`utf8 literal of ${text.length} bytes, at most ${MAX_LENGTH}`);
      text.unshift(text.length);
    }
    // Parsed from source text, so that no part of the compiler's syntax tree is built by hand.
    parser.parseFile(`const x = memory.data<u8>([${text.join(",")}]);`, `~literal/${declaration.name.text}`, false);
    const parsed = parser.sources.pop();
    declaration.initializer = parsed.statements[0].declarations[0].initializer;
  }
}
