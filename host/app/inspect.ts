// Compares what an app module imports and exports with what a host gives and calls.

import type { Binaryen } from "./compiler.ts";
import { APP_EXPORTS, APP_IMPORTS } from "./verbs.ts";

/** As wasm3 writes it: `i(ii)`. */
function formOf(binaryen: Binaryen, params: number, results: number): string {
  const names = new Map([[binaryen.i32, "i"], [binaryen.i64, "I"], [binaryen.f32, "f"], [binaryen.f64, "F"]]);
  const letters = (type: number): string => binaryen.expandType(type).map((each) => names.get(each) ?? "?").join("");
  return `${letters(results) || "v"}(${letters(params)})`;
}

/** What a host would refuse; of an import its names as the module's text has them, `"mote" "timer"`. */
export interface Fault { readonly why: string; readonly imported?: string }

export interface Inspected {
  /** Names of the imports. */
  readonly imports: string[];
  readonly faults: Fault[];
}

export function inspectApp(binaryen: Binaryen, module: InstanceType<Binaryen["Module"]>): Inspected {
  const faults: Fault[] = [];
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => binaryen.getFunctionInfo(module.getFunctionByIndex(index)));
  const imports = functions.filter((each) => each.body === 0);
  for (const { module: from, base, params, results } of imports) {
    const fault = (why: string): void => void faults.push({ why, imported: `"${from}" "${base}"` });
    const expected = from === "mote" ? APP_IMPORTS[base ?? ""] : undefined;
    const found = formOf(binaryen, params, results);
    // What `mote build` has not put in place of a text is still a call, of a function that nobody has.
    if (from === "text" && base === "text") fault("calls text() with something else than one literal in double quotes");
    else if (expected === undefined) fault(`imports ${from}.${base}, which no host has; assembly/app/verbs.ts lists what there is`);
    else if (expected !== found) fault(`imports mote.${base} as ${found}, hosts have ${expected}`);
  }
  const exported = new Map(Array.from({ length: module.getNumExports() }, (_, index) => binaryen.getExportInfo(module.getExportByIndex(index)))
    .map(({ name, value }) => [name, functions.find((each) => each.name === value)]));
  for (const [name, expected] of Object.entries(APP_EXPORTS)) {
    const found = exported.get(name);
    const form = found === undefined ? expected : formOf(binaryen, found.params, found.results);
    if (found === undefined) faults.push({ why: `exports no function ${name}` });
    else if (form !== expected) faults.push({ why: `exports ${name} as ${form}, hosts call ${expected}` });
  }
  return { imports: imports.map(({ base }) => base ?? ""), faults };
}
