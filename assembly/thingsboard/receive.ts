// Tells which message of the ThingsBoard Device API arrived.
import { EventField, EventFlag, EventKind, Stat, Status } from "../abi";
import { isLiteral, readDigits, startsWith, utf8 } from "../base/text";
import { lose } from "../client/connection";
import { skipRest } from "../client/inbound";
import { append, publishByte, RAW } from "../client/publish";
import { from, length, next, open, skip, Token } from "../json/scan";
import { count, EVENT } from "../memory";
import { topic, topicLength } from "../mqtt/publish";
import { isTopicName } from "../mqtt/topic";
import { settleRequest } from "./requests";
import { ATTRIBUTES, ATTRIBUTES_RESPONSE, RPC_REQUEST, RPC_RESPONSE } from "./topics";

const METHOD = utf8("method");
const PARAMS = utf8("params");
const TOO_LARGE = utf8('{"error":"too_large"}');

/** The number behind a topic prefix, or -1 when it is no id from 0 to 2147483647. */
function idBehind(prefix: usize): i32 {
  const length: i32 = load<u8>(prefix);
  return readDigits(topic + length, topicLength - length);
}

/** Finds method and params of an RPC request: Ok, or the Status of what is wrong with it. */
// @ts-ignore: decorator
@inline
function readRpc(payload: usize, payloadLength: i32): i32 {
  open(payload, payloadLength);
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

/** Passes the message and counts it. */
function refuse(stat: i32, kind: i32, reason: i32): i32 {
  count(stat);
  store<u8>(EVENT, kind, EventField.Kind);
  store<i32>(EVENT, reason, EventField.Reason);
  return kind;
}

/** Turns the event Message, whole or a first part, into the event of the API that its topic belongs to. */
// @ts-ignore: decorator
@inline
export function classify(): i32 {
  let kind: i32 = EventKind.Message;
  let id = 0;
  if (startsWith(topic, topicLength, RPC_REQUEST)) {
    kind = EventKind.RpcRequest;
    id = idBehind(RPC_REQUEST);
  } else if (FEATURE_ATTRIBUTES && isLiteral(topic, topicLength, ATTRIBUTES)) {
    kind = EventKind.SharedAttributes;
  } else if (FEATURE_ATTRIBUTES && startsWith(topic, topicLength, ATTRIBUTES_RESPONSE)) {
    kind = EventKind.AttributesResponse;
    id = idBehind(ATTRIBUTES_RESPONSE);
  } else if (FEATURE_RAW) {
    return isTopicName(topic, topicLength, false) ? kind : lose(Status.ProtocolError);
  }
  if (kind == EventKind.Message || id < 0) {
    // Nobody can use it: a topic that is not this profile's, or an id that no answer could carry.
    skipRest();
    return refuse(Stat.InboundInvalid, EventKind.InvalidMessage, Status.InvalidTopic);
  }
  store<i32>(EVENT, id, EventField.Id);
  if (!(load<u8>(EVENT, EventField.Flags) & EventFlag.Last)) {
    skipRest();
    if (kind == EventKind.RpcRequest) append(publishByte(0), RPC_RESPONSE + 1, load<u8>(RPC_RESPONSE), id, TOO_LARGE + 1, load<u8>(TOO_LARGE), RAW);
    return refuse(Stat.InboundTooLarge, EventKind.MessageTooLarge, Status.TooLarge);
  }
  const payload: usize = load<u32>(EVENT, EventField.Payload);
  const payloadLength: i32 = load<i32>(EVENT, EventField.PayloadLength);
  let status: i32 = Status.Ok;
  if (kind == EventKind.RpcRequest) {
    status = readRpc(payload, payloadLength);
  } else if (FEATURE_ATTRIBUTES) {
    if (kind == EventKind.AttributesResponse && !settleRequest(id)) return refuse(Stat.AcknowledgementsUnknown, EventKind.None, 0);
    open(payload, payloadLength);
    const token = skip();
    status = token < 0 ? token : token != Token.ObjectBegin ? <i32>Status.WrongType : next();
  }
  if (status) return refuse(Stat.InboundInvalid, EventKind.InvalidMessage, status);
  store<u8>(EVENT, kind, EventField.Kind);
  return kind;
}
