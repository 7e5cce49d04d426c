// The time of a simulated world: what is due, in order.

interface Entry {
  readonly atMs: number;
  readonly action: () => void;
}

export class Schedule {
  nowMs = 0;
  readonly #entries: Entry[] = [];

  /** Runs the action after so long; actions of one moment run in the order in which they were asked for. */
  after(delayMs: number, action: () => void): void {
    const atMs = this.nowMs + Math.max(0, delayMs);
    let index = this.#entries.length;
    while (index > 0 && this.#entries[index - 1]!.atMs > atMs) index--;
    this.#entries.splice(index, 0, { atMs, action });
  }

  /** Runs the action again and again at the same distance. */
  every(intervalMs: number, action: () => void): void {
    this.after(intervalMs, () => {
      action();
      this.every(intervalMs, action);
    });
  }

  /** Runs what is due until `endMs` or until `isDone`, and moves the clock along. */
  run(endMs: number, isDone: () => boolean = () => false): void {
    while (!isDone()) {
      const next = this.#entries[0];
      if (next === undefined || next.atMs > endMs) {
        this.nowMs = endMs;
        return;
      }
      this.#entries.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.action();
    }
  }

  /** Lets time pass inside an action, as work on a device takes it. */
  spend(ms: number): void {
    this.nowMs += ms;
  }
}
