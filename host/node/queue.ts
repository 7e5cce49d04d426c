// A bounded queue that is read by async iteration.

export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = [];
  readonly #readers: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = [];
  readonly #onEnd: () => void;
  #isEnded = false;
  #error: unknown = undefined;

  /** `onEnd` is called once, when the reader leaves, the signal aborts or the writer ends the queue. */
  constructor(private readonly capacity: number, onEnd: () => void = () => {}, signal?: AbortSignal) {
    const onAbort = (): void => this.end();
    this.#onEnd = () => {
      signal?.removeEventListener("abort", onAbort);
      onEnd();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) this.end();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isFull(): boolean {
    return this.#items.length >= this.capacity;
  }

  /** Adds an item; false when there is no room or no reader any more. */
  push(item: T): boolean {
    if (this.#isEnded) return false;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ value: item, done: false });
    else if (this.isFull) return false;
    else this.#items.push(item);
    return true;
  }

  /** Adds an item, in place of the oldest when there is no room. */
  pushDroppingOldest(item: T): void {
    if (this.isFull) this.#items.shift();
    this.push(item);
  }

  /** Ends the queue: what is in it can still be read; then the error, if any, is thrown once. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
    this.#onEnd();
  }

  next(): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      const item = this.#items.shift();
      if (item !== undefined) resolve({ value: item, done: false });
      else if (this.#isEnded) this.#finish({ resolve, reject });
      else this.#readers.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(reader: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) reader.resolve({ value: undefined, done: true });
    else reader.reject(error);
  }
}
