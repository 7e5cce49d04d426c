// Builds a message as the packed record of ../ABI.md section 7, and hands it to the client.
//
// One message is open at a time. What does not fit the buffer is counted on, so that callers check once, and the bytes needed are known.
import { Member, MemberField, Status } from "../abi";
import { MESSAGE, MESSAGE_CAPACITY } from "./memory";
import { addressOf, lengthOf, Text } from "./text";
import * as raw from "./verbs";

/** Of a message that leaves in parts, until another one is begun. */
const HELD: i32 = i32.MIN_VALUE;

/** Bytes of the open message, also beyond what the buffer holds. */
let length: i32 = 0;
/** The outermost object or list is still to be ended. */
let isOpen: bool = false;

export function padded(bytes: i32): i32 {
  return (bytes + 3) & ~3;
}

function put(type: i32, key: Text, number: i64, content: Text): void {
  const contentAt = MemberField.Key + padded(lengthOf(key));
  const end = length + contentAt + padded(lengthOf(content));
  const at = MESSAGE + length;
  length = end;
  if (<u32>end > <u32>MESSAGE_CAPACITY) return;
  store<u16>(at, type, MemberField.Type);
  store<u16>(at, lengthOf(key), MemberField.KeyLength);
  store<i64>(at, number, MemberField.Number);
  memory.copy(at + MemberField.Key, addressOf(key), lengthOf(key));
  memory.copy(at + contentAt, addressOf(content), lengthOf(content));
}

function reset(hasEnd: bool): void {
  length = 0;
  isOpen = hasEnd;
}

/** Begins an object; what was open before is thrown away. */
export function beginMessage(): void {
  reset(true);
  put(Member.ObjectBegin, 0, 0, 0);
}

/** Begins a list in its place: telemetry of several times, each an object. */
export function beginList(): void {
  reset(true);
  put(Member.ArrayBegin, 0, 0, 0);
}

/** Makes ready JSON the whole message; the client checks it. */
export function beginDocument(json: Text): void {
  reset(false);
  put(Member.Json, 0, lengthOf(json), json);
}

export function addNull(key: Text): void {
  put(Member.Null, key, 0, 0);
}

export function addBoolean(key: Text, value: bool): void {
  put(Member.False + value, key, 0, 0);
}

export function addInteger(key: Text, value: i64): void {
  put(Member.Integer, key, value, 0);
}

/** mantissa / 10^digits, digits 0 to 18: 215 and 1 is 21.5. */
export function addDecimal(key: Text, mantissa: i64, digits: i32): void {
  put(Member.Decimal | (digits << 8), key, mantissa, 0);
}

export function addText(key: Text, value: Text): void {
  put(Member.Text, key, lengthOf(value), value);
}

/** Ready JSON; the client checks it. */
export function addJson(key: Text, json: Text): void {
  put(Member.Json, key, lengthOf(json), json);
}

export function beginObject(key: Text): void {
  put(Member.ObjectBegin, key, 0, 0);
}

export function beginArray(key: Text): void {
  put(Member.ArrayBegin, key, 0, 0);
}

/** Ends the innermost object or array. */
export function endLevel(): void {
  put(Member.End, 0, 0, 0);
}

/** Ends the message; its length, or TooLarge. */
export function ended(): i32 {
  if (isOpen) endLevel();
  isOpen = false;
  return <u32>length > <u32>MESSAGE_CAPACITY ? Status.TooLarge : length;
}

/** Keeps the message for its parts. */
export function hold(): void {
  length = HELD;
}

/** No other message was begun since. */
export function isHeld(): bool {
  return length == HELD;
}

/** Bytes that the record of the message takes: more than MESSAGE_CAPACITY when a send answers TooLarge because of it. */
export function messageBytes(): i32 {
  return length;
}

// Each sends the message: 0 at QoS 0, an id at QoS 1, or a Status. `options` are bits of AppPublish.

export function sendTelemetry(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawSendTelemetry(MESSAGE, bytes, options);
}

export function sendAttributes(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawSendAttributes(MESSAGE, bytes, options);
}

export function sendRpcReply(requestId: i32, options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawSendRpcReply(requestId, MESSAGE, bytes, options);
}

/** The message: `secretKey` and `durationMs`, both optional. */
export function claim(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawClaim(MESSAGE, bytes, options);
}

/** The message: `method` and `params`. The id of a later RpcResponse or RequestTimeout. */
export function requestRpc(timeoutMs: i32): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawRequestRpc(MESSAGE, bytes, timeoutMs);
}

/** The message: the texts `clientKeys` and `sharedKeys`, names joined by commas. The id of a later AttributesResponse or RequestTimeout. */
export function requestAttributes(timeoutMs: i32): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawRequestAttributes(MESSAGE, bytes, timeoutMs);
}

// Of a gateway: the message is the document of ../ABI.md section 7.

export function connectChild(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawConnectChild(MESSAGE, bytes, options);
}

export function disconnectChild(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawDisconnectChild(MESSAGE, bytes, options);
}

export function sendChildTelemetry(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawSendChildTelemetry(MESSAGE, bytes, options);
}

export function sendChildAttributes(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawSendChildAttributes(MESSAGE, bytes, options);
}

export function sendChildRpcReply(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawSendChildRpcReply(MESSAGE, bytes, options);
}

export function claimChildren(options: i32 = 0): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawClaimChildren(MESSAGE, bytes, options);
}

export function requestChildAttributes(timeoutMs: i32): i32 {
  const bytes = ended();
  return bytes < 0 ? bytes : raw.rawRequestChildAttributes(MESSAGE, bytes, timeoutMs);
}

// What needs no record.

export function publish(topic: Text, payload: Text, options: i32 = 0): i32 {
  return raw.rawPublish(addressOf(topic), lengthOf(topic), addressOf(payload), lengthOf(payload), options);
}

export function subscribe(filter: Text, qos: i32 = 1): i32 {
  return raw.rawSubscribe(addressOf(filter), lengthOf(filter), qos);
}

export function unsubscribe(filter: Text): i32 {
  return raw.rawUnsubscribe(addressOf(filter), lengthOf(filter));
}

/** One line of text at a level of LogLevel. */
export function log(level: i32, line: Text): void {
  raw.rawLog(level, addressOf(line), lengthOf(line));
}
