// Tells which message of the ThingsBoard Device API arrived.
import { EventField, EventFlag, EventKind, Stat, Status } from "../abi";
import { equals, isLiteral, readDigits } from "../base/text";
import { lose } from "../client/connection";
import { skipRest } from "../client/inbound";
import { append, RAW } from "../client/publish";
import { setting, Setting } from "../client/settings";
import { from, length, next, open, skip, Token } from "../json/scan";
import { count, EVENT } from "../memory";
import { Packet } from "../mqtt/packet";
import { topic, topicLength } from "../mqtt/publish";
import { isTopicName } from "../mqtt/topic";
import * as gateway from "./gateway/receive";
import { readLimits } from "./limits";
import * as ota from "./ota";
import { isRepeated } from "./repeats";
import { settleRequest } from "./requests";
import { addressOf, ATTRIBUTES, ATTRIBUTES_RESPONSE_FILTER, ERROR, lengthOf, METHOD, PARAMS, prefixOf, RPC_REQUEST_FILTER, RPC_RESPONSE, TOO_LARGE } from "./topics";

/** The topic does not begin so. */
const OTHER: i32 = -2;

/** The number behind a prefix of the topic: -1 when it is no id from 0 to 2147483647, OTHER without the prefix. */
function idBehind(prefix: usize): i32 {
  const length = lengthOf(prefix);
  if (topicLength < length || !equals(topic, addressOf(prefix), length)) return OTHER;
  return readDigits(topic + length, topicLength - length);
}

/** Finds method and params of an RPC request: Ok, or the Status of what is wrong with it. */
// @ts-ignore: decorator
@inline
function readRpc(): i32 {
  let token = next();
  if (token != Token.ObjectBegin) return token < 0 ? token : <i32>Status.WrongType;
  for (;;) {
    token = next();
    if (token != Token.Key) break;
    const isMethod = isLiteral(from, length, METHOD);
    const isParams = isLiteral(from, length, PARAMS);
    token = skip();
    if (token < 0) return token;
    if (isMethod) {
      if (token != Token.Text) return Status.WrongType;
      store<u32>(EVENT, from, EventField.Name);
      store<u32>(EVENT, length, EventField.NameLength);
    } else if (isParams) {
      // A string is handed out with its quotes: params are JSON text.
      const quote = <i32>(token == Token.Text);
      store<u32>(EVENT, from - quote, EventField.Value);
      store<u32>(EVENT, length + 2 * quote, EventField.ValueLength);
    }
  }
  if (token < 0) return token;
  token = next();
  return token ? token : load<u32>(EVENT, EventField.Name) ? <i32>Status.Ok : <i32>Status.MissingKey;
}

/**
 * Checks that the text is one object, or for a response of an RPC one value: Ok, or the Status of what is wrong with it. A
 * member `error` of such a response becomes the reason of the event.
 */
// @ts-ignore: decorator
@inline
function readAnswer(kind: i32): i32 {
  const isResponse = FEATURE_REQUESTS && (kind == EventKind.RpcResponse || kind == EventKind.SessionLimits);
  let token = next();
  const isObject = token == Token.ObjectBegin;
  if (!isObject && !isResponse) return token < 0 ? token : <i32>Status.WrongType;
  while (token > 0) {
    token = next();
    if (isObject && token == Token.Key) {
      if (isResponse && isLiteral(from, length, ERROR)) store<i32>(EVENT, Status.RemoteError, EventField.Reason);
      token = skip();
    }
  }
  return token;
}

/** Passes the message and counts it. */
function refuse(stat: i32, kind: i32, reason: i32): i32 {
  count(stat);
  store<u8>(EVENT, kind, EventField.Kind);
  store<i32>(EVENT, reason, EventField.Reason);
  return kind;
}

/** Handles a message of the Gateway API. */
// @ts-ignore: decorator
@inline
function receiveChild(kind: i32): i32 {
  const status = gateway.readChild(kind);
  const id = load<i32>(EVENT, EventField.Id);
  const isWhole = load<u8>(EVENT, EventField.Flags) & EventFlag.Last;
  if (!isWhole) skipRest();
  // An answer settles its request though nobody can read it; the id stands in front.
  if (kind == EventKind.ChildAttributesResponse && id >= 0 && !settleRequest(id)) return refuse(Stat.AcknowledgementsUnknown, EventKind.None, 0);
  if (!isWhole) return refuse(Stat.InboundTooLarge, EventKind.MessageTooLarge, Status.TooLarge);
  if (status) return refuse(Stat.InboundInvalid, EventKind.InvalidMessage, status);
  store<u8>(EVENT, kind, EventField.Kind);
  return kind;
}

/** Turns the event Message, whole or a first part, into the event of the API that its topic belongs to. */
// @ts-ignore: decorator
@inline
export function classify(): i32 {
  let kind: i32 = EventKind.RpcRequest;
  let id = idBehind(prefixOf(RPC_REQUEST_FILTER));
  if (FEATURE_ATTRIBUTES && id == OTHER) {
    kind = EventKind.AttributesResponse;
    id = idBehind(prefixOf(ATTRIBUTES_RESPONSE_FILTER));
    if (id == OTHER && topicLength == lengthOf(ATTRIBUTES) && idBehind(ATTRIBUTES) != OTHER) {
      kind = EventKind.SharedAttributes;
      id = 0;
    }
    if (FEATURE_REQUESTS && id == OTHER) {
      kind = EventKind.RpcResponse;
      id = idBehind(RPC_RESPONSE);
      if (FEATURE_LIMITS && !id && setting(Setting.SessionLimits)) kind = EventKind.SessionLimits;
    }
  }
  if (FEATURE_GATEWAY && id == OTHER) {
    const child = gateway.kindOfTopic();
    if (child) return receiveChild(child);
  }
  if (FEATURE_OTA && id == OTHER && ota.isOwnTopic()) return ota.receivePart();
  if (FEATURE_RAW && id == OTHER) return isTopicName(topic, topicLength, false) ? <i32>EventKind.Message : lose(Status.ProtocolError);
  const isWhole = load<u8>(EVENT, EventField.Flags) & EventFlag.Last;
  if (id < 0 || !isWhole) skipRest();
  // Nobody can use it: a topic that is not this profile's, or an id that no answer could carry.
  let status: i32 = Status.InvalidTopic;
  if (id >= 0) {
    store<i32>(EVENT, id, EventField.Id);
    if (FEATURE_OTA && kind == EventKind.AttributesResponse) {
      const which = ota.kindAsked(id);
      if (which >= 0) {
        kind = ota.receiveAttributes(which, <bool>isWhole);
        if (kind >= 0) return kind;
        return isWhole ? refuse(Stat.InboundInvalid, EventKind.InvalidMessage, kind) : refuse(Stat.InboundTooLarge, EventKind.MessageTooLarge, kind);
      }
    }
    const isRpc = kind == EventKind.RpcRequest;
    // An answer settles its request though nobody can read it.
    const isAnswer = kind == EventKind.AttributesResponse || kind == EventKind.RpcResponse;
    if (FEATURE_ATTRIBUTES && isAnswer && !settleRequest(kind == EventKind.AttributesResponse ? id : -id)) {
      return refuse(Stat.AcknowledgementsUnknown, EventKind.None, 0);
    }
    if (!isWhole) {
      if (isRpc) {
        const firstByte = (Packet.Publish << 4) | (setting(Setting.Qos) << 1);
        append(firstByte, addressOf(RPC_RESPONSE), lengthOf(RPC_RESPONSE), id, addressOf(TOO_LARGE), lengthOf(TOO_LARGE), RAW);
      }
      return refuse(Stat.InboundTooLarge, EventKind.MessageTooLarge, Status.TooLarge);
    }
    const payload = load<u32>(EVENT, EventField.Payload);
    const payloadLength = load<i32>(EVENT, EventField.PayloadLength);
    open(payload, payloadLength);
    status = isRpc ? readRpc() : readAnswer(kind);
    if (!status) {
      if (FEATURE_REQUESTS && isRpc && isRepeated(id, payload, payloadLength)) {
        count(Stat.RpcRequestsRepeated);
        store<u8>(EVENT, load<u8>(EVENT, EventField.Flags) | EventFlag.Repeated, EventField.Flags);
      }
      if (FEATURE_LIMITS && kind == EventKind.SessionLimits) readLimits(payload, payloadLength);
    }
  }
  if (status) return refuse(Stat.InboundInvalid, EventKind.InvalidMessage, status);
  if (FEATURE_OTA && kind == EventKind.SharedAttributes && ota.isActive()) {
    ota.notice(load<u32>(EVENT, EventField.Payload), load<i32>(EVENT, EventField.PayloadLength));
  }
  store<u8>(EVENT, kind, EventField.Kind);
  return kind;
}
