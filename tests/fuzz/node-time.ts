// Time for the lives of Node clients: timers that run when the life says so, in place of Node's own.

import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const REAL = { setTimeout, clearTimeout, setImmediate, clearImmediate };
const realSleep = timersPromises.setTimeout;

/** Lets promises settle, and the process tell of rejections that nobody took. */
export function settle(): Promise<void> {
  return new Promise((resolve) => REAL.setImmediate(resolve));
}

export class VirtualTime {
  nowMs = 0;
  readonly #timers = new Map<object, Timer>();
  #immediates = new Map<object, () => void>();
  #order = 0;

  /** Timers and immediates that are still due. */
  get pending(): number {
    return this.#timers.size + this.#immediates.size;
  }

  get hasImmediates(): boolean {
    return this.#immediates.size > 0;
  }

  /** How long until the next timer; Infinity for none. */
  get restMs(): number {
    return Math.min(...[...this.#timers.values()].map(({ atMs }) => atMs)) - this.nowMs;
  }

  install(): void {
    const set = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]): object => this.after(ms, () => run(...values));
    const clear = (id: object | undefined): void => { if (id !== undefined) this.#timers.delete(id); };
    const immediate = (run: (...values: unknown[]) => void, ...values: unknown[]): object => this.soon(() => run(...values));
    const clearSoon = (id: object | undefined): void => { if (id !== undefined) this.#immediates.delete(id); };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear, setImmediate: immediate, clearImmediate: clearSoon });
    timersPromises.setTimeout = ((ms: number) => new Promise<void>((resolve) => this.after(ms, resolve))) as typeof realSleep;
    syncBuiltinESMExports();
  }

  restore(): void {
    Object.assign(globalThis, REAL);
    timersPromises.setTimeout = realSleep;
    syncBuiltinESMExports();
  }

  after(ms: number, run: () => void): object {
    const id = {};
    // As Node does with a time that no timer takes.
    const delayMs = ms >= 1 && ms <= 2 ** 31 - 1 ? Math.trunc(ms) : 1;
    this.#timers.set(id, { atMs: this.nowMs + delayMs, order: this.#order++, run });
    return id;
  }

  soon(run: () => void): object {
    const id = {};
    this.#immediates.set(id, run);
    return id;
  }

  /** One turn of the event loop: timers that are due, then the immediates that there were. Each lets promises settle. */
  async turn(): Promise<void> {
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= this.nowMs).sort(([, one], [, other]) => one.atMs - other.atMs || one.order - other.order)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      due[1].run();
      await settle();
    }
    for (const id of [...this.#immediates.keys()]) {
      const run = this.#immediates.get(id);
      this.#immediates.delete(id);
      if (run === undefined) continue;
      run();
      await settle();
    }
  }

  /** Passes so much time, timer by timer, until `isEnough`; false when it never was. */
  async pass(ms: number, isEnough: () => boolean = () => false, turnsMax = 5000): Promise<boolean> {
    const endMs = this.nowMs + ms;
    for (let turns = 0; turns < turnsMax; turns++) {
      if (isEnough()) return true;
      if (!this.hasImmediates) {
        if (this.nowMs + this.restMs > endMs) break;
        this.nowMs += Math.max(0, this.restMs);
      }
      await this.turn();
    }
    if (!this.hasImmediates) this.nowMs = Math.max(this.nowMs, endMs);
    await settle();
    return isEnough();
  }
}
