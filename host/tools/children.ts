// Programs that end with this one: each has a group of its own, and a signal that ends this program ends the groups.

import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { BY_SIGNAL } from "../cli/exit.ts";

const running = new Set<ChildProcess>();

/** As spawn(); compilers and make start programs of their own, which end too when this one gets SIGINT or SIGTERM meanwhile. */
export function spawnWithMe(command: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, words, { ...options, detached: true });
  if (child.pid === undefined) return child; // it could not be started, as its event says
  if (running.size === 0) for (const signal of SIGNALS) process.on(signal, endAll);
  running.add(child);
  child.once("exit", () => {
    running.delete(child);
    if (running.size === 0) for (const signal of SIGNALS) process.off(signal, endAll);
  });
  return child;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

function endAll(signal: (typeof SIGNALS)[number]): void {
  for (const { pid } of running) process.kill(-pid!, "SIGTERM");
  process.exit(BY_SIGNAL[signal]);
}
