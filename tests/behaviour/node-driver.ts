// tests/c/driver.c as a program on V8: commands come in by the standard input, lines go out by the standard output.

import { createInterface } from "node:readline";
import { NodeClient } from "./node-client.ts";

const client = new NodeClient((line) => process.stdout.write(`${JSON.stringify(line)}\n`));
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "quit") break;
  if (line !== "") client.run(line);
}
client.end();
