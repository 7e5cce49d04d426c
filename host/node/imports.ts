// The functions that the module imports, each checked against the memory that the module was given.

import { NetState, Status } from "../../build/generated/abi.ts";
import type { OtaPort, Ports, StorePort } from "./ports/port.ts";

export type ImportFunctions = Record<string, (...values: never[]) => number | bigint | void>;

export interface BoundImports {
  readonly functions: ImportFunctions;
  /** What the module has of a connection. */
  link(): "none" | "opening" | "open";
  /** Closes every connection that the instance has open. */
  closeAll(): void;
}

/** Answers the bytes at an address, or null when any of them lies outside the memory. */
type Span = (at: number, length: number) => Uint8Array | null;

export function bindImports(ports: Ports, span: Span): BoundImports {
  const { net, clock } = ports;
  const handles = new Set<number>();
  let isOpen = false;
  const decoder = new TextDecoder();
  const functions: ImportFunctions = {
    net_open(host: number, hostLength: number, port: number, flags: number): number {
      const name = span(host, hostLength);
      if (name === null || port < 1 || port > 65535) return Status.InvalidValue;
      const handle = net.open(decoder.decode(name), port, flags);
      if (handle > 0) handles.add(handle);
      isOpen = false;
      return handle;
    },
    net_state(handle: number): number {
      const state = net.state(handle);
      isOpen = state >= NetState.Open;
      return state;
    },
    net_send(handle: number, from: number, length: number): number {
      const bytes = span(from, length);
      return bytes === null ? Status.InvalidValue : net.send(handle, bytes);
    },
    net_recv(handle: number, to: number, capacity: number): number {
      const into = span(to, capacity);
      return into === null ? Status.InvalidValue : net.receive(handle, into);
    },
    net_close(handle: number): void {
      handles.delete(handle);
      net.close(handle);
    },
    now_ms: (): bigint => clock.nowMs(),
    unix_ms: (): bigint => clock.unixMs(),
    random_u32: (): number => clock.random(),
    ...(ports.store && storeImports(ports.store, span)),
    ...(ports.ota && otaImports(ports.ota, span)),
  };
  return {
    functions,
    link: () => (handles.size === 0 ? "none" : isOpen ? "open" : "opening"),
    closeAll(): void {
      for (const handle of handles) net.close(handle);
      handles.clear();
    },
  };
}

function storeImports(store: StorePort, span: Span): ImportFunctions {
  return {
    store_info: (area: number, what: number): number => store.info(area, what),
    store_read(area: number, offset: number, to: number, length: number): number {
      const into = span(to, length);
      return into === null ? Status.InvalidValue : store.read(area, offset, into);
    },
    store_program(area: number, offset: number, from: number, length: number): number {
      const bytes = span(from, length);
      return bytes === null ? Status.InvalidValue : store.program(area, offset, bytes);
    },
    store_erase: (area: number, offset: number): number => store.erase(area, offset),
    store_sync: (area: number): number => store.sync(area),
  };
}

function otaImports(ota: OtaPort, span: Span): ImportFunctions {
  const decoder = new TextDecoder();
  return {
    ota_begin(kind: number, size: number, from: number, length: number): number {
      const id = span(from, length);
      return id === null ? Status.InvalidValue : ota.begin(kind, size, id);
    },
    ota_write(from: number, length: number): number {
      const bytes = span(from, length);
      return bytes === null ? Status.InvalidValue : ota.write(bytes);
    },
    ota_verify(algorithm: number, from: number, length: number): number {
      const hex = span(from, length);
      return hex === null ? Status.InvalidValue : ota.verify(algorithm, decoder.decode(hex));
    },
    ota_commit: (): number => ota.commit(),
    ota_abort: (): number => ota.abort(),
    ota_boot_state: (): number => ota.bootState(),
    ota_confirm: (): number => ota.confirm(),
  };
}
