// TCP by node:net, and the table of handles under which the module knows its connections.

import { connect, isIP } from "node:net";
import { NetFlag, Status } from "../../../build/generated/abi.ts";
import { Connection, type Dialled } from "./connection.ts";
import type { NetPort } from "./port.ts";

/** How long one of several addresses may take before the next is tried; Node's 250 ms is too short for a mobile link. */
export const ADDRESS_ATTEMPT_MS = 5000;

export type Dial = (host: string, port: number) => Dialled;

/** Failures of the socket below any TLS. */
export function socketStatus(error: Error): number {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return SOCKET_STATUSES[code] ?? Status.NetworkFailed;
}

const SOCKET_STATUSES: Readonly<Record<string, number>> = {
  ENOTFOUND: Status.DnsFailed,
  EAI_AGAIN: Status.DnsFailed,
  EAI_FAIL: Status.DnsFailed,
  EAI_NODATA: Status.DnsFailed,
  EAI_NONAME: Status.DnsFailed,
  ECONNREFUSED: Status.ConnectionRefused,
  EHOSTUNREACH: Status.Unreachable,
  EHOSTDOWN: Status.Unreachable,
  ENETUNREACH: Status.Unreachable,
  ENETDOWN: Status.Unreachable,
  EADDRNOTAVAIL: Status.Unreachable,
  ETIMEDOUT: Status.Unreachable,
  ECONNRESET: Status.ConnectionReset,
  ECONNABORTED: Status.ConnectionReset,
  EPIPE: Status.ConnectionReset,
};

export const dialTcp: Dial = (host, port) => ({
  socket: connect({
    host, port, noDelay: true,
    ...(isIP(host) === 0 ? { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS } : {}),
  }),
  openEvent: "connect",
  statusOf: socketStatus,
});

/** The connections of one client; it has one at a time and, for up to a second, those that it has closed. */
export class SocketPort implements NetPort {
  onActivity: (happened: number) => void = () => {};
  readonly #open = new Map<number, Connection>();
  readonly #sockets = new Set<Connection>();
  /** Those of them that the client has closed. */
  readonly #closing = new Set<Connection>();
  readonly #settled: (() => void)[] = [];
  #handle = 0;

  constructor(private readonly dialTls: Dial | undefined, private readonly dial: Dial = dialTcp) {}

  open(host: string, port: number, flags: number): number {
    const dial = flags & NetFlag.Tls ? this.dialTls : this.dial;
    if (dial === undefined) return Status.TlsUnsupported;
    const handle = ++this.#handle;
    const connection: Connection = new Connection(
      dial(host, port),
      (happened) => { if (this.#open.has(handle)) this.onActivity(happened); },
      () => this.#gone(connection),
    );
    this.#open.set(handle, connection);
    this.#sockets.add(connection);
    return handle;
  }

  state(handle: number): number {
    return this.#open.get(handle)?.state() ?? Status.InvalidValue;
  }

  send(handle: number, bytes: Uint8Array): number {
    return this.#open.get(handle)?.send(bytes) ?? Status.InvalidValue;
  }

  receive(handle: number, into: Uint8Array): number {
    return this.#open.get(handle)?.receive(into) ?? Status.InvalidValue;
  }

  close(handle: number): void {
    const connection = this.#open.get(handle);
    if (connection === undefined) return;
    this.#open.delete(handle);
    if (this.#sockets.has(connection)) this.#closing.add(connection);
    connection.close();
  }

  flush(): void {
    for (const connection of this.#open.values()) connection.flush();
  }

  ready(): number {
    let bits = 0;
    for (const connection of this.#open.values()) bits |= connection.ready();
    return bits;
  }

  settled(): Promise<void> {
    if (this.#closing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  #gone(connection: Connection): void {
    this.#sockets.delete(connection);
    this.#closing.delete(connection);
    if (this.#closing.size > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }
}
