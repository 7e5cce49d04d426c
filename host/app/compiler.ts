// Loads AssemblyScript and the optimiser that comes with it: large, and needed by nobody who only runs apps.

import type binaryenLibrary from "assemblyscript/binaryen";

/** binaryen's functions; its types leave out the classes that change an expression. */
export type Binaryen = typeof binaryenLibrary & {
  readonly Loop: { getBody(loop: number): number; setBody(loop: number, body: number): void };
  readonly Function: { setBody(ref: number, body: number): void };
};

/** The part of asc's interface that is used; its own types declare globals that are not Node's. */
interface Asc {
  main(words: readonly string[], io: {
    readFile(name: string, folder: string): string | null;
    writeFile(name: string, contents: Uint8Array | string): void;
    listFiles(): string[];
  }): Promise<{ error: Error | null; stderr: { toString(): string } }>;
}

export interface Compiler { readonly asc: Asc; readonly binaryen: Binaryen }

export async function loadCompiler(): Promise<Compiler> {
  const library = async (name: string): Promise<unknown> => ((await import(`assemblyscript/${name}`)) as { default: unknown }).default;
  try {
    return { asc: (await library("asc")) as Asc, binaryen: (await library("binaryen")) as Binaryen };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new AppError("the AssemblyScript compiler is not installed: npm install --save-dev assemblyscript");
  }
}

/** What is wrong with an app, one line for each fault, each with its place in the source where that is known. */
export class AppError extends Error {
  override readonly name = "AppError";
}
