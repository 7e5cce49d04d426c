// The one home of the ThingsBoard topics and of the other texts of its Device API, as one segment of data.
//
// A topic is an address with the length above its lower 16 bits.
import { utf8 } from "../base/text";

/** Replaced at compile time by literals.mjs. */
declare function span(text: string): usize;

const ONE_BYTE: usize = 1 << 16;

export const TELEMETRY = span("v1/devices/me/telemetry"),
  RPC_REQUEST_FILTER = span("v1/devices/me/rpc/request/+"),
  RPC_RESPONSE = span("v1/devices/me/rpc/response/"),
  TOO_LARGE = span('{"error":"too_large"}'),
  METHOD = utf8("method"),
  PARAMS = utf8("params");

const ATTRIBUTES_ALONE = span("v1/devices/me/attributes");

/** What only a profile with client-side RPC has. */
export const RPC_RESPONSE_FILTER = span("v1/devices/me/rpc/response/+"),
  CLAIM = span("v1/devices/me/claim"),
  ERROR = utf8("error");

export const ATTRIBUTES_REQUEST = span("v1/devices/me/attributes/request/"),
  ATTRIBUTES_RESPONSE_FILTER = span("v1/devices/me/attributes/response/+");

/** The topic of attributes is what the one of their request begins with, where there is one. */
export const ATTRIBUTES: usize = FEATURE_ATTRIBUTES ? ATTRIBUTES_REQUEST - 9 * ONE_BYTE /* "/request/" */ : ATTRIBUTES_ALONE;

/** What a filter has in front of its wildcard. */
// @ts-ignore: decorator
@inline
export function prefixOf(filter: usize): usize {
  return filter - ONE_BYTE;
}

// @ts-ignore: decorator
@inline
export function addressOf(topic: usize): usize {
  return topic & 0xffff;
}

// @ts-ignore: decorator
@inline
export function lengthOf(topic: usize): i32 {
  return <i32>(topic >> 16);
}
