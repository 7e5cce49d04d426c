// The surroundings of a client that names no others: sockets, the system's clocks, files or RAM.

import { join } from "node:path";
import { systemClock } from "./clock.ts";
import { FileSlot, MemorySlot } from "./image.ts";
import { SocketPort } from "./net.ts";
import { SlotOta } from "./ota.ts";
import type { Ports } from "./port.ts";
import { FileStore, MemoryStore } from "./store.ts";
import { tlsDial, type TlsSettings } from "./tls.ts";

export interface PortOptions {
  /** Where relative names of files in `tls` begin; the working directory when absent. */
  readonly baseDirectory?: string | undefined;
  /** Where credentials, progress and images are kept, for this client alone; in RAM when absent. */
  readonly storeDirectory?: string | undefined;
  /** Surroundings of one's own, in place of those above. */
  readonly ports?: Partial<Ports> | undefined;
}

export function portsOf(tls: TlsSettings | undefined, options: PortOptions): Required<Ports> {
  const { ports = {}, baseDirectory = ".", storeDirectory } = options;
  return {
    net: ports.net ?? new SocketPort(tls && tlsDial(tls, baseDirectory)),
    clock: ports.clock ?? systemClock,
    store: ports.store ?? (storeDirectory === undefined ? new MemoryStore() : new FileStore(storeDirectory)),
    ota: ports.ota ?? new SlotOta(storeDirectory === undefined ? new MemorySlot() : new FileSlot(join(storeDirectory, "images"))),
  };
}
