// Checks what an app module imports and exports against what a host gives and calls.

import { AppError, type Binaryen } from "./compiler.ts";
import { APP_EXPORTS, APP_IMPORTS } from "./verbs.ts";

/** As wasm3 writes it: `i(ii)`. */
function formOf(binaryen: Binaryen, params: number, results: number): string {
  const names = new Map([[binaryen.i32, "i"], [binaryen.i64, "I"], [binaryen.f32, "f"], [binaryen.f64, "F"]]);
  const letters = (type: number): string => binaryen.expandType(type).map((each) => names.get(each) ?? "?").join("");
  return `${letters(results) || "v"}(${letters(params)})`;
}

/** The names of the imports; throws an AppError that names everything a host would refuse. */
export function checkApp(binaryen: Binaryen, module: InstanceType<Binaryen["Module"]>): string[] {
  const faults: string[] = [];
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => binaryen.getFunctionInfo(module.getFunctionByIndex(index)));
  const imports = functions.filter((each) => each.body === 0);
  for (const { module: from, base, params, results } of imports) {
    const expected = from === "mote" ? APP_IMPORTS[base ?? ""] : undefined;
    const found = formOf(binaryen, params, results);
    if (expected === undefined) faults.push(`imports ${from}.${base}, which no host has; assembly/app/verbs.ts lists what there is`);
    else if (expected !== found) faults.push(`imports mote.${base} as ${found}, hosts have ${expected}`);
  }
  const exported = new Map(Array.from({ length: module.getNumExports() }, (_, index) => binaryen.getExportInfo(module.getExportByIndex(index)))
    .map(({ name, value }) => [name, functions.find((each) => each.name === value)]));
  for (const [name, expected] of Object.entries(APP_EXPORTS)) {
    const found = exported.get(name);
    if (found === undefined) faults.push(`exports no function ${name}`);
    else if (formOf(binaryen, found.params, found.results) !== expected) faults.push(`exports ${name} as ${formOf(binaryen, found.params, found.results)}, hosts call ${expected}`);
  }
  if (faults.length > 0) throw new AppError(faults.map((each) => `the app ${each}`).join("\n"));
  return imports.map(({ base }) => base ?? "");
}
