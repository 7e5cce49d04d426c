// Turns the module: polls it until it has nothing to do, sleeps until it has, and builds it again after a trap.

import { NO_DEADLINE_MS } from "../../build/generated/abi.ts";
import { TrappedError } from "./errors.ts";
import type { ModuleEvent } from "./event-record.ts";
import type { ClientModule } from "./module.ts";
import type { Ports } from "./ports/port.ts";

/** Polls in one turn of the event loop, so that a busy link leaves time for everything else. */
const POLLS_PER_TURN = 32;
/** So many traps within so long a time end the client. */
const TRAPS_MAX = 5;
const TRAPS_WITHIN_MS = 600_000;

export interface RunnerEvents {
  /** True when handlers should run before the next poll, so that a reply leaves with the acknowledgement. */
  onEvent(event: ModuleEvent, module: ClientModule): boolean;
  /** After each turn: room may have been made. */
  onTurn(): void;
  /** Nothing is open and nothing is due. */
  onIdle(): void;
  onTrap(error: TrappedError, dead: ClientModule): void;
  onRebuilt(module: ClientModule): void;
  onFailed(error: TrappedError): void;
}

export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

export class Runner {
  /** null while the module that trapped is not yet built again. */
  #module: ClientModule | null;
  #isStarted = false;
  #isFailed = false;
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #trapsAtMs: number[] = [];

  constructor(
    private readonly build: () => ClientModule,
    private readonly ports: Ports,
    private readonly backoff: Backoff,
    private readonly events: RunnerEvents,
  ) {
    this.#module = build();
    ports.net.onActivity = (happened) => {
      if (this.#turn === undefined && this.#guard((module) => module.wants() & happened)) this.wake();
    };
    // What these are asked for comes while the module sleeps until a deadline of its own.
    for (const port of [ports.store, ports.ota]) if (port !== undefined) port.onActivity = () => this.wake();
  }

  get module(): ClientModule | null {
    return this.#module;
  }

  get isFailed(): boolean {
    return this.#isFailed;
  }

  start(): void {
    if (this.#module === null) {
      if (this.#isFailed) this.#trapsAtMs = [];
      this.#isFailed = false;
      this.#rebuild();
    }
    this.#isStarted = true;
    this.use((module) => module.start());
  }

  stop(): void {
    this.#isStarted = false;
    this.#guard((module) => module.stop());
    this.ports.net.flush();
    this.#sleep();
  }

  /** Calls the module and lets it poll soon; null when there is no module now. A trap is handled and thrown. */
  use<T>(call: (module: ClientModule) => T): T | null {
    try {
      return this.ask(call);
    } finally {
      this.wake();
    }
  }

  /** The same for what may give the module nothing to do: whoever asks wakes it when it did. */
  ask<T>(call: (module: ClientModule) => T): T | null {
    if (this.#module === null) return null;
    try {
      return call(this.#module);
    } catch (error) {
      if (error instanceof TrappedError) this.#trapped(error);
      throw error;
    }
  }

  wake(): void {
    if (this.#turn === undefined && this.#isStarted && this.#module !== null) this.#turn = setImmediate(() => this.#run());
  }

  #run(): void {
    this.#sleep();
    this.#guard((module) => {
      for (let polls = 0; polls < POLLS_PER_TURN; polls++) {
        const kind = module.poll();
        this.ports.net.flush();
        const isYielding = kind !== 0 && this.events.onEvent(module.event(), module);
        if (!this.#isStarted || this.#module !== module) return;
        if (isYielding || module.deadlineMs() > 0) break;
      }
      this.events.onTurn();
      if (this.#isStarted && this.#module === module) this.#sleepUntilDue(module);
    });
  }

  #sleepUntilDue(module: ClientModule): void {
    const deadlineMs = module.deadlineMs();
    const wants = module.wants();
    if (deadlineMs === 0 || (wants & this.ports.net.ready()) !== 0) this.wake();
    else if (deadlineMs < NO_DEADLINE_MS) this.#timer = setTimeout(() => this.#run(), deadlineMs);
    else if (wants === 0) {
      this.#isStarted = false;
      this.events.onIdle();
    }
  }

  /** No turn is due any more. */
  #sleep(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
    this.#turn = this.#timer = undefined;
  }

  #guard<T>(call: (module: ClientModule) => T): T | undefined {
    const module = this.#module;
    if (module === null) return undefined;
    try {
      return call(module);
    } catch (error) {
      if (!(error instanceof TrappedError)) throw error;
      // Else who called it in between has said so already.
      if (this.#module === module) this.#trapped(error);
      return undefined;
    }
  }

  #trapped(error: TrappedError): void {
    const dead = this.#module;
    this.#module = null;
    this.#sleep();
    dead?.discard();
    const nowMs = Number(this.ports.clock.nowMs());
    this.#trapsAtMs = [...this.#trapsAtMs.filter((atMs) => nowMs - atMs < TRAPS_WITHIN_MS), nowMs];
    if (dead !== null) this.events.onTrap(error, dead);
    if (this.#trapsAtMs.length >= TRAPS_MAX) {
      this.#isFailed = true;
      this.#isStarted = false;
      this.events.onFailed(error);
      return;
    }
    const ceilingMs = Math.min(this.backoff.maxMs, this.backoff.minMs * 2 ** (this.#trapsAtMs.length - 1));
    const jitter = (this.ports.clock.random() >>> 0) / 2 ** 32;
    if (this.#isStarted) this.#timer = setTimeout(() => this.#rebuild(), ceilingMs * jitter);
  }

  #rebuild(): void {
    this.#sleep();
    try {
      this.#module = this.build();
      this.events.onRebuilt(this.#module);
      // What was declared to it may have made it trap already.
      if (this.#isStarted) this.#module?.start();
    } catch (error) {
      if (!(error instanceof TrappedError)) throw error;
      this.#trapped(error);
    }
    this.wake();
  }
}
