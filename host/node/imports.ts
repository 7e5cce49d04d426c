// The functions that the module imports, each checked against the memory that the module was given.

import { NetState, Status } from "../../build/generated/abi.ts";
import type { Ports } from "./ports/port.ts";

export type ImportFunctions = Record<string, (...values: never[]) => number | bigint | void>;

export interface BoundImports {
  readonly functions: ImportFunctions;
  /** What the module has of a connection. */
  link(): "none" | "opening" | "open";
  /** Closes every connection that the instance has open. */
  closeAll(): void;
}

/** `span` answers the bytes at an address, or null when any of them lies outside the memory. */
export function bindImports(ports: Ports, span: (at: number, length: number) => Uint8Array | null): BoundImports {
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
