// Turns a module into C with wasm2c, fits what wasm2c writes in front of it to the runtime in host/c/aot, and tells the C compiler what
// each message runs through.
//
//   node --import tsx host/tools/compile-aot.ts MODULE.wasm OUT.c
//
// Each access of memory goes through these macros, and wasm2c has no setting for them. When its text is another one than what is
// expected here, the build ends: with another release of wabt this file has to be read again.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OFTEN, OFTEN_IN_POLL } from "./often.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`the C of wasm2c has ${parts.length - 1} times, not once: ${from}`);
  return parts.join(to);
}

/** Where the data ends that is copied into memory when an instance is made, which fails when it does not fit. */
function endOfData(source: string): number {
  const segments = [...source.matchAll(/^ {2}LOAD_DATA\(instance->w2c_memory, (\d+)u, \w+, (\d+)\);$/gm)];
  return Math.max(0, ...segments.map(([, offset, length]) => Number(offset) + Number(length)));
}

function fit(source: string): string {
  let text = replaceOnce(source, "UNLIKELY(a + (uint64_t)sizeof(t) > mem->size)", "UNLIKELY(!wasm_rt_holds(mem, a, sizeof(t), DATA_END))");
  // A load whose value nobody uses is kept where a guard page has to see it. Here it was checked before.
  text = replaceOnce(text, "#ifdef __GNUC__\n#define FORCE_READ_INT(var)", "#if defined(__GNUC__) && WASM_RT_MEMCHECK_GUARD_PAGES\n#define FORCE_READ_INT(var)");
  // Most copies within a buffer move it to where it is already.
  text = replaceOnce(text, "  memmove(MEM_ADDR(dest, dest_addr, n)", "  if (n != 0) memmove(MEM_ADDR(dest, dest_addr, n)");
  return `#define DATA_END ${endOfData(source)}u\n${text}`;
}

/** Names of the functions in the order of the module, imports first, from the compiler's text beside it. */
function namesOf(wasm: string): string[] {
  const file = wasm.replace(/\.wasm$/, ".wat");
  if (!existsSync(file)) return [];
  return [...readFileSync(file, "utf8").matchAll(/^ \((?:import "\w+" "\w+" \()?func \$(?:assembly\/)?(\S+)/gm)].map((match) => match[1]!);
}

/** The text of a function, from its name and parameters on. */
function definitionOf(source: string, name: string): string {
  return new RegExp(`^\\w+ ${name}\\(.*\\) \\{$[^]*?^\\}$`, "m").exec(source)?.[0] ?? "";
}

function inlineOften(source: string, names: string[]): string {
  let text = source;
  for (const [index, name] of names.entries()) {
    if (OFTEN.includes(name)) text = text.replace(new RegExp(`^static (?=\\w+ w2c_client_f${index}\\(.*\\);$)`, "m"), "static WASM_RT_OFTEN ");
  }
  const long = `w2c_client_f${names.indexOf(OFTEN_IN_POLL)}`;
  const definition = definitionOf(text, long);
  const poll = definitionOf(text, "w2c_client_poll_0");
  if (definition === "" || poll === "") return text;
  text = text.replace(poll, () => poll.replaceAll(`${long}(`, `${long}_often(`));
  return text.replace(definition, () => `${definition}\n\nstatic WASM_RT_OFTEN ${definition.replace(long, `${long}_often`)}`);
}

function main(wasm: string, out: string): void {
  execFileSync(process.execPath, [`${ROOT}node_modules/wabt/bin/wasm2c`, wasm, "-n", "client", "-o", out], { stdio: "inherit" });
  writeFileSync(out, inlineOften(fit(readFileSync(out, "utf8")), namesOf(wasm)));
}

main(process.argv[2]!, process.argv[3]!);
