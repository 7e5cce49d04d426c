// Random numbers of one seed, alike on every machine.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 bits, by the mixing function of SplitMix32. */
  u32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + (this.u32() % (most - least + 1));
  }

  /** True so often in a hundred. */
  percent(share: number): boolean {
    return this.u32() % 1000 < share * 10;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.u32() % items.length]!;
  }

  /** Milliseconds until something that happens every `meanMs` on average, with no memory of the last time. */
  interval(meanMs: number): number {
    return Math.max(1, Math.round(-Math.log((this.u32() + 1) / 0x1_0000_0001) * meanMs));
  }

  /** A generator of its own, so that what one part draws does not shift what the others draw. */
  fork(): Random {
    return new Random(this.u32());
  }
}
