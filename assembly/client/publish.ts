// Writes PUBLISH packets into the outbox.
import { Status } from "../abi";
import { at, limit, moveTo, overflowed, putByte, putBytes, putU16 } from "../base/cursor";
import { putInteger } from "../base/decimal";
import { putMessage } from "../json/write";
import { Packet, PublishFlag } from "../mqtt/packet";
import { isConfigured, isSending, wake } from "./connection";
import * as outbox from "./outbox";
import { setting, Setting } from "./settings";
import * as staging from "./staging";

/** The payload is bytes as they are, not a message record. */
export const RAW: i32 = -1;
/** The topic has no number at its end. */
export const NO_NUMBER: i64 = -1;

/** Puts the remaining length before the body that ends at the cursor; one byte was left free for it. */
function putRemainingLength(body: usize): void {
  const length = <i32>(at - body);
  let extra = 0;
  for (let rest = length >> 7; rest; rest >>= 7) extra++;
  moveTo(at + extra);
  if (overflowed()) return;
  if (extra) memory.copy(body + extra, body, length);
  let rest = length;
  for (; extra >= 0; extra--) {
    store<u8>(body - 1, extra ? rest | 0x80 : rest);
    rest >>= 7;
    body++;
  }
}

/**
 * Publishes. The topic is `topicLength` bytes, with `number` in decimal behind them; the payload is a message record of
 * `shape`, or bytes with RAW. The packet id, 0 at QoS 0, or a Status; without effect then.
 */
export function publish(topic: usize, topicLength: i32, number: i64, payload: usize, payloadLength: i32, shape: i32, options: usize): i32 {
  if (!isConfigured) return Status.BadState;
  const flags = staging.publishFlags(options);
  if (flags < 0) return Status.InvalidValue;
  let id = 0;
  if (flags & PublishFlag.Qos1) {
    id = outbox.nextId();
    if (!id) return outbox.noRoom(0);
  }
  let needed = 0;
  let wrapped = false;
  while (true) {
    if (outbox.openRecord(wrapped)) {
      const packet = at;
      putByte((Packet.Publish << 4) | flags);
      putByte(0);
      const body = at;
      putU16(0);
      putBytes(topic, topicLength);
      if (number != NO_NUMBER) putInteger(number);
      if (at <= limit) store<u16>(body, bswap<u16>(<u16>(at - body - 2)));
      if (id) putU16(id);
      if (shape == RAW) {
        putBytes(payload, payloadLength);
      } else {
        const status = putMessage(payload, payloadLength, shape);
        if (status) return status;
      }
      putRemainingLength(body);
      if (!overflowed()) {
        outbox.commit(packet, id);
        wake();
        return id;
      }
      needed = <i32>(at - packet);
    }
    if (wrapped && !(setting(Setting.OutboxDropOldest) && outbox.canEverFit(needed) && outbox.dropOldest(isSending()))) {
      return outbox.noRoom(needed);
    }
    wrapped = !wrapped;
  }
}
