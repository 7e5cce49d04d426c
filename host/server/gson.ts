// How Gson reads a member as a text, a number or a flag: which wrong shapes are R2 and which are R4 (spec 2.0, 11.12).

import { type Json, JsonNumber } from "./json.ts";
import { UncheckedError, UnconvertibleError } from "./outcome.ts";
import { NumberTooLargeError, truncateDecimal } from "./values.ts";

/** getAsString: a number or a boolean is its text, an array of one is that one; absent, null and object are R4. */
export function readText(json: Json | undefined, name: string): string {
  return String(readPrimitive(json, name));
}

/** getAsBoolean: whatever is not true, in any case of letters, is false. */
export function readFlag(json: Json | undefined, name: string): boolean {
  return readText(json, name).toLowerCase() === "true";
}

/** getAsLong: a fraction is cut off, and of a number too large for 64 bits the low ones are left. */
export function readLong(json: Json | undefined, name: string): number {
  return Number(readInteger(json, name, 64));
}

/** getAsInt: the same in 32 bits. */
export function readInt(json: Json | undefined, name: string): number {
  return Number(readInteger(json, name, 32));
}

/** A text must be a whole number within the bits; what is no number is R4. */
function readInteger(json: Json | undefined, name: string, bits: number): bigint {
  const value = readPrimitive(json, name);
  if (value instanceof JsonNumber) return BigInt.asIntN(bits, truncate(value, name));
  const number = typeof value === "string" && /^[+-]?\d+$/.test(value) ? BigInt(value.replace("+", "")) : null;
  if (number === null || BigInt.asIntN(bits, number) !== number) throw new UncheckedError(`"${name}" is not a number`);
  return number;
}

function truncate({ text }: JsonNumber, name: string): bigint {
  try {
    return truncateDecimal(text);
  } catch (error) {
    throw error instanceof NumberTooLargeError ? new UncheckedError(`"${name}" is too large`) : error;
  }
}

function readPrimitive(json: Json | undefined, name: string): string | boolean | JsonNumber {
  if (Array.isArray(json)) {
    if (json.length !== 1) throw new UnconvertibleError(`"${name}" must not be an array`);
    return readPrimitive(json[0], name);
  }
  if (typeof json === "string" || typeof json === "boolean" || json instanceof JsonNumber) return json;
  throw new UncheckedError(`"${name}" is missing or no plain value`);
}
