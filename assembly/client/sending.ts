// Offers packets to the port, one after the other and each until it was accepted whole.
import { Stat, State } from "../abi";
import { bytes } from "../base/text";
import { arm, disarmOften, Timer } from "../base/time";
import { net_close, net_send } from "../host";
import { count, countBy } from "../memory";
import { state, wake } from "./connection";
import * as hello from "./hello";
import * as lane from "./lane";
import * as limits from "./limits";
import * as outbox from "./outbox";
import { costOf, isForChildren, packetEnd, packetOf } from "./outbox-record";
import { children, strangers } from "./points";
import { setting, Setting } from "./settings";

/** The connection of the port; 0 = none, below zero why there is none any more, to be handled by the next step. */
export let handle: i32 = 0;

// @ts-ignore: decorator
@inline
export function setHandle(value: i32): void {
  handle = value;
}

/** What of the present packet the port has not accepted yet. */
let out: usize = 0;
let outEnd: usize = 0;
/** That the server finds or makes a child and opens its session are two messages. */
const CHILD_COST: i32 = 2;
/** The next packet of the outbox was held back. */
let held: bool = false;

/** A packet is on its way, so that its bytes must stay where they are. */
// @ts-ignore: decorator
@inline
export function isSending(): bool {
  return out != outEnd;
}

/** The packet that ends here is on its way. */
export function isOnItsWay(packetEnd: usize): bool {
  return isSending() && outEnd == packetEnd;
}

/** Sends these packets before all others; none is on its way. */
// @ts-ignore: decorator
@inline
export function sendFirst(from: usize, to: usize): void {
  out = from;
  outEnd = to;
}

/** The same with what every session begins with. */
// @ts-ignore: decorator
@inline
export function sendGreeting(): void {
  out = hello.greeting;
  outEnd = out + load<u8>(out, 1) + 2;
}

/** What was on its way is not any more. */
// @ts-ignore: decorator
@inline
export function giveUp(): void {
  out = outEnd;
}

/** Spends what the packet of a record costs: 0, or the milliseconds for which the limits of the server hold it back. */
// @ts-ignore: decorator
@apart
function admit(record: usize): i32 {
  let leaves = 0;
  while (true) {
    const points = costOf(record, leaves);
    if (!FEATURE_GATEWAY || !isForChildren(record)) return limits.admit(points);
    if (leaves++) return 0;
    const waitMs = limits.spendInTime(limits.Limit.ChildMessages, strangers * CHILD_COST + (points ? 0 : children), points ? children : 0, points);
    if (waitMs) return waitMs;
  }
}

/** Chooses the next packet to send, if there is one. */
// @ts-ignore: decorator
@inline
function pick(): void {
  if (state < State.Connected) return;
  if (FEATURE_LIMITS) disarmOften(Timer.Pace);
  if (!lane.isEmpty()) {
    sendFirst(lane.take(), lane.end);
    if (isSending()) return;
  }
  if (hello.isLimited()) return;
  const record = outbox.nextToSend(setting(Setting.MaxInflight));
  if (!record) return;
  if (FEATURE_LIMITS) {
    if (!limits.isUnlimited) {
      const waitMs = admit(record);
      if (waitMs) {
        held = true;
        arm(Timer.Pace, waitMs);
        return;
      }
    }
    if (held) count(Stat.MessagesDelayed);
    held = false;
  }
  sendFirst(packetOf(record), packetEnd(record));
}

/** Offers everything that may leave to the port. */
export function flush(): void {
  while (true) {
    if (!isSending()) pick();
    const from = out;
    const length = <i32>(outEnd - from);
    if (!length) break;
    const sent = net_send(handle, from, length);
    if (sent < 0) {
      net_close(handle);
      handle = sent;
      break;
    }
    countBy(Stat.BytesSent, sent);
    out = from + sent;
    if (sent != length) break;
    if (outbox.holds(outEnd)) outbox.markSent(setting(Setting.AckTimeoutS));
    // This may have been the last packet that an orderly end waits for.
    if (state == State.Draining) wake();
  }
}

const DISCONNECT = bytes("\xe0\0");

/** Sends DISCONNECT, unless another packet is half sent. */
export function sayGoodbye(): void {
  // Nothing may follow a DISCONNECT [MQTT-3.14.4-2], so it goes straight to the port.
  if (!isSending()) net_send(handle, DISCONNECT, 2);
}
