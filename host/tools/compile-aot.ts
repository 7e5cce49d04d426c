// Turns a module into C with wasm2c, and fits two of the macros that it writes in front of it to the runtime in host/c/aot.
//
//   node --import tsx host/tools/compile-aot.ts MODULE.wasm OUT.c
//
// Each access of memory goes through these macros, and wasm2c has no setting for them. When its text is another one than what is
// expected here, the build ends: with another release of wabt this file has to be read again.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

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

export function fit(source: string): string {
  let text = replaceOnce(source, "UNLIKELY(a + (uint64_t)sizeof(t) > mem->size)", "UNLIKELY(!wasm_rt_holds(mem, a, sizeof(t), DATA_END))");
  // A load whose value nobody uses is kept where a guard page has to see it. Here it was checked before.
  text = replaceOnce(text, "#ifdef __GNUC__\n#define FORCE_READ_INT(var)", "#if defined(__GNUC__) && WASM_RT_MEMCHECK_GUARD_PAGES\n#define FORCE_READ_INT(var)");
  // Most copies within a buffer move it to where it is already.
  text = replaceOnce(text, "  memmove(MEM_ADDR(dest, dest_addr, n)", "  if (n != 0) memmove(MEM_ADDR(dest, dest_addr, n)");
  return `#define DATA_END ${endOfData(source)}u\n${text}`;
}

function main(wasm: string, out: string): void {
  execFileSync(process.execPath, [`${ROOT}node_modules/wabt/bin/wasm2c`, wasm, "-n", "client", "-o", out], { stdio: "inherit" });
  writeFileSync(out, fit(readFileSync(out, "utf8")));
}

main(process.argv[2]!, process.argv[3]!);
