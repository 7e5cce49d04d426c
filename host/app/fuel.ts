// Gives an app its fuel counter: every entry of a function and every round of a loop takes from it, and below zero the app traps.
//
// The same on every engine, because it is part of the module: wasm3 itself cannot stop a loop. A function that can call itself pays
// APP_RECURSION_FUEL, so that a recursion ends before the native stack of a microcontroller does.

import { APP_RECURSION_FUEL } from "../../build/generated/abi.ts";
import { AppError, type Binaryen } from "./compiler.ts";

/** The global that the host fills before each call. */
export const FUEL = "fuel";

type Expression = number;
type Module = InstanceType<Binaryen["Module"]>;

/** Where each kind of expression that AssemblyScript compiles to keeps its parts. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  Block: ["children"], If: ["condition", "ifTrue", "ifFalse"], Loop: ["body"], Break: ["condition", "value"], Switch: ["condition", "value"],
  Call: ["operands"], CallIndirect: ["target", "operands"], LocalGet: [], LocalSet: ["value"], GlobalGet: [], GlobalSet: ["value"],
  Load: ["ptr"], Store: ["ptr", "value"], Const: [], Unary: ["value"], Binary: ["left", "right"], Select: ["ifTrue", "ifFalse", "condition"],
  Drop: ["value"], Return: ["value"], MemorySize: [], MemoryGrow: ["delta"], Nop: [], Unreachable: [],
  MemoryCopy: ["dest", "source", "size"], MemoryFill: ["dest", "value", "size"],
};

function* expressionsOf(binaryen: Binaryen, root: Expression): Generator<Expression> {
  yield root;
  const ids = binaryen as unknown as Record<string, number>;
  const id = binaryen.getExpressionId(root);
  const kind = Object.keys(PARTS).find((name) => ids[`${name}Id`] === id);
  if (kind === undefined) throw new AppError(`an app may not contain the instruction that binaryen numbers ${id}`);
  if (PARTS[kind]!.length === 0) return;
  const info = binaryen.getExpressionInfo(root) as unknown as Record<string, number | number[]>;
  for (const part of PARTS[kind]!) {
    for (const each of [info[part]].flat()) if (each) yield* expressionsOf(binaryen, each);
  }
}

interface Calls { readonly direct: Set<string>; isIndirect: boolean }

function callsOf(binaryen: Binaryen, body: Expression): Calls {
  const calls: Calls = { direct: new Set(), isIndirect: false };
  for (const each of expressionsOf(binaryen, body)) {
    const id = binaryen.getExpressionId(each);
    if (id === binaryen.CallId) calls.direct.add((binaryen.getExpressionInfo(each) as unknown as { target: string }).target);
    if (id === binaryen.CallIndirectId) calls.isIndirect = true;
  }
  return calls;
}

/** Functions that can come back to themselves; an indirect call may reach every function of the table. */
function recursive(calls: ReadonlyMap<string, Calls>, table: readonly string[]): Set<string> {
  const reaches = (from: string): boolean => {
    const seen = new Set<string>();
    const next = [from];
    while (next.length > 0) {
      const each = calls.get(next.pop()!);
      if (each === undefined) continue;
      for (const callee of [...each.direct, ...(each.isIndirect ? table : [])]) {
        if (callee === from) return true;
        if (!seen.has(callee)) next.push(callee);
        seen.add(callee);
      }
    }
    return false;
  };
  return new Set([...calls.keys()].filter(reaches));
}

function tableOf(binaryen: Binaryen, module: Module): string[] {
  return Array.from({ length: module.getNumElementSegments() }, (_, index) => binaryen.getElementSegmentInfo(module.getElementSegmentByIndex(index)).data).flat()
    .filter((name): name is string => typeof name === "string");
}

/** A function that takes so much fuel: two bytes at each place where it is called. */
function addBurner(binaryen: Binaryen, module: Module, name: string, amount: number): void {
  const fuel = (): Expression => module.global.get(FUEL, binaryen.i32);
  module.addFunction(name, binaryen.none, binaryen.none, [], module.block(null, [
    module.global.set(FUEL, module.i32.sub(fuel(), module.i32.const(amount))),
    module.if(module.i32.lt_s(fuel(), module.i32.const(0)), module.unreachable()),
  ]));
}

function inFront(binaryen: Binaryen, module: Module, burner: string, body: Expression): Expression {
  return module.block(null, [module.call(burner, [], binaryen.none), body], binaryen.getExpressionType(body));
}

/** Adds the counter; answers the names of the functions that can call themselves. */
export function addFuel(binaryen: Binaryen, module: Module): string[] {
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => module.getFunctionByIndex(index))
    .map((ref) => ({ ref, ...binaryen.getFunctionInfo(ref) })).filter(({ body }) => body !== 0);
  const calls = new Map(functions.map(({ name, body }) => [name, callsOf(binaryen, body)]));
  const repeating = recursive(calls, tableOf(binaryen, module));
  module.addGlobal(FUEL, binaryen.i32, true, module.i32.const(0));
  module.addGlobalExport(FUEL, FUEL);
  addBurner(binaryen, module, "~burn", 1);
  if (repeating.size > 0) addBurner(binaryen, module, "~burn_recursion", APP_RECURSION_FUEL);
  for (const { ref, name, body } of functions) {
    for (const each of [...expressionsOf(binaryen, body)]) {
      if (binaryen.getExpressionId(each) !== binaryen.LoopId) continue;
      binaryen.Loop.setBody(each, inFront(binaryen, module, "~burn", binaryen.Loop.getBody(each)));
    }
    binaryen.Function.setBody(ref, inFront(binaryen, module, repeating.has(name) ? "~burn_recursion" : "~burn", body));
  }
  return [...repeating];
}
