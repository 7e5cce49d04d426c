// The seam between the vectors and whatever runs the client: V8 here, wasm3 or ahead of time in a process of its own.

/** Something that the client did to the network, or to the image slot, during one call. */
export type NetAction = { kind: "open"; host: string; port: number; tls: boolean } | { kind: "send"; bytes: Uint8Array } | { kind: "close" } | { kind: "image"; text: string; taken?: Uint8Array };

export interface DeviceEvent {
  kind: number;
  flags: number;
  id: number;
  reason: number;
  topic: Uint8Array;
  payload: Uint8Array;
  total: number;
  offset: number;
  name: Uint8Array;
  value: Uint8Array;
}

export interface Poll {
  /** In the order in which they were done; all of them before the event. */
  actions: NetAction[];
  event: DeviceEvent | undefined;
  /** Bytes that the call read from the network. */
  received: number;
  deadlineMs: number;
}

export interface Answer { result: number; actions: NetAction[] }
export interface Fault { text: string; value: number }

/** A link that is coming up, up, or has failed by this Status. */
export type Link = "connecting" | "open" | number;

type Later<T> = T | Promise<T>;

/** A number, or bytes laid into the staging area, each behind the other at a multiple of four, and passed in one of three ways. */
export type Argument = number | { bytes: Uint8Array; as: "length" | "address" | "span" };

export interface VectorDevice {
  /** Builds a fresh instance; the clock starts at `startMs`. Called once, before everything else. */
  configure(json: string, startMs: bigint): Later<Answer>;
  /** What belongs to the last status. */
  fault(): Later<Fault>;
  call(name: string, args: Argument[]): Later<Answer>;
  poll(): Later<Poll>;
  /** Bytes from the server, readable at once. */
  receive(bytes: Uint8Array): Later<void>;
  /** Bytes that the network takes from now on; Infinity for all. */
  accept(bytes: number): Later<void>;
  setLink(link: Link): Later<void>;
  /** What the image slot answers from now on, in words of the vector. */
  setImage(text: string): Later<void>;
  tick(ms: number): Later<void>;
  /** Bytes from the server that the client has not read yet. */
  unread(): Later<number>;
  counter(offset: number): Later<number>;
  /** Bytes of linear memory. */
  read(address: number, length: number): Later<Uint8Array>;
  close(): Later<void>;
}
