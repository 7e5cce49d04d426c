// Publishes for the children of a gateway (ThingsBoard Gateway API); the record of each verb is the whole document of its topic.
import { Status } from "../../abi";
import { NO_NUMBER, publishRecord } from "../../client/publish";
import { Shape } from "../../json/write";
import { addressOf, GATEWAY_ATTRIBUTES, GATEWAY_ATTRIBUTES_REQUEST, GATEWAY_CLAIM, GATEWAY_RPC, GATEWAY_TELEMETRY, lengthOf } from "../topics";
import { ask } from "../request";
import { namesChild } from "../record";

/** The export `gateway_telemetry`: a list for each child; an empty one would never be acknowledged. */
export function sendChildTelemetry(length: i32, options: usize): i32 {
  return publishRecord(addressOf(GATEWAY_TELEMETRY), lengthOf(GATEWAY_TELEMETRY), NO_NUMBER, length, Shape.ChildTelemetry, options);
}

/** The export `gateway_attributes`: an object for each child. */
export function sendChildAttributes(length: i32, options: usize): i32 {
  return publishRecord(addressOf(GATEWAY_ATTRIBUTES), lengthOf(GATEWAY_ATTRIBUTES), NO_NUMBER, length, Shape.ChildAttributes, options);
}

/** The export `gateway_claim`: an object for each child. */
export function claimChildren(length: i32, options: usize): i32 {
  return publishRecord(addressOf(GATEWAY_CLAIM), lengthOf(GATEWAY_CLAIM), NO_NUMBER, length, Shape.ChildClaims, options);
}

/** Publishes an object that begins with the name of a child. */
// @ts-ignore: decorator
@inline
export function publishForChild(topic: usize, length: i32, shape: i32, options: usize): i32 {
  return namesChild() ? publishRecord(addressOf(topic), lengthOf(topic), NO_NUMBER, length, shape, options) : <i32>Status.MissingKey;
}

/** The export `gateway_rpc_reply`: an object with `device`, `id` and `data`. */
export function sendChildRpcReply(length: i32, options: usize): i32 {
  return publishForChild(GATEWAY_RPC, length, Shape.ChildMessage, options);
}

/** The export `gateway_request_attributes`: an object that begins with the number `id`, in place of which the request id is sent. */
export function requestChildAttributes(length: i32, timeoutMs: i32): i32 {
  return ask(addressOf(GATEWAY_ATTRIBUTES_REQUEST), lengthOf(GATEWAY_ATTRIBUTES_REQUEST), length, timeoutMs);
}
