// One socket as the module sees it: bounded buffers in both directions, a state, no callbacks.

import type { Socket } from "node:net";
import { NetState, Status, Want } from "../../../build/generated/abi.ts";

/** Bytes that wait for the module before the socket is paused. */
const RECEIVE_BYTES_MAX = 65536;
/** Bytes that wait for the network before the module is told to try later. */
const SEND_BYTES_MAX = 65536;
/** How long accepted bytes may take to leave after a close. */
const CLOSE_MS_MAX = 1000;

/** A socket on its way, and how to read its failures. */
export interface Dialled {
  readonly socket: Socket;
  readonly openEvent: "connect" | "secureConnect";
  /** The Status of an error; `isOpen` tells whether the handshake was over. */
  statusOf(error: Error, isOpen: boolean): number;
}

export class Connection {
  readonly #socket: Socket;
  readonly #received: Buffer[] = [];
  #receivedBytes = 0;
  #isOpen = false;
  #isCorked = false;
  #failure = 0;

  /** `onActivity` is told bits of Want, `onGone` that the socket has closed. */
  constructor(dialled: Dialled, private readonly onActivity: (happened: number) => void, onGone: () => void) {
    this.#socket = dialled.socket;
    this.#socket.on(dialled.openEvent, () => {
      this.#isOpen = true;
      this.onActivity(Want.Work | Want.Writable);
    });
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#socket.on("end", () => this.#fail(Status.ConnectionClosed));
    this.#socket.on("error", (error) => this.#fail(dialled.statusOf(error, this.#isOpen)));
    this.#socket.on("close", () => {
      this.#fail(Status.ConnectionClosed);
      onGone();
    });
  }

  state(): number {
    if (this.#failure !== 0 && this.#receivedBytes === 0) return this.#failure;
    if (!this.#isOpen) return NetState.Connecting;
    return this.#socket.writableLength > 0 ? NetState.Flushing : NetState.Open;
  }

  send(bytes: Uint8Array): number {
    if (this.#failure !== 0) return this.#failure;
    const accepted = Math.min(bytes.length, this.#room());
    if (accepted <= 0) return 0;
    if (!this.#isCorked) this.#socket.cork();
    this.#isCorked = true;
    // A copy, because the module uses the memory again before the socket has written.
    this.#socket.write(Buffer.from(bytes.subarray(0, accepted)), () => this.onActivity(Want.Writable));
    return accepted;
  }

  receive(into: Uint8Array): number {
    let length = 0;
    while (length < into.length && this.#received.length > 0) {
      const chunk = this.#received[0]!;
      const part = chunk.subarray(0, into.length - length);
      into.set(part, length);
      length += part.length;
      if (part.length === chunk.length) this.#received.shift();
      else this.#received[0] = chunk.subarray(part.length);
    }
    this.#receivedBytes -= length;
    if (this.#receivedBytes < RECEIVE_BYTES_MAX / 2 && this.#socket.isPaused()) this.#socket.resume();
    return length > 0 || into.length === 0 ? length : this.#failure;
  }

  flush(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket.uncork();
  }

  ready(): number {
    return (this.#receivedBytes > 0 || this.#failure !== 0 ? Want.Readable : 0) |
      (this.#room() > 0 ? Want.Writable : 0) | (this.#failure !== 0 ? Want.Work : 0);
  }

  /** Ends the connection; what was accepted still leaves, for at most a second. */
  close(): void {
    this.#received.length = 0;
    this.#receivedBytes = 0;
    if (!this.#isOpen || this.#failure !== 0) {
      this.#socket.destroy();
      return;
    }
    this.flush();
    // What still comes is read and dropped: closing with unread bytes would be a reset, which could take a DISCONNECT with it.
    this.#socket.removeAllListeners("data");
    this.#socket.resume();
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MS_MAX);
    this.#socket.on("close", () => clearTimeout(timer));
  }

  #room(): number {
    return this.#isOpen ? SEND_BYTES_MAX - this.#socket.writableLength : 0;
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes >= RECEIVE_BYTES_MAX) this.#socket.pause();
    this.onActivity(Want.Readable);
  }

  /** The first failure is the cause; what follows from it is not told. */
  #fail(status: number): void {
    if (this.#failure !== 0) return;
    this.#failure = status;
    this.onActivity(Want.Readable | Want.Writable | Want.Work);
  }
}
