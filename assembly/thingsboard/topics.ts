// The one home of the ThingsBoard topics (Device API), each an address with the length above its lower 16 bits.

/** Replaced at compile time by literals.mjs. */
declare function span(text: string): usize;

const ONE_BYTE_LESS: usize = 1 << 16;

export const TELEMETRY = span("v1/devices/me/telemetry"),
  RPC_REQUEST_FILTER = span("v1/devices/me/rpc/request/+"),
  RPC_RESPONSE = span("v1/devices/me/rpc/response/"),
  ATTRIBUTES = span("v1/devices/me/attributes");

export const ATTRIBUTES_REQUEST = span("v1/devices/me/attributes/request/"),
  ATTRIBUTES_RESPONSE_FILTER = span("v1/devices/me/attributes/response/+");

/** What a filter has in front of its wildcard. */
// @ts-ignore: decorator
@inline
export function prefixOf(filter: usize): usize {
  return filter - ONE_BYTE_LESS;
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
