// Reads WebAssembly text, flat or folded, into the few facts that the gates ask for.

import wabt from "wabt";

export interface WatFunction {
  name: string;
  /** `module.name` for an import. */
  imported: string | undefined;
  params: string[];
  results: string[];
  /** Functions called, in the order of the text, repetitions included. */
  calls: string[];
  /** Every instruction keyword, operands left out. */
  instructions: string[];
}

export interface WatModule {
  functions: WatFunction[];
  exports: { name: string; kind: string; target: string }[];
  imports: { module: string; name: string; kind: string }[];
  memories: { min: number; max: number | undefined }[];
  tables: number;
  hasStart: boolean;
  /** Text of every type and global, where a float could hide that no instruction shows. */
  declarations: string;
}

type Expression = string | Expression[];

/** The text of shipped bytes; functions have no names there, only positions. */
export async function disassemble(wasm: Uint8Array): Promise<string> {
  const library = await wabt();
  const module = library.readWasm(Uint8Array.from(wasm), { readDebugNames: false });
  try {
    return module.toText({ foldExprs: false, inlineExport: false });
  } finally {
    module.destroy();
  }
}

export function parseWat(text: string): WatModule {
  const top = parseExpression(text);
  if (!Array.isArray(top) || top[0] !== "module") throw new Error("not a WebAssembly text module");
  const module: WatModule = { functions: [], exports: [], imports: [], memories: [], tables: 0, hasStart: false, declarations: "" };
  const types = new Map<string, Expression[]>();
  const fields = top.filter((field): field is Expression[] => Array.isArray(field));
  let typeIndex = 0;
  for (const field of fields) {
    if (field[0] !== "type") continue;
    const signature = field.find((part): part is Expression[] => Array.isArray(part) && part[0] === "func") ?? [];
    types.set(String(typeIndex++), signature);
    if (typeof field[1] === "string") types.set(field[1], signature);
  }
  for (const field of fields) readField(module, field, types);
  resolveIndices(module);
  return module;
}

function readField(module: WatModule, field: Expression[], types: Map<string, Expression[]>): void {
  switch (field[0]) {
    case "import": {
      const item = field[3] as Expression[];
      const entry = { module: unquote(field[1]), name: unquote(field[2]), kind: String(item[0]) };
      module.imports.push(entry);
      if (entry.kind === "func") module.functions.push(readFunction(module, item, types, `${entry.module}.${entry.name}`));
      if (entry.kind === "memory") module.memories.push(readLimits(item));
      if (entry.kind === "table") module.tables++;
      break;
    }
    case "func":
      module.functions.push(readFunction(module, field, types, undefined));
      break;
    case "export": {
      const item = field[2] as Expression[];
      module.exports.push({ name: unquote(field[1]), kind: String(item[0]), target: String(item[1]) });
      break;
    }
    case "memory":
      module.memories.push(readLimits(field));
      break;
    case "table":
    case "elem":
      module.tables++;
      break;
    case "start":
      module.hasStart = true;
      break;
    case "type":
    case "global":
      module.declarations += flatten(field).join(" ") + "\n";
      break;
  }
}

function readFunction(module: WatModule, field: Expression[], types: Map<string, Expression[]>, imported: string | undefined): WatFunction {
  const named = typeof field[1] === "string" && field[1].startsWith("$");
  const result: WatFunction = {
    name: named ? String(field[1]) : `#${module.functions.length}`,
    imported, params: [], results: [], calls: [], instructions: [],
  };
  const typeUse = field.find((part): part is Expression[] => Array.isArray(part) && part[0] === "type");
  const signature = typeUse ? types.get(String(typeUse[1])) ?? [] : field;
  for (const part of signature) {
    if (!Array.isArray(part)) continue;
    const names = part.slice(1).filter((word): word is string => typeof word === "string" && !word.startsWith("$"));
    if (part[0] === "param") result.params.push(...names);
    if (part[0] === "result") result.results.push(...names);
  }
  const words = flatten(field.slice(named ? 2 : 1));
  words.forEach((word, index) => {
    if (!/^[a-z][a-z0-9_.]*$/.test(word)) return;
    if (word === "call" || word === "return_call") result.calls.push(words[index + 1] ?? "");
    result.instructions.push(word);
  });
  return result;
}

/** wabt names functions by position where there is no name, binaryen by name: give every reference the name. */
function resolveIndices(module: WatModule): void {
  const name = (reference: string): string => /^\d+$/.test(reference) ? module.functions[Number(reference)]?.name ?? reference : reference;
  for (const each of module.functions) each.calls = each.calls.map(name);
  for (const each of module.exports) if (each.kind === "func") each.target = name(each.target);
}

/** Gives the functions of the shipped text the names that the compiler's text has at the same positions. */
export function borrowNames(shipped: WatModule, named: WatModule): void {
  if (shipped.functions.length !== named.functions.length) throw new Error("the .wat beside the .wasm is of another build");
  const names = new Map(shipped.functions.map((each, index) => [each.name, named.functions[index]!.name]));
  for (const each of shipped.functions) {
    each.name = names.get(each.name)!;
    each.calls = each.calls.map((call) => names.get(call) ?? call);
  }
  for (const each of shipped.exports) if (each.kind === "func") each.target = names.get(each.target) ?? each.target;
  const stranger = shipped.functions.find((each, index) => each.calls.join() !== named.functions[index]!.calls.join());
  if (stranger) throw new Error(`the .wat beside the .wasm is of another build: ${stranger.name} differs`);
}

function readLimits(field: Expression[]): { min: number; max: number | undefined } {
  const numbers = field.filter((part): part is string => typeof part === "string" && /^\d+$/.test(part)).map(Number);
  return { min: numbers[0] ?? 0, max: numbers[1] };
}

function unquote(word: Expression | undefined): string {
  return String(word).replace(/^"|"$/g, "");
}

function flatten(expression: Expression): string[] {
  return typeof expression === "string" ? [expression] : expression.flatMap(flatten);
}

function parseExpression(text: string): Expression {
  const open: Expression[][] = [[]];
  const token = /;;[^\n]*|\(;[^]*?;\)|[()]|"(?:\\[^]|[^"\\])*"|[^\s()"]+/g;
  for (const [word] of text.matchAll(token)) {
    if (word.startsWith(";;") || word.startsWith("(;")) continue;
    if (word === "(") open.push([]);
    else if (word === ")") {
      const closed = open.pop();
      if (!closed || open.length === 0) throw new Error("unbalanced parentheses");
      open.at(-1)!.push(closed);
    } else open.at(-1)!.push(word);
  }
  if (open.length !== 1) throw new Error("unbalanced parentheses");
  return open[0]![0] ?? [];
}
