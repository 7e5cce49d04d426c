// Compiles an app module: AssemblyScript in, wasm with a fuel counter out, checked against ABI.md of assembly/app.

import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { APP_MEMORY_BYTES } from "../../build/generated/abi.ts";
import { AppError, loadCompiler, type Binaryen, type Compiler } from "./compiler.ts";
import { addFuel } from "./fuel.ts";
import { inspectApp, type Fault } from "./inspect.ts";

export interface AppOptions {
  /** Bytes of linear memory that the app is given; APP_MEMORY_BYTES when absent. */
  readonly memoryBytes?: number | undefined;
  /** Bytes of the longest message record that it builds; 512 when absent. */
  readonly messageBytes?: number | undefined;
  /** Bytes of its event buffer; 512 when absent. */
  readonly eventBytes?: number | undefined;
  /** Lets the app allocate, from what its data leaves of the memory; nothing is ever freed. */
  readonly hasHeap?: boolean | undefined;
  /** The target's engine has floats. */
  readonly hasFloats?: boolean | undefined;
}

export interface AppModule {
  readonly wasm: Uint8Array;
  /** Imports of module `mote`. */
  readonly imports: readonly string[];
  readonly functions: number;
  /** Functions that can call themselves; each entry costs much fuel. */
  readonly recursive: readonly string[];
}

/** No folder has a file of this name, so that the configuration of the project around the app is not taken. */
const NO_CONFIGURATION = "mote-app.has-no-asconfig";
/** This package, seen from the sources as from the bundle: whatever folder an app lies in, `mote/assembly/app` is the one that belongs to this compiler. */
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const AS_PACKAGE = /^.*[\\/]node_modules[\\/]mote[\\/]/;
const START = "__start";
const SIZE = ["-O3z", "--converge", "--noAssert", "--use", "abort=", "--uncheckedBehavior", "always"];
/** Unoptimised, so that each instruction still knows its line. */
const PLACES = ["-O0", "--sourceMap", "--noAssert", "--use", "abort="];
/** What leads to an allocation; the runtime itself knows no line of the app. */
const ALLOCATORS = /call \$(?:\S+#constructor|~lib\/(?!memory|builtins|util\/)\S+)/;
const FLOAT = /\bf(?:32|64)\b/;

export async function compileApp(entry: string, options: AppOptions = {}): Promise<AppModule> {
  const memoryBytes = options.memoryBytes ?? APP_MEMORY_BYTES;
  const target = [
    "--lowMemoryLimit", String(memoryBytes),
    ...(options.messageBytes === undefined ? [] : ["--use", `APP_MESSAGE_BYTES=${options.messageBytes}`]),
    ...(options.eventBytes === undefined ? [] : ["--use", `APP_EVENT_BYTES=${options.eventBytes}`]),
  ];
  const compiler = await loadCompiler();
  const { binaryen } = compiler;
  const { wasm } = await run(compiler, entry, target, ["--outFile", "app.wasm", "--debug", ...SIZE]);
  const module = binaryen.readBinary(wasm);
  const { BulkMemory, BulkMemoryOpt, MutableGlobals, NontrappingFPToInt, SignExt } = binaryen.Features as unknown as Record<string, number>;
  module.setFeatures(BulkMemory! | BulkMemoryOpt! | MutableGlobals! | NontrappingFPToInt! | SignExt!);
  try {
    const text = module.emitText();
    if (!options.hasFloats && FLOAT.test(text)) throw await refused(compiler, entry, target, FLOAT, "is a float, which the target's engine lacks; --floats allows it");
    if (!options.hasHeap && /\$~lib\/rt\/stub\/__(new|alloc|renew)/.test(text)) {
      throw await refused(compiler, entry, target, ALLOCATORS, "allocates; --heap gives the app a heap that is never freed");
    }
    const { imports, faults } = inspectApp(binaryen, module);
    if (faults.length > 0) throw await unfit(compiler, entry, target, faults);
    startInSetup(binaryen, module);
    const recursive = addFuel(binaryen, module);
    module.addGlobal("memory_bytes", binaryen.i32, false, module.i32.const(memoryBytes));
    module.addGlobalExport("memory_bytes", "memory_bytes");
    if (!module.validate()) throw new AppError("the module with its fuel counter is not valid");
    const functions = module.getNumFunctions() - imports.length;
    binaryen.setDebugInfo(false);
    return { wasm: module.emitBinary(), imports, functions, recursive };
  } finally {
    module.dispose();
  }
}

/** Values that the top level computes, and the heap, are set up by `setup`: a start function would run before a host has given fuel. */
function startInSetup(binaryen: Binaryen, module: InstanceType<Binaryen["Module"]>): void {
  const start = exportedAs(binaryen, module, START);
  if (start === 0) return;
  const setup = exportedAs(binaryen, module, "setup");
  const { body } = binaryen.getFunctionInfo(setup);
  const { name, body: values } = binaryen.getFunctionInfo(start);
  module.removeExport(START);
  if (binaryen.getExpressionId(values) === binaryen.NopId) {
    if (start !== setup) module.removeFunction(name);
    return;
  }
  // The optimiser makes one function of two with the same body; a call would then never end.
  const first = start === setup ? module.copyExpression(values) : module.call(name, [], binaryen.none);
  binaryen.Function.setBody(setup, module.block(null, [first, body], binaryen.none));
}

/** The function of an export, 0 when there is none. */
function exportedAs(binaryen: Binaryen, module: InstanceType<Binaryen["Module"]>, name: string): number {
  const found = module.getExport(name);
  return found === 0 ? 0 : module.getFunction(binaryen.getExportInfo(found).value ?? "");
}

/** Runs the compiler on files read from disk, its outputs kept in memory. */
async function run({ asc }: Compiler, entry: string, target: readonly string[], words: readonly string[]): Promise<{ wasm: Uint8Array; text: string }> {
  const outputs = new Map<string, Uint8Array | string>();
  const limits = ["--runtime", "stub", "--exportStart", START, "--initialMemory", "1", "--maximumMemory", "1", ...target];
  const { error, stderr } = await asc.main([entryName(entry), "--config", NO_CONFIGURATION, "--noColors", ...limits, ...words], {
    readFile: (name, folder) => readSource(resolve(folder, name)),
    writeFile: (name, contents) => void outputs.set(name, contents),
    listFiles: () => [],
  });
  if (error !== null) throw new AppError(`${stderr.toString()}${error.message}`.trim());
  return { wasm: (outputs.get("app.wasm") as Uint8Array | undefined) ?? new Uint8Array(), text: String(outputs.get("app.wast") ?? "") };
}

function entryName(entry: string): string {
  return relative(process.cwd(), resolve(entry));
}

function readSource(path: string): string | null {
  let source: string;
  try {
    source = readFileSync(path.replace(AS_PACKAGE, PACKAGE), "utf8");
  } catch {
    return null;
  }
  return pooled(source, path);
}

/** Turns each `text("...")` into the address and length of its UTF-8 bytes, which stand once in each file. Lines stay where they are. */
function pooled(source: string, path: string): string {
  const declarations = new Map<string, string>();
  const code = source.replace(/\btext\(\s*("(?:[^"\\\n]|\\.)*")\s*\)/g, (_call, literal: string, at: number) => {
    const bytes = bytesOf(literal);
    if (bytes === null) throw new AppError(`${entryName(path)}:${source.slice(0, at).split("\n").length} has ${literal}, whose escapes are not those of JSON`);
    const name = `__text${bytes.toString("hex")}`;
    const place = bytes.length === 0 ? "0" : `memory.data<u8>([${bytes.join(",")}], 1) + ${bytes.length * 0x10000}`;
    declarations.set(name, `// @ts-ignore: decorator\n@lazy const ${name}: usize = ${place};`);
    return name;
  });
  return [code, ...declarations.values()].join("\n");
}

/** UTF-8 of a literal; null when it is none that JSON would take, or half a surrogate pair. */
function bytesOf(literal: string): Buffer | null {
  try {
    const text = JSON.parse(literal) as string;
    return /\p{Surrogate}/u.test(text) ? null : Buffer.from(text, "utf8");
  } catch {
    return null;
  }
}

/** Names the lines of the sources that compile to what was found. */
async function refused(compiler: Compiler, entry: string, target: readonly string[], pattern: RegExp, why: string): Promise<AppError> {
  const places = placesOf(await textOf(compiler, entry, target), (line) => pattern.test(line));
  return new AppError((places.length > 0 ? places : [entryName(entry)]).map((place) => `${place} ${why}`).join("\n"));
}

/** Names everything that a host would refuse, with its lines where a call tells them. */
async function unfit(compiler: Compiler, entry: string, target: readonly string[], faults: readonly Fault[]): Promise<AppError> {
  const text = faults.some(({ imported }) => imported !== undefined) ? await textOf(compiler, entry, target) : "";
  const lines = faults.flatMap(({ why, imported }) => {
    const [, name] = imported === undefined ? [] : new RegExp(`\\(import ${imported} \\(func (\\$"[^"]*"|[^\\s)]+)`).exec(text) ?? [];
    const places = name === undefined ? [] : placesOf(text, (line) => line.trimStart().replace(/\)+$/, "").endsWith(`(call ${name}`));
    return (places.length > 0 ? places : ["the app"]).map((place) => `${place} ${why}`);
  });
  return new AppError(lines.join("\n"));
}

/** The module as text in which each instruction stands below its place in the sources. */
async function textOf(compiler: Compiler, entry: string, target: readonly string[]): Promise<string> {
  return (await run(compiler, entry, target, ["--outFile", "app.wasm", "--textFile", "app.wast", ...PLACES])).text;
}

/** Lines of the app, not of the library, that compile to what is looked for. */
function placesOf(text: string, isIt: (line: string) => boolean): string[] {
  const places = new Set<string>();
  let place = "";
  for (const line of text.split("\n")) {
    place = /;;@ (.+:\d+):\d+$/.exec(line)?.[1] ?? place;
    if (/^ \(func/.test(line)) place = "";
    else if (place !== "" && !place.startsWith("~lib") && isIt(line)) places.add(place);
  }
  return [...places];
}
