// Writes PUBLISH packets into the outbox.
import { Status } from "../abi";
import { at, limit, overflowed, putByte, putBytes, putU16 } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { putMessage } from "../json/write";
import { putRemainingLength } from "../mqtt/length";
import { Packet, PublishFlag } from "../mqtt/packet";
import { isConfigured, isSending, wake } from "./connection";
import * as outbox from "./outbox";
import { setting, Setting } from "./settings";
import { publishFlags } from "./staging";

/** The payload is bytes as they are, not a message record. */
export const RAW: i32 = -1;
/** The topic has no number at its end. */
export const NO_NUMBER: i32 = -1;

/**
 * Publishes. The topic is `topicLength` bytes, with `number` in decimal behind them; the payload is a message record of
 * `shape`, or bytes with RAW. The packet id, 0 at QoS 0, or a Status; without effect then.
 */
export function publish(topic: usize, topicLength: i32, number: i32, payload: usize, payloadLength: i32, shape: i32, options: usize): i32 {
  if (!isConfigured) return Status.BadState;
  const flags = publishFlags(options);
  if (flags > 3) return Status.InvalidValue;
  const id = flags & PublishFlag.Qos1 ? outbox.nextId() : 0;
  if (!id && flags & PublishFlag.Qos1) return Status.Full;
  while (true) {
    outbox.openRecord();
    const packet = at;
    putByte((Packet.Publish << 4) | flags);
    putByte(0);
    const body = at;
    putU16(0);
    putBytes(topic, topicLength);
    if (number != NO_NUMBER) putDecimal(number, 0);
    if (at <= limit) store<u16>(body, bswap<u16>(<u16>(at - body - 2)));
    if (id) putU16(id);
    let status: i32 = Status.Ok;
    if (shape == RAW) putBytes(payload, payloadLength);
    else status = putMessage(payload, payloadLength, shape);
    if (status) return status;
    putRemainingLength(body);
    if (!overflowed()) {
      outbox.commit(id);
      wake();
      return id;
    }
    status = outbox.makeRoom(<i32>(at - packet), isSending(), <bool>setting(Setting.OutboxDropOldest));
    if (status) return status;
  }
}
