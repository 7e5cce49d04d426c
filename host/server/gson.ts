// How Gson reads a member as a text or a whole number: which wrong shapes are R2 and which are R4 (spec 2.0, 11.12).

import { type Json, JsonNumber } from "./json.ts";
import { UncheckedError, UnconvertibleError } from "./outcome.ts";

/** getAsString: a number or a boolean is its text, an array of one is that one; absent, null and object are R4. */
export function readText(json: Json | undefined, name: string): string {
  const value = unwrap(json, name);
  if (typeof value === "string") return value;
  if (value instanceof JsonNumber) return value.text;
  if (typeof value === "boolean") return String(value);
  throw new UncheckedError(`"${name}" is no text`);
}

/** getAsLong: a numeric text counts and a fraction is cut off; anything else is R4. */
export function readLong(json: Json | undefined, name: string): number {
  const value = unwrap(json, name);
  if (value instanceof JsonNumber) return Math.trunc(Number(value.text));
  if (typeof value === "string" && /^[+-]?\d+$/.test(value)) return Number(value);
  throw new UncheckedError(`"${name}" is not a number`);
}

function unwrap(json: Json | undefined, name: string): Json | undefined {
  if (!Array.isArray(json)) return json;
  if (json.length === 1) return unwrap(json[0], name);
  throw new UnconvertibleError(`"${name}" must not be an array`);
}
