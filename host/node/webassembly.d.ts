// The part of the WebAssembly interface that module.ts and app-module.ts use; @types/node leaves it to the DOM's types, which a device has not.

declare namespace WebAssembly {
  interface ModuleImportDescriptor {
    readonly module: string;
    readonly name: string;
  }
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): ModuleImportDescriptor[];
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface Table {}
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, object>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Global {
    value: number;
  }
  class RuntimeError extends Error {}
}
