// Compares what an app may import in ABI.md of assembly/app, in the declarations of AssemblyScript, and in the lists of the hosts.

import { APP_EXPORTS, APP_IMPORTS } from "../../host/app/verbs.ts";
import { abiNames } from "./abi-document.ts";

const LETTERS: Readonly<Record<string, string>> = { i32: "i", usize: "i", i64: "I", void: "v", "": "v" };

const formOf = (params: string[], result: string): string => `${LETTERS[result] ?? "?"}(${params.map((each) => LETTERS[each] ?? "?").join("")})`;
const split = (text: string): string[] => text.split(",").map((each) => each.trim()).filter((each) => each !== "");

/** Functions in the first cells of a section's rows; parameters are i32. */
export function documented(markdown: string, section: string): Map<string, string> {
  const text = new RegExp(`^## \\d+\\. ${section}$([^]*?)(?=^## |(?![^]))`, "m").exec(markdown)?.[1] ?? "";
  const cells = text.split("\n").filter((line) => line.startsWith("| `")).map((line) => line.split("|")[1]!);
  return new Map(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)\(([^)]*)\)(?: -> (i32|i64))?`/g)]
    .map(([, name, params, result]) => [name!, formOf(split(params!).map(() => "i32"), result ?? "")] as const)));
}

/** The imports that verbs.ts declares. */
export function declared(source: string): Map<string, string> {
  const pattern = /@external\("mote", "(\w+)"\)\s*export declare function \w+\(([^)]*)\): (\w+)/g;
  return new Map([...source.matchAll(pattern)].map(([, name, params, result]) => [name!, formOf(split(params!).map((each) => each.split(": ")[1]!), result!)]));
}

/** The imports that the C host lists: X(name, "i(ii)", ...). */
export function listed(source: string): Map<string, string> {
  return new Map([...source.matchAll(/\bX\((\w+), "([^"]+)"/g)].map(([, name, form]) => [name!, form!]));
}

export function checkAppDocument(markdown: string, abiSource: string, verbs: string, header: string): string[] {
  const expected = new Map(Object.entries(APP_IMPORTS));
  const faults = [
    ...differences("ABI.md", documented(markdown, "Imports"), expected),
    ...differences("verbs.ts", declared(verbs), expected),
    ...(header === "" ? [] : differences("app_verbs.h", listed(header), expected)),
    ...differences("ABI.md", documented(markdown, "Exports"), new Map(Object.entries(APP_EXPORTS))),
  ];
  const { enums, constants } = abiNames(abiSource);
  const known = new Set([...enums.keys(), ...[...enums.values()].flat(), ...constants]);
  for (const [, name] of markdown.matchAll(/`([A-Z][A-Za-z0-9_]*)`/g)) if (!known.has(name!)) faults.push(`ABI.md names ${name}, which abi.ts does not have`);
  return faults;
}

function differences(place: string, found: Map<string, string>, expected: Map<string, string>): string[] {
  return [...new Set([...found.keys(), ...expected.keys()])].filter((name) => found.get(name) !== expected.get(name))
    .map((name) => `${place} has ${name} as ${found.get(name) ?? "nothing"}, host/app/verbs.ts as ${expected.get(name) ?? "nothing"}`);
}
