// The life of the connection as callers see it: who waits for it, who waits for its end, and its state.

import { ReturnCode, Status } from "../../build/generated/abi.ts";
import type { Prepared } from "./configuration.ts";
import { errorOf, RefusedError, type MoteError } from "./errors.ts";
import type { LinkState } from "./options.ts";
import type { Deferred } from "./outbox.ts";
import type { Runner } from "./runner.ts";

/** Refusals that no further attempt mends: all but "server unavailable" [MQTT-3.2.2.3]. */
const isFinal = (returnCode: number): boolean => returnCode !== ReturnCode.ServerUnavailable;

export class Link {
  readonly #connecting = new Set<Deferred<void> & { readonly isRetrying: boolean }>();
  readonly #ending: (() => void)[] = [];
  #phase: "Stopped" | "Trying" | "Connected" | "Draining" = "Stopped";
  /** What a `start` that takes a disconnect back returns to. */
  #drained: "Trying" | "Connected" = "Trying";

  /** `onEnded` is told when the link is down for good, until the next `start`. */
  constructor(
    private readonly configuration: Prepared,
    private readonly runner: () => Runner,
    private readonly onEnded: (error: MoteError) => void,
  ) {}

  get state(): LinkState {
    if (this.runner().isFailed) return "Failed";
    if (this.#phase !== "Trying") return this.#phase;
    return ({ none: "Waiting", opening: "Opening", open: "Connecting" } as const)[this.runner().module?.link() ?? "none"];
  }

  start(): void {
    if (this.configuration.tls?.verify === false) {
      process.emitWarning(`TLS certificates of ${this.configuration.address} are not verified`, { code: "MOTE_TLS_UNVERIFIED" });
    }
    this.runner().start();
    if (this.#phase === "Stopped") this.#phase = "Trying";
    if (this.#phase !== "Draining") return;
    this.#phase = this.#drained;
    this.#tellEnding();
  }

  async connect(retry: boolean, signal: AbortSignal | undefined): Promise<void> {
    this.start();
    if (this.#phase === "Connected") return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#connecting.delete(waiting);
        reject(signal!.reason);
        this.halt();
      };
      const settled = (): void => {
        this.#connecting.delete(waiting);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiting = {
        isRetrying: retry,
        resolve: () => { settled(); resolve(); },
        reject: (error: unknown) => { settled(); reject(error); },
      };
      this.#connecting.add(waiting);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Resolves when the connection has ended, or when `start` has taken that back. */
  async disconnect(): Promise<void> {
    if (this.#phase === "Stopped") return;
    const ended = new Promise<void>((resolve) => this.#ending.push(resolve));
    if (this.#phase !== "Draining") this.#drained = this.#phase;
    this.#phase = "Draining";
    if (this.runner().use((module) => module.disconnect()) === null) this.halt();
    await ended;
  }

  halt(): void {
    this.runner().stop();
    this.ended();
  }

  connected(): void {
    if (this.#phase !== "Draining") this.#phase = "Connected";
    for (const waiting of this.#connecting) waiting.resolve();
  }

  disconnected(reason: number): void {
    this.#drained = "Trying";
    if (reason === Status.Requested) {
      // Else `start` came behind the disconnect, before the module could tell of its end.
      if (this.#phase === "Draining") this.ended();
      return;
    }
    if (this.#phase === "Connected") this.#phase = "Trying";
    this.#failConnect(errorOf(reason, this.#doing), false);
  }

  refused(returnCode: number): void {
    this.#failConnect(new RefusedError(this.#doing, returnCode), isFinal(returnCode));
  }

  /** The module trapped; whether a connection ended by that. */
  trapped(): boolean {
    const wasConnected = this.#phase === "Connected" || this.#phase === "Draining";
    if (this.#phase === "Draining") this.halt();
    if (this.#phase === "Connected") this.#phase = "Trying";
    return wasConnected;
  }

  /** No attempt mends it. */
  failed(error: MoteError): void {
    this.#failConnect(error, true);
  }

  ended(): void {
    this.#phase = "Stopped";
    const error = errorOf(Status.Requested, "ended before delivery was confirmed");
    for (const waiting of this.#connecting) waiting.reject(error);
    this.onEnded(error);
    this.#tellEnding();
  }

  #tellEnding(): void {
    for (const resolve of this.#ending.splice(0)) resolve();
  }

  /** Rejects the callers of `connect` who do not want to wait for a further attempt. */
  #failConnect(error: MoteError, isFinal: boolean): void {
    let isRejected = false;
    for (const waiting of this.#connecting) {
      if (waiting.isRetrying && !isFinal) continue;
      waiting.reject(error);
      isRejected = true;
    }
    if (isRejected) this.halt();
  }

  get #doing(): string {
    return `connect to ${this.configuration.address}`;
  }
}
