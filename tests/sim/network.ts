// The network between one device and the server: latency, bounded buffers, and every way in which a connection can end.

import { NetState, Status, Want } from "../../build/generated/abi.ts";
import type { NetPort } from "../../host/node/ports/port.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

/** What the server has of a connection. */
export interface Line {
  send(bytes: Uint8Array): void;
  close(): void;
  readonly isClosed: boolean;
}

/** The server's side of accepting a connection; the result gets what the device sends, and its end. */
export type Accept = (line: Line) => { onBytes(bytes: Uint8Array): void; onEnd(): void };

const OPEN_FAILURES = [Status.DnsFailed, Status.ConnectionRefused, Status.Unreachable, Status.NetworkFailed] as const;
/** Bytes that the port takes before the network has them. */
const SEND_BUFFER = 1500;

class Connection {
  state: number = NetState.Connecting;
  peer: ReturnType<Accept> | null = null;
  readonly arrived: number[] = [];
  /** What `receive` answers once everything that arrived was read. */
  end = 0;
  unsent = 0;
  /** It will be said that bytes may be sent again. */
  isTelling = false;
  isClosedByDevice = false;
  /** Bytes in each direction until the connection breaks. */
  bytesUp = Infinity;
  bytesDown = Infinity;
  /** Nothing passes any more, and nobody says so. */
  isHalfOpen = false;
  /** Bytes keep their order whatever the latency. */
  upAtMs = 0;
  downAtMs = 0;
}

export class Network implements NetPort {
  /** A healthy network fails nothing and breaks nothing. */
  isHealthy = false;
  onActivity: (happened: number) => void = () => {};
  readonly #connections = new Map<number, Connection>();
  #handles = 0;

  constructor(readonly schedule: Schedule, readonly random: Random, readonly accept: Accept) {}

  open(_host: string, _port: number, _flags: number): number {
    const { random } = this;
    if (!this.isHealthy && random.percent(3)) return random.pick(OPEN_FAILURES);
    const handle = ++this.#handles;
    const connection = new Connection();
    this.#connections.set(handle, connection);
    const fate = this.isHealthy ? 100 : random.between(0, 99);
    if (fate < 8) this.schedule.after(random.between(1, 3000), () => this.#fail(connection, random.pick(OPEN_FAILURES)));
    else if (fate >= 12) this.schedule.after(random.between(1, 400), () => this.#establish(connection));
    return handle; // or nobody answers at all
  }

  state(handle: number): number {
    return this.#connections.get(handle)?.state ?? Status.InvalidValue;
  }

  send(handle: number, bytes: Uint8Array): number {
    const connection = this.#connections.get(handle);
    if (connection === undefined) return Status.InvalidValue;
    if (connection.end && !connection.isHalfOpen) return connection.end;
    const room = SEND_BUFFER - connection.unsent;
    const accepted = Math.min(bytes.length, room, this.random.percent(20) ? this.random.between(0, bytes.length) : bytes.length);
    if (accepted < bytes.length && !connection.isTelling) {
      // Once for however many attempts, as a port does.
      connection.isTelling = true;
      this.schedule.after(this.random.between(1, 200), () => {
        connection.isTelling = false;
        this.onActivity(Want.Writable);
      });
    }
    if (accepted === 0) return 0;
    connection.unsent += accepted;
    const piece = bytes.slice(0, accepted);
    connection.upAtMs = Math.max(connection.upAtMs, this.schedule.nowMs + this.#latencyMs());
    this.schedule.after(connection.upAtMs - this.schedule.nowMs, () => {
      if (connection.isHalfOpen) return;
      connection.unsent -= piece.length;
      this.onActivity(Want.Writable);
      const through = Math.min(piece.length, connection.bytesUp);
      connection.bytesUp -= through;
      if (through > 0 && connection.peer !== null) connection.peer.onBytes(piece.subarray(0, through));
      if (through < piece.length) this.#break(connection);
    });
    return accepted;
  }

  receive(handle: number, into: Uint8Array): number {
    const connection = this.#connections.get(handle);
    if (connection === undefined) return Status.InvalidValue;
    if (connection.arrived.length === 0) return connection.end;
    const most = Math.min(into.length, connection.arrived.length);
    const length = this.random.percent(20) && most > 0 ? this.random.between(1, most) : most;
    into.set(connection.arrived.splice(0, length));
    return length;
  }

  close(handle: number): void {
    const connection = this.#connections.get(handle);
    if (connection === undefined) return;
    this.#connections.delete(handle);
    connection.isClosedByDevice = true;
    if (connection.isHalfOpen) return;
    // What was accepted still arrives, then the end.
    const delayMs = Math.max(0, connection.upAtMs - this.schedule.nowMs) + this.#latencyMs();
    this.schedule.after(delayMs, () => this.#endPeer(connection));
  }

  flush(): void {}

  ready(): number {
    let ready = 0;
    for (const connection of this.#connections.values()) {
      if (connection.state !== NetState.Connecting) ready |= Want.Work;
      if (connection.arrived.length > 0 || connection.end) ready |= Want.Readable;
      if (connection.unsent < SEND_BUFFER) ready |= Want.Writable;
    }
    return ready;
  }

  async settled(): Promise<void> {}

  /** Handles that the device has open: more than one is a leak. */
  get openHandles(): number {
    return this.#connections.size;
  }

  /** The device lost its power: its side is gone without a word, and the server learns it when it next sends. */
  forget(): void {
    for (const connection of this.#connections.values()) {
      connection.isClosedByDevice = true;
      this.schedule.after(this.random.between(1, 60_000), () => this.#endPeer(connection));
    }
    this.#connections.clear();
  }

  /** Ends what would never end by itself, so that a calm network really is one. */
  heal(): void {
    this.isHealthy = true;
    for (const connection of this.#connections.values()) {
      connection.bytesUp = connection.bytesDown = Infinity;
      if (connection.isHalfOpen || connection.state === NetState.Connecting) this.#break(connection);
    }
  }

  #latencyMs(): number {
    return this.isHealthy ? this.random.between(1, 60) : this.random.percent(5) ? this.random.between(500, 4000) : this.random.between(1, 250);
  }

  #establish(connection: Connection): void {
    if (connection.isClosedByDevice || connection.end) return;
    const { random } = this;
    connection.state = NetState.Open;
    if (!this.isHealthy) {
      const fate = random.between(0, 99);
      if (fate < 25) connection.bytesUp = random.between(0, 2000);
      else if (fate < 50) connection.bytesDown = random.between(0, 2000);
      else if (fate < 60) this.schedule.after(random.interval(30_000), () => { connection.isHalfOpen = !this.isHealthy && !connection.end; });
      else if (fate < 75) this.schedule.after(random.interval(60_000), () => { if (!this.isHealthy) this.#break(connection); });
    }
    const line: Line = {
      send: (bytes) => this.#deliver(connection, bytes),
      close: () => this.schedule.after(Math.max(0, connection.downAtMs - this.schedule.nowMs) + 1, () => this.#fail(connection, Status.ConnectionClosed)),
      get isClosed() { return connection.end !== 0 || connection.isClosedByDevice; },
    };
    connection.peer = this.accept(line);
    this.onActivity(Want.Work);
  }

  #deliver(connection: Connection, bytes: Uint8Array): void {
    connection.downAtMs = Math.max(connection.downAtMs, this.schedule.nowMs + this.#latencyMs());
    // TCP may cut a stream anywhere.
    const cut = this.random.percent(30) && bytes.length > 1 ? this.random.between(1, bytes.length - 1) : bytes.length;
    for (const piece of [bytes.slice(0, cut), bytes.slice(cut)]) {
      if (piece.length === 0) continue;
      this.schedule.after(connection.downAtMs - this.schedule.nowMs, () => {
        if (connection.isClosedByDevice || connection.isHalfOpen || connection.end) return;
        const through = Math.min(piece.length, connection.bytesDown);
        connection.bytesDown -= through;
        for (const byte of piece.subarray(0, through)) connection.arrived.push(byte);
        this.onActivity(Want.Readable);
        if (through < piece.length) this.#break(connection);
      });
      if (this.random.percent(30)) connection.downAtMs += this.random.between(1, 50);
    }
  }

  #break(connection: Connection): void {
    this.#fail(connection, Status.ConnectionReset);
    this.#endPeer(connection);
  }

  #fail(connection: Connection, status: number): void {
    if (connection.end || connection.isClosedByDevice || connection.isHalfOpen && !this.isHealthy) return;
    connection.isHalfOpen = false;
    connection.end = status;
    connection.state = status;
    this.onActivity(Want.Work | Want.Readable | Want.Writable);
  }

  #endPeer(connection: Connection): void {
    const { peer } = connection;
    connection.peer = null;
    peer?.onEnd();
  }
}
