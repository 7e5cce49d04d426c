// Sends what an update has to say: each message once, in the order of their places, as soon as the outbox has room.
import { Status } from "../abi";
import { at, open, putByte, putBytes } from "../base/cursor";
import { putDecimal } from "../base/decimal";
import { arm, Timer } from "../base/time";
import { append, NO_NUMBER, publishByte, RAW, RAW_COUNTED, RAW_FREE, SUBSCRIBE } from "../client/publish";
import { setting, Setting, textLength } from "../client/settings";
import { OTA_KINDS } from "../memory";
import { Packet } from "../mqtt/packet";
import { BLOCK_SIZE, scratch } from "./ota-package";
import { takeId } from "./requests";
import { addressOf, ATTRIBUTES_REQUEST, lengthOf, OTA_ASSIGNED, OTA_CURRENT, OTA_REQUEST, OTA_RESPONSE_FILTER, TELEMETRY } from "./topics";

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
/** What State says: its template and the text in it. */
let template: usize = 0;
let word: usize = 0;
let wordLength: i32 = 0;

export function want(messages: i32): void {
  unsent |= messages;
}

export function forget(messages: i32): void {
  unsent &= ~messages;
}

/** Reports a state; the one before must have left. */
export function say(form: usize, text: usize, length: i32): void {
  template = form;
  word = text;
  wordLength = length;
  unsent |= 1 << Message.State;
}

/** Writes a template at the scratch; its bytes. Its texts are those of the settings from `key` on, or what `say` was given. */
export function compose(form: usize, kind: i32, requestId: i32, key: i32): i32 {
  open(scratch, scratch + BLOCK_SIZE);
  const end = form + load<u8>(form);
  while (form < end) {
    let byte: u32 = load<u8>(++form);
    if (byte == 0x23) {
      putDecimal(requestId, 0);
    } else if (byte == 0x7e) {
      if (key) putBytes(setting(key), textLength(key++));
      else putBytes(word, wordLength);
    } else {
      if (byte == 0x24) byte = 0x66 + 13 * kind; // f, s
      putByte(byte);
    }
  }
  return <i32>(at - scratch);
}

/** Sends the first message that has to leave. `kind` is that of the present package, whose chunk is asked for under `requestId`. */
export function send(kind: i32, requestId: i32, chunk: i32, chunkSize: i32, isIdle: bool): void {
  const message = ctz(unsent);
  let firstByte: u32 = publishByte(0);
  let topic = TELEMETRY;
  let number = NO_NUMBER;
  let form = template;
  let key = 0;
  if (message < Message.State) {
    kind = message;
    key = Setting.FirmwareTitle + (kind << 1);
    form = OTA_CURRENT;
  } else if (message == Message.Filter) {
    firstByte = SUBSCRIBE;
    form = OTA_RESPONSE_FILTER;
  } else if (message == Message.Chunk) {
    // The answer comes again if it is lost, so the request needs no acknowledgement.
    firstByte = Packet.Publish << 4;
    number = chunk;
    form = OTA_REQUEST;
  } else if (message >= Message.Assigned) {
    kind = message - Message.Assigned;
    topic = ATTRIBUTES_REQUEST;
    number = takeId();
    form = OTA_ASSIGNED;
  }
  let nameLength = compose(form, kind, requestId, key);
  let name = scratch;
  let payload = at;
  if (message == Message.Chunk) {
    putDecimal(chunkSize, 0);
  } else if (message == Message.Filter) {
    putByte(0); // QoS
  } else {
    name = addressOf(topic);
    nameLength = lengthOf(topic);
    payload = scratch;
  }
  // Of a download the server counts the first chunk alone.
  const shape = message <= Message.State ? RAW_COUNTED : message == Message.Chunk ? RAW_FREE : RAW;
  const status = append(firstByte, name, nameLength, number, payload, <i32>(at - payload), shape);
  if (status == Status.Full) return;
  unsent &= unsent - 1;
  // What a server never answers is asked for again; a download has the timer to itself.
  if (message == Message.Chunk || (message >= Message.Assigned && isIdle)) arm(Timer.Ota, setting(Setting.OtaChunkTimeoutS) * 1000);
  if (message >= Message.Assigned) store<i32>(OTA_KINDS + (kind << 2), number);
}
