// Tells which message of the ThingsBoard Device API arrived.
import { EventField, EventFlag, EventKind, Stat, Status } from "../abi";
import { equals, readDigits } from "../base/text";
import { lose } from "../client/connection";
import { partLeft, skipRest } from "../client/inbound";
import { append, publishByte, RAW } from "../client/publish";
import { setting, Setting } from "../client/settings";
import { from, key, length, nesting, open, read, Token } from "../json/scan";
import { count, EVENT, storePair } from "../memory";
import { topic, topicLength } from "../mqtt/publish";
import { isTopicName } from "../mqtt/topic";
import * as gateway from "./gateway/receive";
import { readLimits } from "./limits";
import * as ota from "./ota";
import { isRepeated } from "./repeats";
import { settleRequest } from "./requests";
import { addressOf, ATTRIBUTES, ATTRIBUTES_RESPONSE_FILTER, lengthOf, prefixOf, RPC_REQUEST_FILTER, RPC_RESPONSE, TOO_LARGE } from "./topics";

/** The topic does not begin so. */
const OTHER: i32 = -2;

/** The number behind a prefix of the topic: -1 when it is no id from 0 to 2147483647, OTHER without the prefix. */
function idBehind(prefix: usize, length: i32): i32 {
  // Behind a topic that is shorter stands the rest of the buffers: to look at that costs less than not to.
  return (topicLength >= length) & equals(topic, prefix, length) ? readDigits(topic + length, topicLength - length) : OTHER;
}

/** Keys as they stand in a text, between their quotes: eight bytes, and seven of the last. */
const METHOD_KEY: u64 = 0x22646f6874656d22;
const PARAMS_KEY: u64 = 0x22736d6172617022;
const ERROR_KEY: u64 = 0x22726f72726522;
/** What `nesting` is inside the outermost object. */
const OBJECT: u64 = 2;

/**
 * Reads a message of the API that is JSON text: Ok, or the Status of what is wrong with it. An RPC request is an object with a method; a response
 * of an RPC is one value, whose member `error` becomes the reason of the event; all others are objects.
 */
// @ts-ignore: decorator
@inline
function readText(kind: i32): i32 {
  const isRpc = !FEATURE_ATTRIBUTES || kind == EventKind.RpcRequest;
  const isResponse = FEATURE_REQUESTS && <u32>(kind - EventKind.RpcResponse) <= <u32>(EventKind.SessionLimits - EventKind.RpcResponse);
  let token: i32;
  do {
    token = read(OBJECT);
    if (<u32>(token - Token.Null) > <u32>(Token.ArrayBegin - Token.Null)) continue; // an end or a fault
    if (nesting != OBJECT) {
      if (!isResponse) return Status.WrongType;
      continue;
    }
    const name = load<u64>(key - 1);
    if (!isRpc) {
      if (isResponse && name << 8 == ERROR_KEY << 8) store<i32>(EVENT, Status.RemoteError, EventField.Reason);
    } else if (name == METHOD_KEY) {
      if (token != Token.Text) return Status.WrongType;
      storePair(EVENT + EventField.Name, from, length);
    } else if (name == PARAMS_KEY) {
      // A string is handed out with its quotes: params are JSON text.
      const quote = <i32>(token == Token.Text);
      storePair(EVENT + EventField.Value, from - quote, length + 2 * quote);
    }
  } while (token > 0);
  return token | <i32>!isRpc | load<i32>(EVENT, EventField.Name) ? token : <i32>Status.MissingKey;
}

/** In place of an event: the topic is none of the API's. So ends the search among those of a gateway. */
const NO_EVENT: i32 = EventKind.ChildAttributes - 1;

/** The event of the API that the topic belongs to, which is not that of server-side RPC, or NO_EVENT; the id goes to the record. */
// @ts-ignore: decorator
@apart
function kindOfTopic(): i32 {
  let kind: i32 = EventKind.AttributesResponse;
  let id = idBehind(addressOf(ATTRIBUTES_RESPONSE_FILTER), lengthOf(prefixOf(ATTRIBUTES_RESPONSE_FILTER)));
  if (id == OTHER) {
    if ((topicLength == lengthOf(ATTRIBUTES)) & (idBehind(addressOf(ATTRIBUTES), lengthOf(ATTRIBUTES)) != OTHER)) {
      kind = EventKind.SharedAttributes;
      id = 0;
    } else {
      kind = EventKind.RpcResponse;
      id = idBehind(addressOf(RPC_RESPONSE), lengthOf(RPC_RESPONSE));
      if (FEATURE_LIMITS && <i32>!id & setting(Setting.SessionLimits)) kind = EventKind.SessionLimits;
      if (id == OTHER) return FEATURE_GATEWAY ? gateway.kindOfTopic() : NO_EVENT;
    }
  }
  store<i32>(EVENT, id, EventField.Id);
  return kind;
}

/** Turns the event Message, whole or a first part, into the event of the API that its topic belongs to. */
// @ts-ignore: decorator
@inline
export function classify(): i32 {
  let kind: i32 = EventKind.RpcRequest;
  let isChild = false;
  let id = idBehind(addressOf(RPC_REQUEST_FILTER), lengthOf(prefixOf(RPC_REQUEST_FILTER)));
  if (FEATURE_ATTRIBUTES && id == OTHER) {
    kind = kindOfTopic();
    isChild = FEATURE_GATEWAY && kind >= EventKind.ChildAttributes;
    if (kind == NO_EVENT) {
      if (FEATURE_OTA && ota.isOwnTopic()) return ota.receivePart();
      if (FEATURE_RAW) return isTopicName(topic, topicLength, false) ? <i32>EventKind.Message : lose(Status.ProtocolError);
    }
    id = load<i32>(EVENT, EventField.Id);
  }
  // The rest of what is not whole is passed.
  skipRest();
  // Nobody can use it: a topic that is not this profile's, or an id that no answer could carry.
  let status: i32 = Status.InvalidTopic;
  const which = FEATURE_OTA && kind == EventKind.AttributesResponse ? ota.kindAsked(id) : -1;
  if (FEATURE_OTA && which >= 0) {
    status = ota.receiveAttributes(which);
    if (status >= 0) return status;
    store<i32>(EVENT, id, EventField.Id);
  } else if (isChild || id >= 0) {
    const payload = load<u32>(EVENT, EventField.Payload);
    const payloadLength = load<i32>(EVENT, EventField.PayloadLength);
    if (FEATURE_GATEWAY && isChild) {
      status = gateway.readChild(kind, payload, payloadLength);
      id = load<i32>(EVENT, EventField.Id);
    } else {
      open(payload, payloadLength);
      status = readText(kind);
      store<i32>(EVENT, id, EventField.Id);
    }
    // An answer settles its request though nobody can read it.
    const isAnswer = (kind == EventKind.AttributesResponse) | (kind == EventKind.RpcResponse) | (FEATURE_GATEWAY && kind == EventKind.ChildAttributesResponse && id >= 0);
    if (FEATURE_ATTRIBUTES && isAnswer) {
      if (!settleRequest(kind == EventKind.RpcResponse ? -id : id)) {
        count(Stat.AcknowledgementsUnknown);
        return EventKind.None;
      }
    }
    const isRpc = kind == EventKind.RpcRequest;
    if (partLeft) {
      status = Status.TooLarge;
      if (isRpc) {
        append(publishByte(0, 0), addressOf(RPC_RESPONSE), lengthOf(RPC_RESPONSE), id, addressOf(TOO_LARGE), lengthOf(TOO_LARGE), RAW);
      } else if (FEATURE_GATEWAY && kind == EventKind.ChildRpcRequest) {
        gateway.refuseChild(id);
      }
    } else if (!status) {
      if (FEATURE_REQUESTS && isRpc && isRepeated(id, payload, payloadLength)) {
        count(Stat.RpcRequestsRepeated);
        store<u8>(EVENT, load<u8>(EVENT, EventField.Flags) | EventFlag.Repeated, EventField.Flags);
      }
      if (FEATURE_LIMITS && kind == EventKind.SessionLimits) readLimits(payload, payloadLength);
      if (FEATURE_OTA && kind == EventKind.SharedAttributes) ota.notice(payload, payloadLength);
    }
  }
  if (status) {
    const isLarge = status == Status.TooLarge;
    kind = isLarge ? EventKind.MessageTooLarge : EventKind.InvalidMessage;
    count(isLarge ? Stat.InboundTooLarge : Stat.InboundInvalid);
    store<i32>(EVENT, status, EventField.Reason);
  }
  store<u8>(EVENT, kind, EventField.Kind);
  return kind;
}
