// Asks for attributes (ThingsBoard Device API, request attribute values) and calls the server (Device API, client-side RPC).
import { Member, MemberField, Status } from "../abi";
import { subscriptionTo } from "../client/outbox";
import { SUBSCRIBE } from "../client/outbox-record";
import { append, NO_NUMBER, publishByte, RAW } from "../client/publish";
import { QOS_1 } from "../client/settings";
import { address } from "../client/staging";
import { Shape } from "../json/write";
import { firstMember } from "./record";
import * as requests from "./requests";
import { addressOf, ATTRIBUTES_REQUEST, GATEWAY_ATTRIBUTES_REQUEST, ID, lengthOf, METHOD, prefixOf, RPC_REQUEST_FILTER, RPC_RESPONSE_FILTER } from "./topics";

/** A request can wait as long as any interval, but not less than one round trip could take. */
export const TIMEOUT_MS_MAX: u32 = 86400000;

/** Publishes a request to this topic and waits for its answer: the request id, or a Status. */
export function ask(topic: usize, topicLength: i32, length: i32, timeoutMs: i32): i32 {
  const firstByte = <u32>(timeoutMs - 1) < TIMEOUT_MS_MAX ? publishByte(length, 0) : <i32>Status.InvalidValue;
  if (firstByte < 0) return firstByte;
  // Where the document of a gateway has the id, which others have in their topic.
  let member: usize = 0;
  const isRpc = FEATURE_REQUESTS && topic == addressOf(RPC_REQUEST_FILTER);
  if (FEATURE_GATEWAY && topic == addressOf(GATEWAY_ATTRIBUTES_REQUEST)) {
    member = firstMember(Member.Integer, ID);
    if (!member) return Status.MissingKey;
  }
  if (FEATURE_REQUESTS && isRpc) {
    // Without a method the server would close the connection, and do so again for each repetition.
    if (!firstMember(Member.Text, METHOD)) return Status.MissingKey;
  }
  const entry = requests.find(0);
  if (!entry) return Status.Full;
  if (FEATURE_REQUESTS && isRpc) {
    // Declared by the first call, so that a client that makes none does without.
    if (!subscriptionTo(addressOf(RPC_RESPONSE_FILTER), lengthOf(RPC_RESPONSE_FILTER))) {
      // As declareFilter does, which would lie one call deeper than may be.
      const status = append(SUBSCRIBE, addressOf(RPC_RESPONSE_FILTER), lengthOf(RPC_RESPONSE_FILTER), NO_NUMBER, QOS_1, 1, RAW);
      if (status < 0) return status;
    }
  }
  const id = requests.nextId();
  if (FEATURE_GATEWAY && member) store<i64>(member, id, MemberField.Number);
  const number = FEATURE_GATEWAY && member ? NO_NUMBER : id;
  // The server would take an empty list of keys for all of both scopes.
  const shape = FEATURE_GATEWAY && member ? <i32>Shape.ChildRequest : <i32>Shape.Object;
  const status = append(firstByte, topic, topicLength, number, address(), length, shape);
  if (status < 0) return status;
  requests.add(entry, id, isRpc ? -id : id, timeoutMs);
  return id;
}

/** The export `request_attributes`: the record holds clientKeys and sharedKeys. The request id, or a Status. */
export function requestAttributes(length: i32, timeoutMs: i32): i32 {
  return ask(addressOf(ATTRIBUTES_REQUEST), lengthOf(ATTRIBUTES_REQUEST), length, timeoutMs);
}

/** The export `request_rpc`: the record is an object that begins with the text `method`. The request id, or a Status. */
export function requestRpc(length: i32, timeoutMs: i32): i32 {
  return ask(addressOf(RPC_REQUEST_FILTER), lengthOf(prefixOf(RPC_REQUEST_FILTER)), length, timeoutMs);
}
