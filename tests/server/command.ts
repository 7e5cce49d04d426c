// Runs a command and collects what it writes.

import { spawn } from "node:child_process";
import { once } from "node:events";

export async function run(command: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}
