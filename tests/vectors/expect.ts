// Asserts that what the vectors expect does not come from this project: hex blocks against mqtt-packet, JSON answers against JSON.parse.
//
//   node --import tsx tests/vectors/expect.ts --write     adds the hex below each packet that a device sends and that is short

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { vectorFiles, VECTORS } from "./files.ts";
import { encodeGloss } from "./gloss.ts";
import { parseVectors, type Line, type Step } from "./parse.ts";
import { cutWords, hexOf } from "./words.ts";

/** Longer packets would hide the page. */
const SHOWN_BYTES_MAX = 48;
const FAULTS = ["MoreBytes", "Malformed", "InvalidUtf8", "InvalidNumber", "TooDeep", "NotInProfile"];

/** Every place of a file where the expectation differs from the independent source. */
export function checkExpectations(file: string, markdown: string): string[] {
  const faults: string[] = [];
  for (const vector of parseVectors(file, markdown)) {
    for (const step of vector.steps) {
      for (const line of [step.input, ...step.also, ...step.expected]) {
        if (isPacket(line) && line.hex && line.text && hexOf(encodeGloss(line.text)) !== line.hex) {
          faults.push(`${file}:${line.number}: the hex is not what mqtt-packet writes: ${hexOf(encodeGloss(line.text))}`);
        }
      }
      const fault = checkJson(step);
      if (fault) faults.push(`${file}:${step.input.number}: ${fault}`);
    }
  }
  return faults;
}

function isPacket(line: Line): boolean {
  return (line.keyword === "device sends" || line.keyword === "server sends" || line.keyword === "and") && !/^(hex|part) /.test(line.text) && !/(id |\/)[A-Z]\b/.test(line.text);
}

/** `jsonFind` against JSON.parse and a walk along the path; `jsonText` against JSON.parse of the string. */
function checkJson(step: Step): string | undefined {
  const [verb, document, second] = cutWords(step.input.text);
  const answer = step.expected.find((line) => line.keyword === "answer")?.text ?? "";
  if (step.input.keyword !== "device" || !document || !second) return undefined;
  if (verb?.raw === "jsonText") {
    const expected = parse(Buffer.concat([Buffer.from('"'), document.value, Buffer.from('"')]));
    const isRefusal = !answer.startsWith('"') && !answer.startsWith("hex(");
    if (isRefusal) return undefined;
    return expected !== undefined && cutWords(answer)[0]!.value.equals(Buffer.from(expected.value as string)) ? undefined : `JSON.parse gives ${JSON.stringify(expected?.value)}, not ${answer}`;
  }
  if (verb?.raw !== "jsonFind") return undefined;
  const parsed = parse(document.value);
  if (!parsed) return FAULTS.includes(answer) ? undefined : `JSON.parse refuses it, so ${answer} cannot be`;
  if (answer === "TooDeep") return depth(parsed.value) > 32 ? undefined : "it is not deeper than 32";
  const value = walk(parsed.value, second.value.toString());
  return agrees(answer, value) ? undefined : `JSON.parse finds ${JSON.stringify(value)}, not ${answer}`;
}

function parse(bytes: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) };
  } catch {
    return undefined;
  }
}

function walk(value: unknown, path: string): unknown {
  if (path === "") return value;
  return path.split(".").reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return /^\d+$/.test(step) ? at[Number(step)] : undefined;
    return typeof at === "object" && at !== null && Object.hasOwn(at, step) ? (at as Record<string, unknown>)[step] : undefined;
  }, value);
}

function depth(value: unknown): number {
  return typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
}

function agrees(answer: string, value: unknown): boolean {
  const [type, ...rest] = cutWords(answer);
  const text = rest[0]?.value.toString() ?? "";
  switch (type?.raw) {
    case "NotFound": return value === undefined;
    case "Null": return value === null;
    case "True": return value === true;
    case "False": return value === false;
    case "Number": return Number(rest[0]?.raw) === value;
    case "Text": return JSON.parse(`"${text}"`) === value;
    case "Object": case "Array": return isDeepStrictEqual(JSON.parse(text), value);
  }
  return false;
}

/** Puts the hex below each short packet that a device sends. */
export function addHex(file: string, markdown: string): string {
  const lines = markdown.split("\n");
  const added = new Map<number, string>();
  for (const vector of parseVectors(file, markdown)) {
    for (const line of vector.steps.flatMap((step) => step.expected)) {
      if (!isPacket(line) || line.hex || !line.text) continue;
      const bytes = encodeGloss(line.text);
      if (bytes.length <= SHOWN_BYTES_MAX) added.set(line.number, `  ${hexOf(bytes)}`);
    }
  }
  return lines.flatMap((line, index) => (added.has(index + 1) ? [line, added.get(index + 1)!] : [line])).join("\n");
}

if (process.argv.includes("--write")) {
  for (const name of vectorFiles()) {
    const path = join(VECTORS, name);
    const markdown = readFileSync(path, "utf8");
    writeFileSync(path, addHex(name, markdown));
  }
}
