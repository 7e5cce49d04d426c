// `mote build`: compiles an app module, and says how large it is and what it asks of a host.

import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { compileApp, type AppModule } from "../app/compile.ts";
import { AppError } from "../app/compiler.ts";
import { CommandError, ExitCode } from "./exit.ts";
import { writeLine } from "./print.ts";

export interface BuildOptions {
  readonly out?: string;
  readonly memory: number;
  readonly message?: number;
  readonly event?: number;
  readonly heap: boolean;
  readonly floats: boolean;
}

export async function runBuild(entry: string, { out, memory, message, event, heap, floats }: BuildOptions): Promise<void> {
  const file = out ?? join("build", "apps", `${basename(entry, ".ts")}.wasm`);
  // Said before the compiler takes its time.
  if (existsSync(file) && statSync(file).isDirectory()) throw cannotWrite(file, "EISDIR");
  let app: AppModule;
  try {
    app = await compileApp(entry, { memoryBytes: memory, messageBytes: message, eventBytes: event, hasHeap: heap, hasFloats: floats });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new CommandError(ExitCode.Usage, `${entry} was not built\n${error.message}`, "assembly/app/ABI.md says what an app may do");
  }
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, app.wasm);
  } catch (error) {
    throw cannotWrite(file, (error as NodeJS.ErrnoException).code);
  }
  writeLine(`${file}: ${app.wasm.length} bytes, ${app.functions} functions, for ${memory} bytes of memory`);
  writeLine(`imports: ${app.imports.join(", ")}`);
  if (app.recursive.length > 0) writeLine(`can call itself, which costs much fuel: ${app.recursive.join(", ")}`);
}

function cannotWrite(file: string, code: string | undefined): CommandError {
  return new CommandError(ExitCode.Usage, `cannot write ${file}: ${code}`);
}
