// Says where what happened differs from what a vector expects.

import { encodeGloss } from "./gloss.ts";
import type { Line } from "./parse.ts";
import { hexOf } from "./words.ts";

/** Something the device did, as the log has it. */
export interface Output {
  text: string;
  bytes: Buffer | undefined;
  /** What the image slot took; pieces that follow each other count as one. */
  taken?: Uint8Array;
}

/** Puts the numbers in place of the letters that stand for ids. */
export function bind(text: string, ids: Map<string, string>): string {
  return text.replace(/\bid ([A-Z])\b/g, (_, letter: string) => `id ${ids.get(letter) ?? "1"}`).replace(/\/([A-Z])"/g, (found, letter: string) => (ids.has(letter) ? `/${ids.get(letter)}"` : found));
}

/** Undefined when the outputs are those expected; letters for ids are bound on the way. */
export function compare(expected: Line[], outputs: Output[], ids: Map<string, string>): string | undefined {
  const wanted = expected.map(canonical);
  const matches = wanted.length === outputs.length && wanted.every((text, index) => matchOne(text, expected[index]!, outputs[index]!, ids));
  if (matches) return undefined;
  const show = (texts: string[]): string => texts.map((text) => `    ${text}\n`).join("") || "    (nothing)\n";
  const actual = outputs.map((each) => each.text + (each.bytes && each.bytes.length <= 64 ? `\n        ${hexOf(each.bytes)}` : ""));
  return `  expected:\n${show(wanted)}  happened:\n${show(actual)}`;
}

function canonical(expected: Line): string {
  if (expected.keyword === "device closes") return "device closes:";
  // Long repetitions have one spelling, the short one.
  const text = expected.text.replace(/"((.)\2{40,})"/g, (_, run: string, character: string) => `${run.length} x "${character}"`);
  return `${expected.keyword}: ${text || `hex ${expected.hex}`}`;
}

function matchOne(wanted: string, expected: Line, actual: Output, ids: Map<string, string>): boolean {
  const letters: string[] = [];
  const pattern = wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/((?:\bid |^answer: |^event: \w+ |\/))([A-Z])(?=$|[ "\\])/g, (_, before: string, letter: string) => {
    if (ids.has(letter)) return `${before}${ids.get(letter)}`;
    letters.push(letter);
    return `${before}(\\d+)`;
  });
  // How many bytes are missing is part of the expectation only where the vector says it.
  const text = /, value /.test(wanted) ? actual.text : actual.text.replace(/, value -?\d+$/, "");
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (found) letters.forEach((letter, index) => ids.set(letter, found[index + 1]!));
  if (!actual.bytes || expected.keyword !== "device sends") return found !== null;
  // The bytes decide: they come from the hex of the file or from mqtt-packet, not from how the gloss is spelt.
  const gloss = expected.text ? bind(expected.text, ids) : `hex ${expected.hex}`;
  return (found !== null || letters.length === 0) && encodeGloss(gloss).equals(actual.bytes);
}
