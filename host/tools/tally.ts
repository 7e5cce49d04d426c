// Counts what a demo device sent and what the server stored of it, so that a loss shows.

export class Tally {
  /** Telemetry messages that entered the device's outbox. */
  sent = 0;
  delivered = 0;
  rpcAsked = 0;
  rpcAnswered = 0;
  cuts = 0;
  connects = 0;
  /** Stored a second time, because the connection broke between a message and its acknowledgement. */
  repeated = 0;
  readonly #stored = new Set<number>();

  store(sequence: number): void {
    if (this.#stored.has(sequence)) this.repeated++;
    this.#stored.add(sequence);
  }

  get stored(): number {
    return this.#stored.size;
  }

  /** Numbers that were sent and never stored. */
  missing(): number[] {
    return Array.from({ length: this.sent }, (_, index) => index + 1).filter((sequence) => !this.#stored.has(sequence));
  }

  summary(): string {
    const missing = this.missing();
    const lost = missing.length === 0 ? "nothing lost" : `${missing.length} LOST (${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", ..." : ""})`;
    return `${this.sent} sent, ${this.stored} stored, ${lost}; ${this.repeated} repeated; ` +
      `${this.rpcAnswered} of ${this.rpcAsked} RPCs answered; ${this.cuts} cuts, ${this.connects} connects`;
  }
}
