// Runs a program of tests to its end, or until its time is up.

import { spawnWithMe } from "../host/tools/children.ts";

/** `exitCode` is null when it was ended or could not be run. */
export interface Ending { readonly output: string; readonly exitCode: number | null }

export function runProgram(command: string, words: string[], folder: string, patienceMs: number): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawnWithMe(command, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const end = (exitCode: number | null, text: string): void => {
      clearTimeout(timer);
      resolve({ output: output + text, exitCode });
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      // Its output may stay open as long as whatever it has started.
      for (const stream of [child.stdout!, child.stderr!]) stream.destroy();
      end(null, `\nended after ${patienceMs / 1000} s\n`);
    }, patienceMs);
    child.on("error", (error) => end(null, error.message));
    child.on("close", (code) => end(code, ""));
  });
}
