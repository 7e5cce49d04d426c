// Writes PUBLISH, SUBSCRIBE and UNSUBSCRIBE packets into the outbox.
import { OptionField, Status } from "../abi";
import { at, limit, moveTo, overflowed, putBytes, putU16, storeU16 } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { COUNTED_SHIFT, putMessage, UNCOUNTED_SHAPE } from "../json/write";
import { fail } from "../memory";
import { putRemainingLength } from "../mqtt/length";
import { Packet, PublishFlag } from "../mqtt/packet";
import { isConfigured } from "./backoff";
import { wake } from "./connection";
import { maxRemainingLength } from "./limits";
import * as outbox from "./outbox";
import { packetOf } from "./outbox-record";
import { isSending } from "./sending";
import { setting, Setting } from "./settings";
import { address, holds } from "./staging";

/** The payload is bytes as they are, not a message record. With limits the low twelve bits are what the packet costs. */
export const RAW: i32 = FEATURE_LIMITS ? -0x1000 : -1;
/** The same of a message that the server does not count. */
export const RAW_FREE: i32 = -2;
/** The same of telemetry or attributes, whose data points it counts. */
export const RAW_COUNTED: i32 = -1;
/** The same of what a gateway sends for a child: its connect document, and what counts as a message. */
export const RAW_CONNECT: i32 = -5;
export const RAW_CHILD: i32 = -4;
/** The topic has no number at its end. */
export const NO_NUMBER: i32 = -1;

/** The first byte of an UNSUBSCRIBE, with the flags 0010 [MQTT-3.10.1-1]. */
export const UNSUBSCRIBE: u32 = 0xa2;
/** QoS 1 and RETAIN. */
const FLAGS_MAX: u32 = 3;
/** What was appended last, and bytes of its payload, which ends at the cursor. */
export let lastRecord: usize = 0;
export let lastPayloadLength: i32 = 0;

/**
 * Appends a packet. Its topic or filter is `topicLength` bytes, with `number` in decimal behind them; its payload is a
 * message record of `shape`, or bytes with RAW and its likes. The packet id, 0 at QoS 0, or a Status, that which stands in place of
 * the first byte too; without effect then.
 */
export function append(
  firstByte: i32, topic: usize, topicLength: i32, number: i32, payload: usize, payloadLength: i32, shape: i32,
): i32 {
  if (firstByte < 0) return firstByte;
  // A SUBSCRIBE or an UNSUBSCRIBE: 1, else 0.
  const isRequest = FEATURE_RAW ? firstByte >> 7 : 0;
  let id = 0;
  if (isRequest) {
    id = outbox.nextRequestId();
  } else if (firstByte & PublishFlag.Qos1) {
    id = outbox.nextMessageId();
    if (!id) return Status.Full;
  }
  while (true) {
    const record = outbox.openRecord();
    const packet = packetOf(record);
    const body = packet + 2;
    const text = body + (isRequest << 1);
    moveTo(text + 2);
    putBytes(topic, topicLength);
    if (number != NO_NUMBER) putDecimal(number, 0);
    if (at <= limit) {
      const length = <i32>(at - text) - 2;
      store<u8>(packet, firstByte);
      if (isRequest) storeU16(body, id);
      storeU16(text, length);
    }
    if (id && !isRequest) putU16(id);
    const payloadBegin = at;
    let status: i32 = Status.Ok;
    if (shape < 0) putBytes(payload, payloadLength);
    else status = putMessage(payload, payloadLength, FEATURE_GATEWAY ? shape & UNCOUNTED_SHAPE : shape);
    if (status) return status;
    if (FEATURE_GATEWAY) {
      lastRecord = record;
      lastPayloadLength = <i32>(at - payloadBegin);
    }
    const remaining = <i32>(at - body);
    if (FEATURE_LIMITS && remaining > maxRemainingLength) return fail(Status.TooLarge, remaining, 0, 0);
    putRemainingLength(body);
    if (!overflowed()) {
      outbox.commit(id, shape < 0 ? shape : -(shape >> COUNTED_SHIFT));
      wake();
      return id;
    }
    status = outbox.makeRoom(<i32>(at - record), isSending(), FEATURE_RAW && <bool>setting(Setting.OutboxDropOldest));
    if (!FEATURE_FAST || status) return status;
  }
}

/** The first byte of a PUBLISH as the options record of a verb asks for it; a Status when the verb is not allowed, or its message record not in the staging area. */
export function publishByte(recordLength: i32, options: usize): i32 {
  if (!isConfigured()) return Status.BadState;
  let flags: u32 = FLAGS_MAX + 1;
  if (holds(address(), recordLength)) {
    if (!options) flags = setting(Setting.Qos) << 1;
    else if (holds(options, OptionField.End) && load<u16>(options, OptionField.Size) >= <u16>OptionField.End) {
      flags = ((<u32>load<u8>(options, OptionField.Qos)) << 1) | <u32>(load<u8>(options, OptionField.Retain) != 0);
    }
  }
  return flags > FLAGS_MAX ? <i32>Status.InvalidValue : (Packet.Publish << 4) | flags;
}

/** Publishes the message record at the start of the staging area. */
export function publishRecord(topic: usize, topicLength: i32, number: i32, length: i32, shape: i32, options: usize): i32 {
  return append(publishByte(length, options), topic, topicLength, number, address(), length, shape);
}
