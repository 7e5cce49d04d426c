// Reads ABI.md: the functions of its tables, and the names of abi.ts that its text uses.

export interface DocumentedFunction { params: number; result: string }

export interface AbiDocument {
  imports: Map<string, DocumentedFunction>;
  /** Exports of every profile: section 3. */
  common: Map<string, DocumentedFunction>;
  /** Exports of section 7 by the profile in which they begin; each profile has those of the ones before it. */
  verbs: Map<string, Map<string, DocumentedFunction>>;
  /** The functions on JSON texts that section 7 describes below its table and not in a row of it: every profile has them. */
  json: Map<string, DocumentedFunction>;
  /** Names in backticks that look like an enum, a member or a constant of abi.ts. */
  names: Set<string>;
  /** Names in backticks that are called: `poll()`. */
  called: Set<string>;
}

const SIGNATURE = /`([a-z][a-z0-9_]*)\(([^)]*)\)(?: -> (i32|i64))?`/g;

export function parseAbiDocument(text: string): AbiDocument {
  const document: AbiDocument = {
    imports: tableFunctions(section(text, "Imports")),
    common: tableFunctions(section(text, "Life of an instance")),
    verbs: new Map(), json: new Map(),
    names: new Set(), called: new Set(),
  };
  const sending = section(text, "Sending");
  let profile = "";
  for (const row of sending.split("\n").filter((line) => line.startsWith("|"))) {
    const cells = row.split("|").map((cell) => cell.trim());
    profile = cells[1] || profile;
    if (!/^[a-z]+$/.test(profile)) continue;
    const verbs = document.verbs.get(profile) ?? new Map<string, DocumentedFunction>();
    for (const [name, signature] of signatures(cells[2] ?? "")) verbs.set(name, signature);
    if (verbs.size > 0) document.verbs.set(profile, verbs);
  }
  const prose = sending.split("\n").filter((line) => !line.startsWith("|")).join("\n");
  const listed = new Set([...document.verbs.values()].flatMap((each) => [...each.keys()]));
  for (const [name, signature] of signatures(prose)) {
    if (name.startsWith("json_") && !listed.has(name)) document.json.set(name, signature);
  }
  // A row that promises something for a later version names what does not exist yet.
  const present = text.split("\n").filter((line) => !/^\|[^|]*later minor version/.test(line)).join("\n");
  for (const [, name] of present.matchAll(/`([A-Z][A-Za-z0-9_]*(?:\.[A-Z][A-Za-z0-9]*)?)`/g)) document.names.add(name!);
  for (const [, name] of present.matchAll(/`([a-z][a-z0-9_]*)\(/g)) document.called.add(name!);
  return document;
}

/** What a profile must export: minimal the common ones and its verbs, each later one those of the ones before as well. */
export function exportsOf(document: AbiDocument, profile: string): string[] {
  const order = [...document.verbs.keys()];
  const upTo = order.slice(0, order.indexOf(profile) + 1);
  if (upTo.length === 0) throw new Error(`ABI.md has no verbs for the profile ${profile}`);
  const verbs = upTo.flatMap((name) => [...document.verbs.get(name)!.keys()]);
  return [...document.common.keys(), ...verbs, ...document.json.keys()];
}

/** Every function that has a signature in the document. */
export function documentedFunctions(document: AbiDocument): Map<string, DocumentedFunction> {
  return new Map([...document.imports, ...document.common, ...document.json, ...[...document.verbs.values()].flatMap((each) => [...each])]);
}

/** Enum members and constants of abi.ts: `Status`, `Status.Ok`, `ABI_VERSION`. */
export function abiNames(source: string): { enums: Map<string, string[]>; constants: string[] } {
  const enums = new Map<string, string[]>();
  for (const [, name, body] of source.matchAll(/export const enum (\w+) \{([^}]*)\}/g)) {
    enums.set(name!, [...body!.matchAll(/^\s*(\w+) = /gm)].map(([, member]) => member!));
  }
  return { enums, constants: [...source.matchAll(/export const (\w+): i32/g)].map(([, name]) => name!) };
}

/** Functions that host.ts declares: name, parameters, result. */
export function hostFunctions(source: string): Map<string, DocumentedFunction> {
  const found = new Map<string, DocumentedFunction>();
  for (const [, name, params, result] of source.matchAll(/@external\("mote", "(\w+)"\)\s*export declare function \w+\(([^)]*)\): (\w+)/g)) {
    found.set(name!, { params: countParameters(params!), result: result === "void" ? "" : result! });
  }
  return found;
}

export function checkAbiDocument(documentText: string, abiSource: string, hostSource: string): string[] {
  const document = parseAbiDocument(documentText);
  const { enums, constants } = abiNames(abiSource);
  const members = new Set([...enums.values()].flat());
  const faults: string[] = [];
  for (const name of document.names) {
    const [first, second] = name.split(".") as [string, string | undefined];
    const known = second ? enums.get(first)?.includes(second) : enums.has(first) || members.has(first) || constants.includes(first);
    if (!known) faults.push(`ABI.md names ${name}, which abi.ts does not have`);
  }
  const functions = documentedFunctions(document);
  for (const name of document.called) if (!functions.has(name)) faults.push(`ABI.md calls ${name}(), which none of its tables has`);
  for (const [name, declared] of hostFunctions(hostSource)) {
    const documented = document.imports.get(name);
    if (!documented) faults.push(`host.ts declares ${name}, which ABI.md does not list`);
    else if (documented.params !== declared.params || documented.result !== declared.result) faults.push(`host.ts and ABI.md differ on ${name}`);
  }
  return faults;
}

function section(text: string, title: string): string {
  const found = new RegExp(`^## \\d+\\. ${title}$([^]*?)(?=^## |(?![^]))`, "m").exec(text);
  if (!found) throw new Error(`ABI.md has no section "${title}"`);
  return found[1]!;
}

/** Only the first function cell of each row counts: the others mention functions, they do not define them. */
function tableFunctions(text: string): Map<string, DocumentedFunction> {
  const found = new Map<string, DocumentedFunction>();
  for (const row of text.split("\n").filter((line) => line.startsWith("|"))) {
    const cell = row.split("|").map((each) => each.trim()).find((each) => each.startsWith("`"));
    for (const [name, signature] of signatures(cell ?? "")) found.set(name, signature);
  }
  return found;
}

function* signatures(text: string): Generator<[string, DocumentedFunction]> {
  for (const [, name, params, result] of text.matchAll(SIGNATURE)) {
    yield [name!, { params: countParameters(params!), result: result ?? "" }];
  }
}

function countParameters(params: string): number {
  return params.trim() === "" ? 0 : params.split(",").length;
}
