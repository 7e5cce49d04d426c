// Sends the PUBACKs of one connection: in order and at once, unless a fault asks for another way.

import type { Faults } from "./faults.ts";

export interface Puback {
  readonly messageId: number;
  /** MQTT 5 only. */
  readonly reasonCode: number;
}

export class Acknowledger {
  readonly #faults: Faults;
  readonly #write: (puback: Puback) => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #reversed: Puback[] = [];
  #heldForReply: Puback[] = [];

  constructor(faults: Faults, write: (puback: Puback) => void) {
    this.#faults = faults;
    this.#write = write;
  }

  send(puback: Puback): void {
    if (this.#faults.take("dropPuback")) return;
    if (this.#faults.take("replyBeforePuback")) {
      this.#heldForReply.push(puback);
    } else if (this.#faults.take("reversePubacks")) {
      this.#reversed.unshift(puback);
      if (this.#faults.left("reversePubacks") === 0) this.#releaseReversed();
    } else {
      this.#sendLater(puback, this.#faults.takePubackDelayMs());
    }
  }

  /** A downlink was written: PUBACKs that had to come after it follow. */
  replyWritten(): void {
    const held = this.#heldForReply;
    this.#heldForReply = [];
    for (const puback of held) this.#write(puback);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#reversed = [];
    this.#heldForReply = [];
  }

  #sendLater(puback: Puback, delayMs: number): void {
    if (delayMs === 0) return this.#writeCopies(puback);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#writeCopies(puback);
    }, delayMs);
    this.#timers.add(timer);
  }

  #writeCopies(puback: Puback): void {
    this.#write(puback);
    if (this.#faults.take("duplicatePuback")) this.#write(puback);
  }

  #releaseReversed(): void {
    const reversed = this.#reversed;
    this.#reversed = [];
    for (const puback of reversed) this.#write(puback);
  }
}
