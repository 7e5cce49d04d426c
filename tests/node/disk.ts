// Watches what the host asks of the disk, whose order decides what a power cut leaves.

import fs, { readlinkSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import type { TestContext } from "node:test";

/** What is durable, in the order in which it became so: names of renamed files, and of what was synchronised. */
export function watchDisk(t: TestContext): string[] {
  const steps: string[] = [];
  const { fsyncSync, renameSync } = fs;
  t.mock.method(fs, "fsyncSync", (file: number) => {
    steps.push(`sync ${basename(readlinkSync(`/proc/self/fd/${file}`))}`);
    fsyncSync(file);
  });
  t.mock.method(fs, "renameSync", (from: string, to: string) => {
    renameSync(from, to);
    steps.push(`rename ${basename(to)}`);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return steps;
}
