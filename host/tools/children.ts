// Programs that end with this one: each has a group of its own, and a signal that ends this program ends the groups.

import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { BY_SIGNAL, ENDING_SIGNALS, type EndingSignal } from "../cli/exit.ts";

const running = new Set<ChildProcess>();

/** As spawn(); compilers and make start programs of their own, which end too when a signal ends this one meanwhile. */
export function spawnWithMe(command: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  // Before it runs: a signal that comes while it starts would end this program alone.
  if (running.size === 0) for (const signal of ENDING_SIGNALS) process.on(signal, endAll);
  const child = spawn(command, words, { ...options, detached: true });
  running.add(child);
  const over = (): void => {
    running.delete(child);
    if (running.size === 0) for (const signal of ENDING_SIGNALS) process.off(signal, endAll);
  };
  child.once("exit", over);
  if (child.pid === undefined) over(); // it could not be started, as its event says
  return child;
}

function endAll(signal: EndingSignal): void {
  for (const { pid } of running) {
    try {
      process.kill(-pid!, "SIGTERM");
    } catch { /* it has ended, which is not told yet */ }
  }
  process.exit(BY_SIGNAL[signal]);
}
