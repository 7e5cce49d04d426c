// Writes the numbers of assembly/abi.ts in C and in plain TypeScript, so that no number stands twice.
//
//   node --import tsx host/tools/generate-abi.ts            writes build/generated/mote_abi.h and build/generated/abi.ts
//   node --import tsx host/tools/generate-abi.ts --check    exits 1 when one of them is missing or stale

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ensureWritable } from "./writable.ts";

export interface Constant { name: string; value: number; doc: string }
export interface Enumeration { name: string; doc: string; members: Constant[] }
export interface Abi { constants: Constant[]; enumerations: Enumeration[] }

/** Enumerations whose C prefix is shorter than their name. */
const C_PREFIXES: Record<string, string> = { EventKind: "EVENT" };

/** Enumerations whose names and texts hosts print. */
const NAMED = ["Status", "State", "EventKind", "ReturnCode", "JsonType"];

/** Reads the fixed form that the header of abi.ts describes; whatever else stands there is an error, never skipped. */
export function parseAbi(source: string): Abi {
  const abi: Abi = { constants: [], enumerations: [] };
  let doc = "";
  let open: Enumeration | null = null;
  source.split("\n").forEach((line, index) => {
    const text = line.trim();
    const fail = (why: string): never => { throw new Error(`assembly/abi.ts:${index + 1}: ${why}: ${text}`); };
    let match: RegExpMatchArray | null;
    if (text === "") return;
    if ((match = text.match(/^\/\*\* (.*) \*\/$/))) { doc = match[1]!; return; }
    if (text.startsWith("//")) { if (open) doc = text.slice(2).trim(); return; }
    if (open) {
      if (text === "}") { open = null; doc = ""; return; }
      if (!(match = text.match(/^(\w+) = (-?\d+), ?(?:\/\/ (.*))?$/))) return fail("not `Name = number, // comment`");
      const member = { name: match[1]!, value: Number(match[2]), doc: match[3] ?? doc };
      if (member.doc === "") fail("no comment");
      if (open.members.some((other) => other.name === member.name)) fail("name stands twice");
      open.members.push(member);
      doc = "";
    } else if ((match = text.match(/^export const enum (\w+) \{$/))) {
      open = { name: match[1]!, doc, members: [] };
      abi.enumerations.push(open);
      doc = "";
    } else if ((match = text.match(/^export const (\w+): i32 = (-?\d+);$/))) {
      abi.constants.push({ name: match[1]!, value: Number(match[2]), doc });
      doc = "";
    } else fail("not a constant, not an enumeration");
  });
  if (open) throw new Error("assembly/abi.ts: the last enumeration is not closed");
  return abi;
}

/** `TlsNameMismatch` becomes `TLS_NAME_MISMATCH`. */
function shout(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

export function printC(abi: Abi): string {
  const out = [
    "// Generated from assembly/abi.ts by host/tools/generate-abi.ts. Edit that file, not this one.",
    "#ifndef MOTE_ABI_H",
    "#define MOTE_ABI_H",
    "",
  ];
  for (const { name, value, doc } of abi.constants) out.push(`/* ${doc} */`, `#define MOTE_${name} (${value})`, "");
  for (const { name, doc, members } of abi.enumerations) {
    const prefix = `MOTE_${C_PREFIXES[name] ?? shout(name)}_`;
    const width = Math.max(...members.map((member) => `${shout(member.name)} = ${member.value},`.length));
    out.push(`/* ${doc} */`, `typedef enum mote_${shout(name).toLowerCase()} {`);
    for (const member of members) {
      out.push(`    ${prefix}${`${shout(member.name)} = ${member.value},`.padEnd(width)} /* ${member.doc} */`);
    }
    out.push(`} mote_${shout(name).toLowerCase()}_t;`, "");
    if (!NAMED.includes(name)) continue;
    out.push(`/* One X(symbol, name, text) for each member. */`, `#define MOTE_${shout(name)}_LIST(X) \\`);
    out.push(...members.map((member, index) =>
      `    X(${prefix}${shout(member.name)}, ${quote(member.name)}, ${quote(member.doc)})` +
      (index + 1 < members.length ? " \\" : "")), "");
  }
  out.push("#endif", "");
  return out.join("\n");
}

export function printTypeScript(abi: Abi): string {
  const out = ["// Generated from assembly/abi.ts by host/tools/generate-abi.ts. Edit that file, not this one.", ""];
  for (const { name, value, doc } of abi.constants) out.push(`/** ${doc} */`, `export const ${name} = ${value};`, "");
  for (const { name, doc, members } of abi.enumerations) {
    out.push(`/** ${doc} */`, `export const ${name} = {`);
    for (const member of members) out.push(`  /** ${member.doc} */`, `  ${member.name}: ${member.value},`);
    out.push("} as const;", `export type ${name} = (typeof ${name})[keyof typeof ${name}];`, "");
    const key = (value: number): string => (value < 0 ? `[${value}]` : `${value}`);
    out.push(`/** Names of ${name} by number. */`, `export const ${name}Names: Readonly<Record<number, string>> = {`);
    out.push(...members.map((member) => `  ${key(member.value)}: ${quote(member.name)},`), "};", "");
    if (!NAMED.includes(name)) continue;
    out.push(`/** Descriptions of ${name} by number. */`, `export const ${name}Texts: Readonly<Record<number, string>> = {`);
    out.push(...members.map((member) => `  ${key(member.value)}: ${quote(member.doc)},`), "};", "");
  }
  return out.join("\n");
}

function main(): void {
  const root = new URL("../../", import.meta.url);
  const abi = parseAbi(readFileSync(new URL("assembly/abi.ts", root), "utf8"));
  const files: [path: string, text: string][] = [
    ["build/generated/mote_abi.h", printC(abi)],
    ["build/generated/abi.ts", printTypeScript(abi)],
  ];
  for (const [path, text] of files) {
    const url = new URL(path, root);
    let old = "";
    try { old = readFileSync(url, "utf8"); } catch { /* absent is stale */ }
    if (old === text) continue;
    if (process.argv.includes("--check")) {
      console.error(`${path} is stale: run node --import tsx host/tools/generate-abi.ts`);
      process.exitCode = 1;
    } else {
      mkdirSync(new URL(".", url), { recursive: true });
      // Renamed into place, because several builds may read it at this moment.
      const draft = new URL(`${path}.${process.pid}`, root);
      writeFileSync(draft, text);
      renameSync(draft, url);
      console.log(`wrote ${path}`);
    }
  }
}

// The first step of every build and of `npm start`.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    ensureWritable(fileURLToPath(new URL("../../", import.meta.url)));
    main();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
