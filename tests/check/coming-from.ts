// Holds host/coming-from.md against what it names: calls of each face, keys, events, and the tests that show each of them.

import { dirname, join, normalize } from "node:path";
import { screaming, shownBy, type Shown } from "./shown-by.ts";
import type { Sources } from "./sources.ts";

const DOCUMENT = "host/coming-from.md";
const HEADERS = ["mote.h", "mote_app.h", "mote_port.h"].map((name) => `host/c/include/${name}`).concat("host/c/ports/posix/mote_posix.h");
/** Columns of a table of methods. */
const [C, ASSEMBLYSCRIPT, TYPESCRIPT] = [1, 2, 3] as const;

interface Row { readonly line: number; readonly cells: readonly string[]; readonly isMethod: boolean }

export function checkComingFrom(sources: Sources): string[] {
  const text = sources.get(DOCUMENT) ?? "";
  const rows = rowsOf(text);
  if (rows.length === 0) return [`${DOCUMENT} has no table`];
  const known = namesOf(sources);
  const labels = labelsOf(text);
  const faults: string[] = [];
  const fault = (line: number, what: string): void => void faults.push(`${DOCUMENT}:${line} ${what}`);
  for (const { line, cells, isMethod } of rows) {
    cells.forEach((cell, column) => { if (cell === "") fault(line, `has no cell ${column + 1}`); });
    if (!/\]\[/.test(cells.at(-1) ?? "")) fault(line, "names no test");
    if (!isMethod) continue;
    if (cells.length !== 5) fault(line, `has ${cells.length} cells`);
    for (const [column, find] of [[C, missingInC], [ASSEMBLYSCRIPT, missingInApp], [TYPESCRIPT, missingInNode]] as const) {
      for (const span of spansOf(cells[column] ?? "")) for (const name of find(span, known)) fault(line, `names ${name}, which does not exist`);
    }
    const tests = linksOf(cells.at(-1) ?? "").flatMap(([title, label]) => shownBy(labels.get(label) ?? "", title, sources) ?? []);
    for (const column of [C, ASSEMBLYSCRIPT, TYPESCRIPT] as const) {
      for (const span of spansOf(cells[column] ?? "")) if (!tests.some((shown) => isShown(column, span, shown))) fault(line, `names ${span}, which none of its tests shows`);
    }
  }
  return [...faults, ...linkFaults(text, sources)];
}

function rowsOf(text: string): Row[] {
  let isMethod = false;
  return text.split("\n").flatMap((line, index): Row[] => {
    if (!line.startsWith("| ")) return [];
    const cells = line.replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
    if (cells[0] === "there") {
      isMethod = cells.includes("TypeScript");
      return [];
    }
    return [{ line: index + 1, cells, isMethod }];
  });
}

const spansOf = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, span]) => span!);
const wordsOf = (text: string): Set<string> => new Set(text.match(/\w+/g));

interface Names {
  /** Words of the headers and of the document of the configuration. */
  readonly c: ReadonlySet<string>;
  readonly app: ReadonlySet<string>;
  readonly abi: ReadonlySet<string>;
  readonly node: ReadonlySet<string>;
}

function namesOf(sources: Sources): Names {
  const read = (path: string): string => sources.get(path) ?? "";
  const abi = read("assembly/abi.ts");
  // The names of abi.ts in C, as host/tools/generate-abi.ts writes them.
  const constants = [...abi.matchAll(/export const enum (\w+) \{([^]*?)\n\}/g)].flatMap(([, group, body]) =>
    [...body!.matchAll(/^ {2}(\w+)/gm)].map(([, member]) => `MOTE_${screaming(group!.replace(/Kind$/, ""))}_${screaming(member!)}`));
  return {
    c: new Set([...HEADERS.flatMap((path) => [...wordsOf(read(path))]), ...wordsOf(read("assembly/ABI.md")), ...constants]),
    app: wordsOf([...read("assembly/app/index.ts").matchAll(/export \{([^}]*)\}/g)].map(([, names]) => names).join(" ")),
    abi: wordsOf(abi),
    node: exportedByNode(sources),
  };
}

/** What the package exports, and the public members of its classes and records. */
function exportedByNode(sources: Sources): Set<string> {
  const names = new Set<string>();
  const index = sources.get("host/node/index.ts") ?? "";
  for (const [, list, file] of index.matchAll(/export (?:type )?(\*|\{[^}]*\}) from "\.\/([^"]+)"/g)) {
    const text = sources.get(`host/node/${file}`) ?? "";
    for (const word of wordsOf(list!)) names.add(word);
    if (list === "*") for (const [, name] of text.matchAll(/^export (?:class|function) (\w+)/gm)) names.add(name!);
    for (const [, name] of text.matchAll(/^ {2}(?:(?:static|override|async|readonly|get) )*\*?([a-z]\w*)(?:<[^>(]*>)?[?(:]/gm)) names.add(name!);
    // Kinds of events are texts.
    for (const [, kinds] of text.matchAll(/readonly type: ([^;}]+)/g)) for (const word of wordsOf(kinds!)) names.add(word);
  }
  return names;
}

function missingInC(span: string, { c }: Names): string[] {
  return (span.match(/\w+/g) ?? []).filter((word) => /^(mote|MOTE)_|_/.test(word) && !c.has(word)).concat(calls(span).filter((name) => !c.has(name)));
}

function missingInApp(span: string, { app, abi }: Names): string[] {
  const members = [...span.matchAll(/\b(EventKind|AppPublish|Status|OtaKind)\.(\w+)/g)];
  return [...calls(span).filter((name) => !app.has(name)), ...members.filter(([, group, name]) => !app.has(group!) || !abi.has(name!)).map(([whole]) => whole)];
}

function missingInNode(span: string, { node, c }: Names): string[] {
  const members = [...span.matchAll(/\.([a-z]\w*)/g)].map(([, name]) => name!);
  const classes = (span.match(/\b[A-Z]\w+/g) ?? []).filter((name) => name !== "NotInProfile");
  const keys = (span.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? []).filter((key) => !node.has(key) && !c.has(key));
  return [...calls(span).filter((name) => !node.has(name)), ...[...members, ...classes].filter((name) => !node.has(name)), ...keys];
}

const calls = (span: string): string[] => [...span.matchAll(/\b(\w+)\(/g)].map(([, name]) => name!);

const FACES = { [C]: isShownInC, [ASSEMBLYSCRIPT]: isShownInApp, [TYPESCRIPT]: isShownInNode };
export const isShown = (column: keyof typeof FACES, span: string, shown: Shown): boolean => FACES[column](span, shown);
const hasWord = (text: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(text);
/** Functions, constants and types by their names; keys where the configuration of the test has them. */
function isShownInC(span: string, { c, itself }: Shown): boolean {
  return hasWord(isKey(span) ? itself + c : c, /\w+/.exec(span)![0]);
}

/** Calls and members of groups; what a command of the shell says is not looked for. */
function isShownInApp(span: string, { app }: Shown): boolean {
  if (span.includes(" ")) return true;
  const [call] = calls(span);
  return call === undefined ? hasWord(app, span) : new RegExp(`\\b${call}\\(`).test(app);
}

function isShownInNode(span: string, { node, itself }: Shown): boolean {
  if (isKey(span)) return hasWord(itself, span);
  const [call] = calls(span);
  const member = /\.(\w+)(?:\(\))?$/.exec(span)?.[1];
  if (member !== undefined) return new RegExp(`\\.${member}\\b${call === undefined ? "" : "(?:<[^(]*>)?\\("}`).test(node);
  return (span.match(/\w+/g) ?? []).every((word) => hasWord(node, word));
}

const isKey = (span: string): boolean => /^(?:[a-z]+(?:_[a-z]+)+|qos|tls|ca|rpc|provision|password|gateway)$/.test(span);

export const linksOf = (text: string): [title: string, label: string][] => [...text.matchAll(/\[([^\]]+)\]\[([\w-]+)\]/g)].map(([, title, label]) => [title!, label!]);
const target = (path: string): string => normalize(join(dirname(DOCUMENT), path)).replaceAll("\\", "/");
export const labelsOf = (text: string): Map<string, string> => new Map([...text.matchAll(/^\[([\w-]+)\]: (\S+)$/gm)].map(([, label, path]) => [label!, target(path!)] as const));

/** Every link leads to a file, and one that names a test to that test. */
function linkFaults(text: string, sources: Sources): string[] {
  const labels = labelsOf(text);
  const faults: string[] = [];
  for (const [, path] of text.matchAll(/\]\(([^)#]+)\)/g)) if (!sources.has(target(path!))) faults.push(`${DOCUMENT} leads to ${path}, which is not there`);
  for (const [label, path] of labels) if (!sources.has(path)) faults.push(`${DOCUMENT} leads to ${path} by ${label}, which is not there`);
  for (const [title, label] of linksOf(text)) {
    const path = labels.get(label);
    if (path === undefined) faults.push(`${DOCUMENT} does not say what ${label} is`);
    else if (sources.has(path) && shownBy(path, title, sources) === null) faults.push(`${path} has no test "${title}", which ${DOCUMENT} names`);
  }
  return faults;
}
