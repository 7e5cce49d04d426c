// The part of the WebAssembly interface that module.ts uses; @types/node leaves it to the DOM's types, which a device has not.

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
  interface Instance {}
  class RuntimeError extends Error {}
}
