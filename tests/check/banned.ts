// Gates over words that may not stand in the sources, each with the reason.

import { codeOnly, lineAt, withoutComments, type Sources } from "./sources.ts";

interface Rule {
  pattern: RegExp;
  why: string;
  /** Files that the rule is about. */
  within: RegExp;
  except?: RegExp;
  /** Where the words are looked for: in code alone, in code and strings, or in everything. */
  in: "code" | "strings" | "everything";
}

const CLIENT = /^assembly\/(?!apps?\/|no_heap).*\.ts$/;
const SCRIPT = /\.(ts|mts|js|mjs)$/;
const SOURCE = /\.(ts|mts|js|mjs|c|h|cpp|html|css|cmake)$/;
/** This room spells out what it forbids. */
const GATES = /^tests\/check\//;

const RULES: Rule[] = [
  { pattern: /\bnew\s+[A-Z]\w*/, why: "allocates", within: CLIENT, in: "code" },
  { pattern: /["'`]\s*\+(?!\+)|[^+]\+\s*["'`]/, why: "joins strings, which allocates", within: CLIENT, in: "code" },
  { pattern: /(?<!\.)\b(Array|StaticArray|Map|Set|ArrayBuffer|DataView|Uint8Array|Int32Array|Uint32Array)\b/, why: "is a managed object", within: CLIENT, except: /^assembly\/abi\.ts$/, in: "code" },
  { pattern: /\b(String|Math|Date|JSON|console)\s*\./, why: "pulls in the standard library", within: CLIENT, in: "code" },
  { pattern: /\b(f32|f64)\b/, why: "is a float", within: CLIENT, in: "code" },
  { pattern: /\bmemory\.(grow|size)\b/, why: "memory never grows, and its size does not tell its end", within: CLIENT, in: "code" },
  { pattern: /\bexport\s+default\b/, why: "default exports have no name", within: SCRIPT, except: /\.(config|asconfig)\.m?js$|^assembly\/\w+\.mjs$/, in: "code" },
  { pattern: /\bconsole\.(log|info|debug)\b/, why: "only command lines print", within: /^host\//, except: /^host\/(cli|tools)\/|^host\/server\/(main|cli)\.ts$/, in: "code" },
  { pattern: /\b(TODO|FIXME|XXX|HACK)\b/, why: "promises work for later: open an issue", within: SOURCE, except: GATES, in: "everything" },
  { pattern: /\b(test|it|describe|group)\.(only|skip|todo)\b|\bx(it|test|describe)\s*\(|\b(skip|only|todo):\s*true/, why: "switches a test off", within: /^tests\/.*\.ts$/, except: GATES, in: "code" },
  { pattern: /(?<![\w.:/])\/(work|root|home|farm|Users)\/\w/, why: "is a path of one machine", within: /./, except: GATES, in: "everything" },
  { pattern: /\bv1\/(devices|gateway)\b|(["'`])v2\/|\bv2\/(fw|sw|t|a|r)\//, why: "platform topics stand once, in assembly/thingsboard/topics.ts", within: SOURCE, except: /^assembly\/thingsboard\/topics\.ts$|^host\/server\/|^tests\//, in: "strings" },
];

export function checkBanned(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, text] of sources) {
    const rules = RULES.filter((rule) => rule.within.test(path) && !rule.except?.test(path));
    if (rules.length === 0) continue;
    const views = { code: codeOnly(text), strings: withoutComments(text), everything: text };
    for (const rule of rules) {
      const view = views[rule.in];
      const match = rule.pattern.exec(view);
      if (match) faults.push(`${path}:${lineAt(view, match.index)} "${match[0].trim()}" ${rule.why}`);
    }
  }
  return faults;
}
