// Casts JSON members to ThingsBoard's five value types and prints them back the way the Java server does (spec 2.1, 2.5, 11.14).

import { type Json, JsonNumber, parseJson, printJson, printString, toPlain } from "./json.ts";

export type Value =
  | { readonly type: "long"; readonly value: bigint }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "json"; readonly text: string };

export class NumberTooLargeError extends Error {}

const longMin = -(2n ** 63n);
const longMax = 2n ** 63n - 1n;
/** Decimals above this count are kept as text, counted as written (spec 11.14). */
const maxDecimals = 16;
/** Gson refuses wider numbers; it also keeps "1e999999999" from filling memory here. */
const maxNumberScale = 10_000;

/** A device's member: numbers in strings are cast; null means "skip this key" (spec 2.1). */
export function castDeviceMember(json: Json): Value | null {
  return castMember(json, castRuleEngineNumber);
}

/** A REST caller's member is cast by the same code, and no rule engine reads it again. */
export function castRestMember(json: Json): Value | null {
  return castMember(json, castNumber);
}

function castMember(json: Json, cast: (text: string) => Value): Value | null {
  if (json === null) return null;
  if (typeof json === "boolean") return { type: "boolean", value: json };
  if (typeof json === "string") return castText(json, cast);
  if (json instanceof JsonNumber) return cast(json.text);
  return { type: "json", text: printJson(json) };
}

function castText(text: string, cast: (text: string) => Value): Value {
  if (!/^-?\d*\.?\d+$/.test(text)) return { type: "string", value: text };
  try {
    return cast(text);
  } catch {
    return { type: "string", value: text };
  }
}

/** The rule engine reads Java's own text again, so "20000000.0", printed 2.0E7, ends as a long (spec 11.14). */
function castRuleEngineNumber(text: string): Value {
  const cast = castNumber(text);
  const isReadAgain = cast.type === "double" && Math.abs(cast.value) >= 1e7 && Number.isInteger(cast.value);
  return isReadAgain ? castNumber(printDouble(cast.value)) : cast;
}

function castNumber(text: string): Value {
  const decimal = readDecimal(text);
  const isPlainFraction = text.includes(".") && !/e/i.test(text);
  if (!isPlainFraction && /^0*$/.test(decimal.fraction)) {
    const whole = printWhole(decimal);
    // More than 19 digits are no long, and may be too many to be looked at as a number.
    const value = decimal.whole.length <= 19 ? BigInt(whole) : null;
    return value !== null && isLong(value) ? { type: "long", value } : { type: "string", value: whole };
  }
  const value = Number(text);
  if (decimal.fraction.length > maxDecimals || !Number.isFinite(value)) return { type: "string", value: printPlain(decimal) };
  return { type: "double", value: value === 0 ? 0 : value };
}

/** A number in plain digits, without an exponent. */
interface Decimal {
  readonly isNegative: boolean;
  /** Without leading zeros; empty below 1. */
  readonly whole: string;
  /** As many digits as were written, zeros too. */
  readonly fraction: string;
}

function readDecimal(text: string): Decimal {
  const [, sign, before = "", after = "", exponent = "0"] = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const scale = after.length - Number(exponent);
  if (text.length > maxNumberScale || Math.abs(scale) >= maxNumberScale) throw new NumberTooLargeError(`the number ${text.slice(0, 40)} is too large`);
  const digits = (before + after).replace(/^0+/, "");
  const isNegative = sign === "-" && digits !== "";
  if (scale <= 0) return { isNegative, whole: digits && digits + "0".repeat(-scale), fraction: "" };
  return { isNegative, whole: digits.slice(0, -scale), fraction: digits.padStart(scale, "0").slice(-scale) };
}

function printWhole({ isNegative, whole }: Decimal): string {
  return whole === "" ? "0" : `${isNegative ? "-" : ""}${whole}`;
}

function printPlain({ isNegative, whole, fraction }: Decimal): string {
  return `${isNegative ? "-" : ""}${whole || "0"}${fraction && `.${fraction}`}`;
}

/** The number without its fraction, as far as its lowest digits tell the lowest 64 bits: 10^64 has none of them. */
export function truncateDecimal(text: string): bigint {
  const decimal = readDecimal(text);
  return decimal.whole.endsWith("0".repeat(64)) ? 0n : BigInt(printWhole(decimal));
}

export function isLong(value: bigint): boolean {
  return value >= longMin && value <= longMax;
}

/** Java's Double.toString: plain from 10^-3 up to 10^7, else "1.0E-5"; always with a decimal. */
export function printDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa = "", exponentText = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(exponentText);
  const sign = value < 0 ? "-" : "";
  if (exponent < -3 || exponent >= 7) return `${sign}${digits[0]}.${digits.slice(1) || "0"}E${exponent}`;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const padded = digits.padEnd(exponent + 1, "0");
  return `${sign}${padded.slice(0, exponent + 1)}.${padded.slice(exponent + 1) || "0"}`;
}

/** As the server's REST side prints JSON it has read: a number with a point or an exponent is a double. */
export function printRestJson(json: Json): string {
  const isDouble = (text: string): boolean => /[.eE]/.test(text) && Number.isFinite(Number(text));
  return printJson(json, (text) => (isDouble(text) ? printDouble(Number(text)) : text));
}

/** The value as JSON text. */
export function printValue(value: Value): string {
  return value.type === "string" ? printString(value.value) : valueText(value);
}

/** The value as bare text, as REST shows time series by default. */
export function valueText(value: Value): string {
  if (value.type === "json") return value.text;
  return value.type === "double" ? printDouble(value.value) : String(value.value);
}

/** An ordinary JavaScript value; a long beyond 2^53 stays a bigint. */
export function plainValue(value: Value): unknown {
  if (value.type === "json") return toPlain(parseJson(value.text));
  if (value.type !== "long") return value.value;
  const number = Number(value.value);
  return Number.isSafeInteger(number) ? number : value.value;
}
