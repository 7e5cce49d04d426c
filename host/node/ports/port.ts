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

export interface Ports {
  readonly net: NetPort;
  readonly clock: ClockPort;
}
