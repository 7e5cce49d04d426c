// Says in one line why nothing can be built here, before a compiler says it in twenty.

import { accessSync, constants } from "node:fs";

/** Throws when a folder, to be built in, cannot be written to. */
export function ensureWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Error(`cannot write to ${folder} (${(error as NodeJS.ErrnoException).code}): what is built goes to its folder build; copy it to where you may write`);
  }
}
