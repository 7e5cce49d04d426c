// Compiles texts to static bytes, those of one statement to one block, which is left out where no code uses any of them:
//   const NAME = utf8("text")      one length byte, then the text as UTF-8
//   const NAME = bytes("text")     the same without the length, each character one byte
//   const NAME = span("text")      the same; its length stands above the lower 16 bits of the address
//   const NAME = words("a b c")    each word as by utf8
//   const NAME = hashes("a b c")   each word as three bytes: see base/text.ts
//   const NAME = octets([1, A])    constants, one byte each
//   const NAME = integers([1, 2])  numbers, four bytes each
//   const NAME = integers([1, 2], FEATURE, [3])  the same, those of the second list with the feature alone; the first of its statement
// AssemblyScript's own string literals are UTF-16 objects with a header, about three times the size.
//
// All static bytes of a module become one segment: each further one would cost seven bytes.
import { Transform } from "assemblyscript/transform";

const MAX_LENGTH = 255;
/** Of a block that begins with numbers. */
const ALIGNMENT = 4;
/** Must be that of base/text.ts. */
const HASH_FACTOR = 0x1000193;

const bytes = (text) => [...Buffer.from(text, "latin1")];
const words = (text) => text.split(" ").flatMap(utf8);
const octets = (list) => list.elementExpressions.map(sourceOf);
const integers = (list) => littleEndian(octets(list).map(Number));
const withoutHighest = (numbers) => littleEndian(numbers).filter((_, index) => index % 4 < 3);
const sourceOf = ({ range }) => range.source.text.slice(range.start, range.end);
const littleEndian = (numbers) => [...Buffer.from(Int32Array.from(numbers).buffer)];
const ofText = (encode) => (argument) => encode(argument.value);
const ENCODERS = { utf8: ofText(utf8), bytes: ofText(bytes), span: ofText(bytes), words: ofText(words), hashes: ofText(hashes), octets, integers };

function utf8(text) {
  const encoded = [...Buffer.from(text, "utf8")];
  if (encoded.length > MAX_LENGTH) throw new Error(`utf8 literal of ${encoded.length} bytes, at most ${MAX_LENGTH}`);
  return [encoded.length, ...encoded];
}

function hashes(text) {
  const all = text.split(" ").map((word) => bytes(word).reduce((hash, byte) => Math.imul(hash ^ byte, HASH_FACTOR), 0));
  if (new Set(all.map((hash) => hash & 0xffffff)).size < all.length) throw new Error("two words have the same hash");
  return withoutHighest(all);
}

export default class Literals extends Transform {
  afterParse(parser) {
    for (const source of [...parser.sources]) {
      // Literals stand in plain declarations at the top level of a file only.
      for (const statement of source.statements) this.pool(statement.declarations ?? [], source, parser);
    }
  }

  /** Gives the bytes of all literals of a statement to the first, and to the others their place in them. */
  pool(declarations, source, parser) {
    const block = [];
    const literals = [];
    for (const declaration of declarations) {
      const call = declaration.initializer;
      const kind = call?.expression?.text;
      const encode = ENCODERS[kind];
      if (!encode) continue;
      const encoded = encode(call.args[0]);
      literals.push({ declaration, kind, offset: block.length + (kind === "span" ? encoded.length << 16 : 0) });
      block.push(...encoded);
    }
    if (literals.length === 0) return;
    const alignment = literals[0].kind === "integers" ? ALIGNMENT : 1;
    const [list, feature, more] = literals[0].declaration.initializer.args;
    const data = (all) => `memory.data<u8>([${all.join(",")}], ${alignment})`;
    const withMore = more && [...integers(list), ...integers(more), ...block.slice(integers(list).length)];
    const pooled = more ? `(${sourceOf(feature)} ? ${data(withMore)} : ${data(block)})` : data(block);
    const behindMore = more ? ` + (${sourceOf(feature)} ? ${integers(more).length} : 0)` : "";
    for (const { declaration, offset } of literals) {
      const isFirst = declaration === literals[0].declaration;
      const place = isFirst ? pooled : literals[0].declaration.name.text + behindMore;
      const difference = isFirst ? offset : offset - literals[0].offset;
      // Parsed from source text, so that no part of the compiler's syntax tree is built by hand.
      parser.parseFile(`@lazy const x: usize = ${place} + ${difference};`, `~literal/${declaration.name.text}`, false);
      const parsed = parser.sources.pop();
      parsed.internalPath = source.internalPath; // the name of the first literal is looked up where it was declared
      const { decorators, initializer } = parsed.statements[0].declarations[0];
      Object.assign(declaration, { decorators, initializer });
    }
  }

  /** Joins the segments; the optimiser takes apart again where so many zeros stand between them that it pays. */
  afterCompile(module) {
    const segments = Array.from({ length: module.getNumDataSegments() }, (_, index) => module.getDataSegmentInfo(module.getDataSegmentByIndex(index)));
    if (segments.length === 0) return;
    const begin = Math.min(...segments.map(({ offset }) => offset));
    const image = new Uint8Array(Math.max(...segments.map(({ offset, data }) => offset + data.byteLength)) - begin);
    for (const { offset, data } of segments) image.set(new Uint8Array(data), offset - begin);
    const { initial, max } = module.getMemoryInfo();
    module.setMemory(initial, max ?? -1, null, [{ offset: module.i32.const(begin), data: image, passive: false }], false, false, "0");
  }
}
