// Waits for something to become true, woken by whoever changes it; nothing here sleeps.

/** A test that waits longer than this has failed. Nothing measures it, so it is long enough for a busy machine. */
export const PATIENCE_MS = 20_000;

export class Watch {
  #waiting: (() => void)[] = [];

  /** Something changed: everybody looks again. */
  changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** What `find` finds, as soon as it finds something; `describe` says what there is instead. */
  async until<Found>(what: string, find: () => Found | undefined, describe: () => string): Promise<Found> {
    const deadlineMs = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) throw new Error(`waited ${PATIENCE_MS} ms for ${what}; there is ${describe()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}
