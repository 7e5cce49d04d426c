// Loads an app module and calls it with its fuel: assembly/app/ABI.md, seen from V8.

import { APP_FUEL, Status } from "../../build/generated/abi.ts";
import { APP_EXPORTS, APP_IMPORTS } from "../app/verbs.ts";
import { errorOf } from "./errors.ts";

export type AppFunctions = Readonly<Record<string, (...values: number[]) => number | bigint | void>>;

type Exports = Readonly<Record<string, (...values: number[]) => number>>;

const EVENT_CAPACITY_MIN = 64;

/** A call that ended the app: its fuel was used up, or it trapped. */
export class AppTrap extends Error {
  constructor(readonly reason: number, why: string, cause: unknown) {
    super(why, { cause });
  }
}

export class AppModule {
  /** Known after `open`. */
  eventBuffer = 0;
  eventCapacity = 0;
  readonly #exports: Exports;
  readonly #fuel: WebAssembly.Global;
  readonly #memory: WebAssembly.Memory;
  readonly #memoryEnd: number;

  constructor(source: WebAssembly.Module, functions: AppFunctions, memoryBytes: number | undefined, private readonly fuel = APP_FUEL) {
    for (const { module, name } of WebAssembly.Module.imports(source)) {
      if (module !== "mote" || !(name in APP_IMPORTS)) throw errorOf(Status.NotFound, "app", { text: `${module}.${name}` });
    }
    const { exports } = new WebAssembly.Instance(source, { mote: functions });
    const need = <T>(name: string, isIt: (value: unknown) => boolean): T => {
      if (isIt(exports[name])) return exports[name] as T;
      throw errorOf(Status.NotFound, "app", { text: name });
    };
    const isGlobal = (value: unknown): boolean => value instanceof WebAssembly.Global;
    this.#fuel = need<WebAssembly.Global>("fuel", isGlobal);
    const isMutable = (): boolean => {
      try {
        this.#fuel.value = 0;
        return true;
      } catch {
        return false;
      }
    };
    if (!isMutable()) throw errorOf(Status.NotFound, "app", { text: "fuel" });
    for (const name of Object.keys(APP_EXPORTS)) need(name, (value) => typeof value === "function");
    this.#exports = exports as Exports;
    this.#memory = need<WebAssembly.Memory>("memory", (value) => (value as Partial<WebAssembly.Memory> | undefined)?.buffer instanceof ArrayBuffer);
    const built = need<WebAssembly.Global>("memory_bytes", isGlobal).value;
    this.#memoryEnd = Math.min(memoryBytes ?? built, this.#memory.buffer.byteLength);
    if (built > this.#memoryEnd) throw errorOf(Status.TooLarge, "app", { text: "memory_bytes", value: built });
  }

  /** The app's memory, looked up each time: `memory.grow`, by nothing too, takes the buffer away from those who hold it. */
  get memory(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.#memory.buffer);
  }

  /** Asks for the event buffer, once. The app may use verbs here already. */
  open(): void {
    this.eventBuffer = this.call("event_buffer") >>> 0;
    this.eventCapacity = this.call("event_capacity") >>> 0;
    const fits = this.eventCapacity >= EVENT_CAPACITY_MIN && this.eventBuffer % 4 === 0 && this.span(this.eventBuffer, this.eventCapacity) !== null;
    if (!fits) throw errorOf(Status.InvalidValue, "app", { text: "event_buffer" });
  }

  /** Calls an export with its fuel; throws an AppTrap. */
  call(name: string, ...values: number[]): number {
    this.#fuel.value = this.fuel;
    try {
      return this.#exports[name]!(...values);
    } catch (error) {
      if (this.#fuel.value < 0) throw new AppTrap(Status.Timeout, "fuel", error);
      throw new AppTrap(Status.Trapped, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** The bytes at an address, null when one of them lies outside the memory that the app was given. */
  span(address: number, length: number): Uint8Array | null {
    const [at, count] = [address >>> 0, length >>> 0];
    return at + count <= this.#memoryEnd ? this.memory.subarray(at, at + count) : null;
  }
}

/** Compiles the bytes of an app; `Malformed` when they are none. */
export function compiledApp(wasm: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(wasm);
  } catch (cause) {
    throw errorOf(Status.Malformed, "app", { cause });
  }
}

/** What an app may call. */
export function importsOf(source: WebAssembly.Module): ReadonlySet<string> {
  return new Set(WebAssembly.Module.imports(source).map(({ name }) => name));
}
