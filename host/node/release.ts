// What readers of inbound messages may answer them, as long as the module waits for it.

import { Status } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";

/** An inbound message, a part of one, a request or an update. */
export interface Releasable {
  /**
   * Answers the message, as `mote_release` does: with false the option `redeliver` decides whether the server sends it again or it is dropped and
   * counted (ABI.md, section 6). Who does not call it accepts, and one false stands, whoever else reads the message.
   *
   * Throws a BadStateError once the message is acknowledged, and that happens in the next turn of the event loop: call it before
   * anything is awaited. What waited for its reader is acknowledged already; with `queueMessages: 0` nothing waits.
   */
  release(isAccepted: boolean): void;
}

export type Release = Releasable["release"];

/** Of what no message brought. */
export const notLent: Release = () => {
  throw errorOf(Status.BadState, "release", { text: "no message waits for it" });
};

/** Gives an item its answer, which stays out of sight when it is printed, copied or compared. */
export function releasable<Item extends object>(item: Item, release: Release): Item & Releasable {
  return Object.defineProperty(item, "release", { value: release }) as Item & Releasable;
}
