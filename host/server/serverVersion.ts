// What older servers did in another way (spec 11.31).

export class ServerVersion {
  readonly text: string;
  readonly #parts: readonly number[];

  constructor(text: string) {
    if (!/^\d+(\.\d+){0,3}$/.test(text)) throw new Error(`a server version is like "4.2.1", not "${text}"`);
    this.text = text;
    this.#parts = text.split(".").map(Number);
  }

  /** getSessionLimits is answered; before, it is a client-side RPC like any other. */
  get knowsSessionLimits(): boolean {
    return this.#isAtLeast(3, 8);
  }

  /** One PUBACK for a whole gateway message; before, one for each device in it. */
  get aggregatesAcknowledgements(): boolean {
    return this.#isAtLeast(4, 2, 1);
  }

  #isAtLeast(...wanted: number[]): boolean {
    for (const [index, part] of wanted.entries()) {
      const own = this.#parts[index] ?? 0;
      if (own !== part) return own > part;
    }
    return true;
  }
}

export const defaultServerVersion = "4.4";
