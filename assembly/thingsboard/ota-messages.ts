// Sends what an update has to say: each message once, in the order of their places, as soon as the outbox has room.
import { Status } from "../abi";
import { at, open, putByte, putBytes, putSpan } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { arm, Timer } from "../base/time";
import { wake } from "../client/connection";
import { SUBSCRIBE } from "../client/outbox-record";
import { append, NO_NUMBER, publishByte, RAW, RAW_COUNTED, RAW_FREE } from "../client/publish";
import { setting, Setting, textSpan } from "../client/settings";
import { OTA_KINDS } from "../memory";
import { Packet } from "../mqtt/packet";
import { chunkSize, kind, requestId, written } from "./ota";
import { block, scratch } from "./ota-package";
import { takeId } from "./requests";
import { ATTRIBUTES_REQUEST, addressOf, lengthOf, OTA_ASSIGNED, OTA_CURRENT, OTA_FAILED, OTA_REQUEST, OTA_RESPONSE_FILTER, OTA_STATE, TELEMETRY } from "./topics";

/** Places of the messages; of Current and Assigned there is one for each OtaKind. */
export const enum Message {
  Current = 0, // what runs
  State = 2, // the state of the update, or its error
  Filter = 3, // the subscription to chunks
  Chunk = 4, // the request of a chunk
  Assigned = 5, // the request of the attributes of a package
}

/** One bit for each message that has to leave. */
export let unsent: i32 = 0;
/** What State says. */
export let word: usize = 0;

// @ts-ignore: decorator
@inline
export function setWord(text: usize): void {
  word = text;
}

/** Has messages sent as soon as may be. */
export function want(messages: i32): void {
  unsent |= messages;
  wake();
}

// @ts-ignore: decorator
@inline
export function forget(messages: i32): void {
  unsent &= ~messages;
}

/** Reports a state, or an error: a text whose first byte is its Status, negated; the one before must have left. */
export function report(text: usize): void {
  word = text;
  want(1 << Message.State);
}

/** Writes a template for a kind at the scratch; the bytes of its topic, 0 when it has none. */
export function compose(form: usize, about: i32): i32 {
  let topicLength = 0;
  let name = Setting.FirmwareTitle + (about << 1);
  open(scratch, block);
  for (const end = form + load<u8>(form); form < end; ) {
    let byte: u32 = load<u8>(++form);
    let number = chunkSize;
    switch (byte) {
      case 0x23: // #
        topicLength = <i32>(at - scratch);
        continue;
      case 0x28: // (
        putSpan(textSpan(name));
        name++;
        continue;
      case 0x29: // )
        putBytes(word + 2, <i32>load<u8>(word) - 1);
        continue;
      case 0x24: // $
        putByte(0x66 + 13 * about); // f, s
        byte = 0x77;
      default:
        putByte(byte);
        continue;
      case 0x25: // %
        number = requestId;
        break;
      case 0x26: // &
        number = written / chunkSize;
      case 0x27: // '
    }
    putDecimal(number, 0);
  }
  return topicLength;
}

/** What a server never answers is asked for again. */
export function awaitAnswer(): void {
  arm(Timer.Ota, setting(Setting.OtaChunkTimeoutS) * 1000);
}

/** Sends the first message that has to leave. */
// @ts-ignore: decorator
@inline
export function send(): void {
  const message = ctz(unsent);
  let about = kind;
  let firstByte = publishByte(0, 0);
  let topic = addressOf(TELEMETRY);
  let topicLength = lengthOf(TELEMETRY);
  let number = NO_NUMBER;
  let form: usize = OTA_CURRENT;
  let shape = RAW;
  if (message <= Message.State) {
    shape = RAW_COUNTED;
    if (message == Message.State) form = load<u8>(word, 1) ? OTA_FAILED : OTA_STATE;
    else about = message;
  } else if (message == Message.Filter) {
    firstByte = SUBSCRIBE;
    form = OTA_RESPONSE_FILTER;
  } else if (message == Message.Chunk) {
    // The answer comes again if it is lost, so the request needs no acknowledgement; the server counts the first one alone.
    firstByte = Packet.Publish << 4;
    form = OTA_REQUEST;
    shape = RAW_FREE;
  } else {
    about = message - Message.Assigned;
    topic = addressOf(ATTRIBUTES_REQUEST);
    topicLength = lengthOf(ATTRIBUTES_REQUEST);
    number = takeId();
    form = OTA_ASSIGNED;
  }
  const composedLength = compose(form, about);
  const payload = scratch + composedLength;
  if (composedLength) {
    topic = scratch;
    topicLength = composedLength;
  }
  if (append(firstByte, topic, topicLength, number, payload, <i32>(at - payload), shape) == Status.Full) return;
  forget(1 << message);
  if (message >= Message.Chunk) awaitAnswer();
  if (message >= Message.Assigned) store<i32>(OTA_KINDS + (about << 2), number);
}
