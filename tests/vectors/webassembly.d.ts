// The part of the WebAssembly interface that v8-device.ts uses beyond what the host declares.

declare namespace WebAssembly {
  const Instance: new (module: Module, imports: Record<string, object>) => { readonly exports: Record<string, unknown> };
}
