// Finds the vector files.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseVectors, type Vector } from "./parse.ts";

export const VECTORS = fileURLToPath(new URL(".", import.meta.url));

export function vectorFiles(): string[] {
  return (readdirSync(VECTORS, { recursive: true }) as string[]).filter((name) => name.endsWith(".md")).sort();
}

export function readVectors(): Vector[] {
  return vectorFiles().flatMap((name) => parseVectors(`tests/vectors/${name}`, readFileSync(join(VECTORS, name), "utf8")));
}
