// Directories as a disk keeps them: a file that is new or renamed is there after a power cut once its directory was synchronised.

import { closeSync, fsyncSync, openSync } from "node:fs";

/** Waits until the names in a directory are durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
