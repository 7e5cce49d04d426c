// Hands on the downlinks of one connection: in order and at once, unless a fault asks for another way.

import type { Faults } from "./faults.ts";
import type { Downlink } from "./session.ts";

type Publish = (downlink: Downlink, qos: 0 | 1) => void;

export class Courier {
  readonly #faults: Faults;
  readonly #publish: Publish;
  readonly #timers = new Set<NodeJS.Timeout>();
  #reversed: (() => void)[] = [];

  constructor(faults: Faults, publish: Publish) {
    this.#faults = faults;
    this.#publish = publish;
  }

  deliver(downlink: Downlink, qos: 0 | 1): void {
    if (this.#faults.take("dropReply")) return;
    if (this.#faults.take("reverseReplies")) {
      this.#reversed.unshift(() => this.#publish(downlink, qos));
      if (this.#faults.left("reverseReplies") === 0) this.#releaseReversed();
      return;
    }
    const delayMs = this.#faults.takeReplyDelayMs();
    if (delayMs === 0) return this.#publishCopies(downlink, qos);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#publishCopies(downlink, qos);
    }, delayMs);
    this.#timers.add(timer);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#reversed = [];
  }

  #publishCopies(downlink: Downlink, qos: 0 | 1): void {
    this.#publish(downlink, qos);
    if (this.#faults.take("duplicateReply")) this.#publish(downlink, qos);
  }

  #releaseReversed(): void {
    const reversed = this.#reversed;
    this.#reversed = [];
    for (const publish of reversed) publish();
  }
}
