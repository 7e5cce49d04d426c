// What the client asks of its surroundings: the one interface that every port, real or simulated, implements.

/** Numbers are the ABI's: a `Status` below zero, else as ABI.md, section 2, says for the import of the same name. */
export interface NetPort {
  open(host: string, port: number, flags: number): number;
  state(handle: number): number;
  /** Copies what fits its bounded buffer; nothing leaves before `flush`. */
  send(handle: number, bytes: Uint8Array): number;
  receive(handle: number, into: Uint8Array): number;
  close(handle: number): void;
  /** Called after each poll: what the poll sent leaves now, in one piece where it fits. */
  flush(): void;
  /** Bits of `Want` that hold now, so that a host which slept on an edge does not miss a level. */
  ready(): number;
  /** Called with bits of `Want` when something happened; never while the module is on the stack. */
  onActivity: (happened: number) => void;
  /** Resolves when every connection that was closed is gone, bytes still accepted included. */
  settled(): Promise<void>;
}

export interface ClockPort {
  /** Milliseconds of a clock that never steps back. */
  nowMs(): bigint;
  /** Milliseconds since 1970, 0 = not known. */
  unixMs(): bigint;
  /** 32 random bits. */
  random(): number;
}

/** Flash memory in areas; programming only clears bits, erasing sets those of a whole unit. */
export interface StorePort {
  info(area: number, what: number): number;
  read(area: number, offset: number, into: Uint8Array): number;
  program(area: number, offset: number, bytes: Uint8Array): number;
  erase(area: number, offset: number): number;
  sync(area: number): number;
  /** Called when what was answered by 0, busy, may be asked again; never while the module is on the stack. */
  onActivity: (happened: number) => void;
}

/** The slot for a new image of firmware or software. */
export interface OtaPort {
  begin(kind: number, size: number, id: Uint8Array): number;
  write(bytes: Uint8Array): number;
  verify(algorithm: number, hex: string): number;
  commit(): number;
  abort(): number;
  bootState(): number;
  confirm(): number;
  /** As that of the store. */
  onActivity: (happened: number) => void;
}

export interface Ports {
  readonly net: NetPort;
  readonly clock: ClockPort;
  /** Needed by modules that import their groups. */
  readonly store?: StorePort | undefined;
  readonly ota?: OtaPort | undefined;
}
