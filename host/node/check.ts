// Checks of what callers pass where JavaScript has no types: what is not as documented is refused by its name, not bent into something else.

import { Status } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";
import type { Claim, PublishOptions } from "./options.ts";
import type { SubscribeOptions } from "./subscription.ts";

/** What a timer of Node takes, and 32 bits. */
export const INTEGER_MAX = 2 ** 31 - 1;
/** The longest that the module waits for an answer: a day. */
export const TIMEOUT_MS_MAX = 86_400_000;

/** Whether a string is text: half of a surrogate pair would become U+FFFD without a word. */
export function isText(string: string): boolean {
  return !/\p{Surrogate}/u.test(string);
}

/** What is wrong with a text that names something outside; U+0000 ends a text in C. */
export function faultOfText(text: string): number {
  if (!isText(text)) return Status.InvalidUtf8;
  return text === "" || text.includes("\0") ? Status.InvalidValue : Status.Ok;
}

type Range = readonly [least: number, most: number];

/** Whole numbers, each in its range, or absent. The error names the first that is not, with the limit that it passed. */
export function checkIntegers<Values extends object>(doing: string, values: Values, ranges: { readonly [Name in keyof Values]?: Range }): void {
  for (const [name, [least, most]] of Object.entries(ranges) as [string, Range][]) {
    const value = (values as Readonly<Record<string, unknown>>)[name];
    const isIt = typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
    if (value !== undefined && !isIt) throw errorOf(Status.InvalidValue, doing, { text: name, value: typeof value === "number" && value < least ? least : most });
  }
}

/** One of a few words, or absent. */
export function checkWord(doing: string, name: string, value: unknown, words: readonly string[]): void {
  if (value !== undefined && !words.includes(value as string)) throw errorOf(Status.InvalidValue, doing, { text: name });
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** An object of options, whose signal can be listened to. */
export function checkOptions(doing: string, options: object): void {
  if (typeof options !== "object" || options === null) throw errorOf(Status.InvalidValue, doing, { text: "options" });
  const { signal } = options as Options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw errorOf(Status.InvalidValue, doing, { text: "signal" });
}

/** The signal of options, which has not aborted yet; throws its reason when it has. */
export function checkedSignal(doing: string, options: Options): AbortSignal | undefined {
  checkOptions(doing, options);
  options.signal?.throwIfAborted();
  return options.signal;
}

export function checkText(doing: string, name: string, value: unknown): void {
  if (typeof value !== "string") throw errorOf(Status.InvalidValue, doing, { text: name });
}

/** A list of texts, or absent. */
export function checkTexts(doing: string, name: string, values: unknown): void {
  if (values === undefined) return;
  if (!Array.isArray(values)) throw errorOf(Status.InvalidValue, doing, { text: name });
  for (const value of values) checkText(doing, name, value);
}

/** A function, or absent. */
export function checkFunction(doing: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") throw errorOf(Status.InvalidValue, doing, { text: name });
}

const QOS: Range = [0, 1];
export const WHEN_FULL = ["wait", "reject"] as const;

export function checkPublish(doing: string, options: PublishOptions): void {
  checkOptions(doing, options);
  checkFunction(doing, "onAppended", options.onAppended);
  checkIntegers(doing, options, { qos: QOS });
  checkWord(doing, "whenFull", options.whenFull, WHEN_FULL);
  if (options.retain !== undefined && typeof options.retain !== "boolean") throw errorOf(Status.InvalidValue, doing, { text: "retain" });
}

/** What a claim says to the server: a duration that is left out is the server's own. */
export function checkedClaim(doing: string, claim: Claim): { readonly secretKey: string | undefined; readonly durationMs: number | undefined } {
  if (typeof claim !== "object" || claim === null) throw errorOf(Status.InvalidValue, doing, { text: "claim" });
  checkIntegers(doing, claim, { durationMs: [0, Number.MAX_SAFE_INTEGER] });
  return { secretKey: claim.secretKey, durationMs: claim.durationMs || undefined };
}

export function checkSubscribe(filter: string, options: SubscribeOptions & { readonly partsMax?: number | undefined }): void {
  checkText("subscribe", "filter", filter);
  const doing = `subscribe to ${filter}`;
  checkedSignal(doing, options);
  checkIntegers(doing, options, { qos: QOS, messageBytesMax: [0, INTEGER_MAX], queueMessages: [0, INTEGER_MAX], partsMax: [1, INTEGER_MAX] });
}
