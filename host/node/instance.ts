// An instance of the client module: loaded, checked, called, and never believed about an address. With app-module.ts the only file that touches WebAssembly.

import { existsSync, readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { ABI_VERSION, Status } from "../../build/generated/abi.ts";
import { errorOf, TrappedError } from "./errors.ts";
import { bindImports, type BoundImports, type ImportFunctions } from "./imports.ts";
import type { Ports } from "./ports/port.ts";

export const PROFILES = ["minimal", "device", "gateway", "gateway-large"] as const;
export type Profile = (typeof PROFILES)[number];

/** For tests: looks at or changes what goes across the seam. */
export interface ModuleHooks {
  imports?(functions: ImportFunctions): ImportFunctions;
  /** `name` is "" once after loading, else the export that has returned. */
  afterExport?(name: string, memory: Uint8Array, memoryEnd: number): void;
}

type Exports = Record<string, (...values: number[]) => number>;

/** The module of a profile, compiled. */
export type CompiledProfile = WebAssembly.Module;

const compiled = new Map<Profile, CompiledProfile>();

/** Compiles a profile once for all clients of the process. */
export function profileModule(profile: Profile): CompiledProfile {
  let module = compiled.get(profile);
  if (module === undefined) {
    // Beside the bundle, or in the build folder of a checkout.
    const places = [`./${profile}.wasm`, `../../build/${profile}.wasm`].map((place) => new URL(place, import.meta.url));
    const found = places.find((place) => existsSync(place));
    if (found === undefined) throw new Error(`${profile}.wasm is not there; build it with "npm run build"`);
    module = new WebAssembly.Module(readFileSync(found));
    compiled.set(profile, module);
  }
  return module;
}

export class Instance {
  readonly memory: Uint8Array;
  readonly view: DataView;
  /** The end of the memory that the module was given. */
  readonly memoryEnd: number;
  readonly #exports: Exports;
  readonly #imports: BoundImports;
  readonly #hooks: ModuleHooks;
  #isTrapped = false;

  /** `memoryBytes` gives the module less than its page, as an engine on a device does. */
  constructor(source: CompiledProfile, ports: Ports, memoryBytes?: number, hooks: ModuleHooks = {}) {
    this.#hooks = hooks;
    this.#imports = bindImports(ports, (at, length) => this.span(at >>> 0, length >>> 0));
    const functions = hooks.imports?.(this.#imports.functions) ?? this.#imports.functions;
    for (const { module, name } of WebAssembly.Module.imports(source)) {
      if (module !== "mote" || !(name in functions)) throw new Error(`the module needs ${module}.${name}, which this host lacks`);
    }
    const { exports } = instantiateSync(source, { mote: functions });
    this.#exports = exports as unknown as Exports;
    const memory = exports.memory;
    if (memory === undefined) throw new Error("the module exports no memory");
    this.memory = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    this.memoryEnd = Math.min(memoryBytes ?? this.memory.length, this.memory.length);
    hooks.afterExport?.("", this.memory, this.memoryEnd);
    const version = this.call("abi_version");
    if (version >> 8 !== ABI_VERSION >> 8) {
      throw new Error(`the module speaks ABI ${version >> 8}.${version & 255}, this host ${ABI_VERSION >> 8}.${ABI_VERSION & 255}`);
    }
  }

  /** Calls an export: its result. Throws a TrappedError, and NotInProfile for an export that is not there. */
  call(name: string, ...values: number[]): number {
    const call = this.#exports[name];
    if (call === undefined) throw errorOf(Status.NotInProfile, "call", { text: name });
    if (this.#isTrapped) throw errorOf(Status.Trapped, name);
    try {
      const result = call(...values);
      this.#hooks.afterExport?.(name, this.memory, this.memoryEnd);
      return result;
    } catch (cause) {
      this.#isTrapped = true;
      throw new TrappedError(Status.Trapped, name, { cause });
    }
  }

  /** The bytes at an address, or null when one of them is not in the memory that was given. */
  span(at: number, length: number): Uint8Array | null {
    return at + length <= this.memoryEnd ? this.memory.subarray(at, at + length) : null;
  }

  /** The same for what the module says; an address outside is a bug of the module, as a trap is. */
  need(at: number, length: number): Uint8Array {
    const bytes = this.span(at >>> 0, length >>> 0);
    if (bytes !== null) return bytes;
    this.#isTrapped = true;
    throw new TrappedError(Status.Trapped, "address outside the memory", { value: at });
  }

  /** What the module has of a connection, as its imports show it. */
  link(): "none" | "opening" | "open" {
    return this.#imports.link();
  }

  /** Ends the instance without its help. */
  discard(): void {
    this.#isTrapped = true;
    this.#imports.closeAll();
  }
}
