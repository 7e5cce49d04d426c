// The one home of the ThingsBoard topics and of the other texts of its Device API, as one segment of data.
//
// A topic is an address with the length above its lower 16 bits.
import { bytes, hashes, utf8 } from "../base/text";

/** Replaced at compile time by literals.mjs. */
declare function span(text: string): usize;

const ONE_BYTE: usize = 1 << 16;

export const TELEMETRY = span("v1/devices/me/telemetry"),
  TOO_LARGE = span('{"error":"too_large"}');

/** The whole packet that subscribes to server-side RPC at QoS 1, for a profile that has no other subscription. No message has its id, 0x8001. */
export const RPC_SUBSCRIBE = span("\x82\x20\x80\x01\0\x1bv1/devices/me/rpc/request/+\x01");
const RPC_REQUEST_FILTER_ALONE = span("v1/devices/me/rpc/request/+");
export const RPC_REQUEST_FILTER: usize = FEATURE_RAW ? RPC_REQUEST_FILTER_ALONE : RPC_SUBSCRIBE + 6 - 7 * ONE_BYTE;

const ATTRIBUTES_ALONE = span("v1/devices/me/attributes");
const RPC_RESPONSE_ALONE = span("v1/devices/me/rpc/response/");

/** What only a profile with client-side RPC has. */
export const RPC_RESPONSE_FILTER = span("v1/devices/me/rpc/response/+"),
  CLAIM = span("v1/devices/me/claim"),
  METHOD = utf8("method"),
  ERROR = utf8("error");

/** What the filter has in front of its wildcard, where there is one. */
export const RPC_RESPONSE: usize = FEATURE_REQUESTS ? RPC_RESPONSE_FILTER - ONE_BYTE : RPC_RESPONSE_ALONE;

/** A session that provisions says two packets at QoS 0: a SUBSCRIBE, and the PUBLISH before its payload. */
export const PROVISION_PACKETS = span("\x82\x18\0\x01\0\x13/provision/response\x000\0\0\x12/provision/request");
/** How far the body of the PUBLISH reaches back from their end, and the topic of the reply behind a byte that is its length. */
export const PROVISION_REQUEST_BODY: usize = 20;
// @ts-ignore: decorator
@lazy export const PROVISION_RESPONSE: usize = (PROVISION_PACKETS & 0xffff) + 5;

/**
 * The whole packet that asks for the limits of the session, at QoS 0: 58 bytes behind the fixed header, 27 of them topic. No
 * request has the id 0, which is so that it can be the same in each session.
 */
export const SESSION_LIMITS_REQUEST = span('\x30\x3a\0\x1bv1/devices/me/rpc/request/0{"method":"getSessionLimits"}');

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

/** The algorithms of checksums in the order of OtaAlgorithm, and what the attributes are called behind fw or sw, in the order of Attribute. */
export const OTA_ALGORITHMS = hashes("MD5 SHA256 SHA384 SHA512 CRC32 MURMUR3_32 MURMUR3_128"),
  OTA_PREFIXES = hashes("v2/fw/ v2/sw/"),
  OTA_ATTRIBUTES = hashes("_title _version _checksum _size _checksum_algorithm _url");

// Templates of ota-messages.ts: $ is fw or sw, % the request id, & the chunk, ' the bytes of a chunk, ( and ) title and version of what runs, * what
// `report` was given, # the end of the topic.
export const OTA_REQUEST = utf8("v2/$/request/%/chunk/&#'"),
  OTA_RESPONSE = utf8("v2/$/response/%/chunk/&#"),
  OTA_RESPONSE_FILTER = utf8("v2/$/response/+/chunk/+#\0"),
  OTA_CURRENT = utf8('{"current_$_title":"(","current_$_version":"("}'),
  OTA_STATE = utf8('{"$_state":")"}'),
  OTA_FAILED = utf8('{"$_state":"FAILED","$_error":")"}'),
  OTA_ASSIGNED = utf8('{"sharedKeys":"$_title,$_version,$_size,$_checksum,$_checksum_algorithm,$_url"}'),
  FIRMWARE_VERSION_KEY = bytes("firmware_version"),
  SOFTWARE_VERSION_KEY = bytes("software_version"); // just behind it

// The Gateway API.

/** What the server sends to, in the order of the events from ChildAttributes on. */
export const GATEWAY_DOWNLINKS = hashes("v1/gateway/attributes v1/gateway/rpc v1/gateway/attributes/response v1/gateway/disconnect"),
  /** In the order of Child in gateway/receive.ts. */
  GATEWAY_MEMBERS = hashes("device method id reason value values params data");

export const GATEWAY_CONNECT = span("v1/gateway/connect"),
  GATEWAY_DISCONNECT = span("v1/gateway/disconnect"),
  GATEWAY_TELEMETRY = span("v1/gateway/telemetry"),
  GATEWAY_ATTRIBUTES_REQUEST = span("v1/gateway/attributes/request"),
  GATEWAY_ATTRIBUTES_RESPONSE = span("v1/gateway/attributes/response"),
  GATEWAY_RPC = span("v1/gateway/rpc"),
  GATEWAY_CLAIM = span("v1/gateway/claim"),
  // The answer to an RPC of a child that is too large: between them stand the child and the id.
  CHILD_REPLY = span('{"device":"'),
  CHILD_REPLY_ID = span('","id":'),
  CHILD_TOO_LARGE = span(',"data":{"error":"too_large"}}'),
  DEVICE = utf8("device"),
  ID = utf8("id");

export const GATEWAY_ATTRIBUTES: usize = FEATURE_GATEWAY ? GATEWAY_ATTRIBUTES_RESPONSE - 9 * ONE_BYTE /* "/response" */ : 0;
