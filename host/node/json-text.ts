// Takes ready JSON text apart without reading its values, so that numbers stay as they are written.

import { Status } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";
import { JsonText, type Entry, type MessageValues } from "./values.ts";

/** The members of an object, each value as it is written. */
export function membersOf(json: JsonText): MessageValues {
  return Object.fromEntries(parts(check(json.text), "{").map((part): [string, JsonText] => {
    const end = stringEnd(part, 0);
    return [JSON.parse(part.slice(0, end)) as string, new JsonText(part.slice(part.indexOf(":", end) + 1).trim())];
  }));
}

/** The text of an object with `{}` in place of the values of these members, and all else as it is written. */
export function withoutValues(text: string, names: readonly string[]): string {
  const members = parts(text, "{").map((part) => {
    const key = part.slice(0, stringEnd(part, 0));
    return names.includes(JSON.parse(key) as string) ? `${key}:{}` : part;
  });
  return `{${members.join(",")}}`;
}

/** The first member of an object that stands there twice: JSON.parse takes the later one without a word. Null for none. */
export function repeatedMember(text: string): string | null {
  const seen = new Set<string>();
  for (const part of parts(text, "{")) {
    const name = JSON.parse(part.slice(0, stringEnd(part, 0))) as string;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

/** The entries of telemetry: of an object, or of a list of them. */
export function entriesOf(json: JsonText): Entry[] {
  const text = check(json.text).trim();
  const objects = text.startsWith("[") ? parts(text, "[") : [text];
  return objects.map((object) => {
    const members = membersOf(new JsonText(object));
    const { ts, values, metadata } = members as { ts?: JsonText; values?: JsonText; metadata?: JsonText };
    const isTimed = ts !== undefined && /^-?\d+$/.test(ts.text) && values?.text.startsWith("{");
    if (!isTimed || Object.keys(members).length !== (metadata === undefined ? 2 : 3)) return members;
    return { ts: BigInt(ts.text), values: membersOf(values!), ...(metadata && { metadata }) };
  });
}

function check(text: string): string {
  if (typeof text !== "string") throw errorOf(Status.InvalidValue, "message", { text: "not a text" });
  try {
    JSON.parse(text);
  } catch (cause) {
    throw errorOf(Status.Malformed, "message", { cause });
  }
  return text;
}

/** What stands between the commas of the outermost value, which opens with `bracket`. */
function parts(text: string, bracket: "{" | "["): string[] {
  const inner = text.trim();
  if (!inner.startsWith(bracket)) throw errorOf(Status.InvalidValue, "message", { text: "not an object" });
  const found: string[] = [];
  let depth = 0;
  let begin = 1;
  for (let at = 0; at < inner.length; at++) {
    const character = inner[at]!;
    if (character === '"') at = stringEnd(inner, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    const isEnd = depth === 0 && at > 0;
    if (!isEnd && !(character === "," && depth === 1)) continue;
    const part = inner.slice(begin, at).trim();
    if (part !== "") found.push(part);
    begin = at + 1;
  }
  return found;
}

/** Behind the closing quote of the string that begins here. */
function stringEnd(text: string, at: number): number {
  for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
  return at + 1;
}
