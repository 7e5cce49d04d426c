// Names the keys of the configuration with their types, ranges and defaults.
import { bytes, hashes, placeOf } from "../base/text";
import { storePair, TEXTS } from "../memory";

/** The keys, grouped by type. */
export const enum Setting {
  AccessToken = 0, // another name of UserName
  Password = 1, // texts from here: the reverse of their order in CONNECT, whose flags have the bits of the first two
  UserName = 2,
  WillPayload = 3,
  WillTopic = 4,
  ClientId = 5,
  MqttHost = 6, // the last text of a connection
  FirmwareTitle = 7,
  FirmwareVersion = 8,
  SoftwareTitle = 9,
  SoftwareVersion = 10,
  MessagesRateLimit = 11,
  TelemetryRateLimit = 12,
  TelemetryPointsRateLimit = 13,
  Provision = 14, // objects from here, the others are the host's
  Tls = 15,
  Link = 16,
  Host = 17,
  OutboxDropOldest = 18, // booleans from here
  Redeliver = 19,
  IgnoreMissingFeatures = 20,
  WillRetain = 21,
  CleanSession = 22,
  Rpc = 23,
  SharedAttributes = 24,
  SessionLimits = 25,
  MqttPort = 26, // whole numbers from here; this one is 0 where it was not configured
  KeepAliveS = 27,
  ConnectTimeoutS = 28,
  AckTimeoutS = 29,
  HealthyS = 30,
  ReconnectMinMs = 31,
  ReconnectMaxMs = 32,
  Qos = 33,
  MaxInflight = 34,
  ReceiveBuffer = 35,
  SendBuffer = 36,
  StagingBuffer = 37,
  MaxRequests = 38,
  WillQos = 39,
  OtaChunkSize = 40,
  OtaChunkTimeoutS = 41,
  OtaChunkRetries = 42,
  ChildrenBuffer = 43,
  ChildKeepAliveS = 44,
  Count = 45,
}

/** Replaced at compile time by literals.mjs. */
declare function octets(list: i32[]): usize;
declare function integers(list: i32[], feature: i32, more: i32[]): usize;

/** What a range has above its lower five bits, which are how many bits the number has. */
const AT_LEAST_1: u8 = 0x20;
const AT_LEAST_64: u8 = 0xe0;

/** The first key that has a value. */
const FIRST_VALUE: i32 = Setting.Tls;
/** The values behind those of texts. As data they are the defaults. */
const VALUES = integers(
    [
      0, 0, 0, // objects of the host
      0, 0, 0, 0, 1, 1, 1, 1, // clean_session, rpc, shared_attributes and session_limits are true
      0, 60, 30, 20, 60, 1000, 120000, 1, 16, 512, 1024, 256,
    ],
    FEATURE_ATTRIBUTES,
    [4, 0, 0, 10, 12, 1024, 300], // of keys that the least profile does not have
  ),
  /** The names in the order of Setting, as hashes: one in 2^18 of the names that no key has would be taken for a key. */
  HASHES = hashes(
    "access_token password user_name will_payload will_topic client_id mqtt_host firmware_title firmware_version software_title software_version messages_rate_limit telemetry_rate_limit telemetry_points_rate_limit provision tls link host outbox_drop_oldest redeliver ignore_missing_features will_retain clean_session rpc shared_attributes session_limits mqtt_port keep_alive_s connect_timeout_s ack_timeout_s healthy_s reconnect_min_ms reconnect_max_ms qos max_inflight receive_buffer send_buffer staging_buffer max_requests will_qos ota_chunk_size ota_chunk_timeout_s ota_chunk_retries children_buffer child_keep_alive_s",
  ),
  /** The range of each whole number. */
  RANGES = octets([
    16 | AT_LEAST_1, // mqtt_port
    16, // keep_alive_s
    12 | AT_LEAST_1, // connect_timeout_s
    12 | AT_LEAST_1, // ack_timeout_s
    17 | AT_LEAST_1, // healthy_s
    20 | AT_LEAST_1, // reconnect_min_ms
    27 | AT_LEAST_1, // reconnect_max_ms
    1, // qos
    10 | AT_LEAST_1, // max_inflight
    20 | AT_LEAST_64, // receive_buffer
    20 | AT_LEAST_64, // send_buffer
    20 | AT_LEAST_64, // staging_buffer
    7 | AT_LEAST_1, // max_requests
    1, // will_qos
    16, // ota_chunk_size
    12 | AT_LEAST_1, // ota_chunk_timeout_s
    7, // ota_chunk_retries
    20 | AT_LEAST_64, // children_buffer
    16, // child_keep_alive_s
  ]),
  CONNECT_BEGIN = bytes("\x10\0\0\x04MQTT\x04");
const QOS_BYTES = bytes("\0\x01");

/** CONNECT with room for its length, "MQTT" with its length, and protocol level 4 [MQTT-3.1.2-1] [MQTT-3.1.2-2]. */
export const CONNECT: usize = CONNECT_BEGIN;
export const CONNECT_LENGTH: i32 = 9;
/** The requested QoS as the byte behind a filter: 0, and at the next address 1. */
export const QOS_0: usize = QOS_BYTES;
export const QOS_1: usize = QOS_0 + 1;

/** The names of the keys that may be missed, all of one length. */
export const MQTT_HOST_NAME = bytes("mqtt_host"),
  CLIENT_ID_NAME = bytes("client_id"),
  USER_NAME_NAME = bytes("user_name");
export const MISSING_LENGTH: i32 = 9;
export const SEND_BUFFER_NAME = bytes("send_buffer");
export const SEND_BUFFER_NAME_LENGTH: i32 = 11;

/** One bit for each of the first 32 keys that the configuration holds. */
export let present: i32 = 0;

// @ts-ignore: decorator
@inline
export function setPresent(keys: i32): void {
  present = keys;
}

/** Puts another text in the place of the one that was configured; one of no length makes the key absent. */
export function setText(key: i32, text: usize, length: i32): void {
  storePair(textSpan(key), text, length);
  present = (present & ~(1 << key)) | (<i32>(length != 0) << key);
}

// @ts-ignore: decorator
@inline
export function setting(key: i32): i32 {
  return load<i32>(VALUES + ((key - FIRST_VALUE) << 2));
}

// @ts-ignore: decorator
@inline
export function setSetting(key: i32, value: i32): void {
  store<i32>(VALUES + ((key - FIRST_VALUE) << 2), value);
}

/** Where the address and the length of a text stand. */
// @ts-ignore: decorator
@inline
export function textSpan(key: i32): usize {
  return TEXTS + (key << 3);
}

/** The first byte of a text. */
// @ts-ignore: decorator
@inline
export function textOf(key: i32): usize {
  return load<u32>(textSpan(key));
}

/** Bytes of a text. */
// @ts-ignore: decorator
@inline
export function textLength(key: i32): i32 {
  return load<i32>(textSpan(key), 4);
}

// @ts-ignore: decorator
@inline
export function isPresent(key: i32): bool {
  return <bool>((present >> key) & 1);
}

/** The whole number of the range of a key that is nearest to this one. */
// @ts-ignore: decorator
@inline
export function inRange(key: i32, value: i32): i32 {
  const range: u32 = load<u8>(RANGES + (key - Setting.MqttPort));
  const least = (1 << (range >> 5)) >> 1; // 0, 1 or 64
  const most = (1 << (range & 31)) - 1;
  return max(min(value, most), least);
}

const RAW_KEYS: u64 = (1 << Setting.WillTopic) | (1 << Setting.WillPayload) | (1 << Setting.WillRetain) | ((<u64>1) << Setting.WillQos) | (1 << Setting.Redeliver) | (1 << Setting.OutboxDropOldest);
const ATTRIBUTES_KEYS: u64 = (1 << Setting.SharedAttributes) | ((<u64>1) << Setting.MaxRequests);
const LIMITS_KEYS: u64 = (1 << Setting.SessionLimits) | (1 << Setting.MessagesRateLimit) | (1 << Setting.TelemetryRateLimit) | (1 << Setting.TelemetryPointsRateLimit);
const PROVISIONING_KEYS: u64 = 1 << Setting.Provision;
const OTA_KEYS: u64 =
  (1 << Setting.FirmwareTitle) | (1 << Setting.FirmwareVersion) | (1 << Setting.SoftwareTitle) | (1 << Setting.SoftwareVersion) |
  ((<u64>7) << Setting.OtaChunkSize);
const GATEWAY_KEYS: u64 = (<u64>3) << Setting.ChildrenBuffer;

/** One bit for each key that this profile does not have. */
const LACKING: u64 =
  (FEATURE_RAW ? 0 : RAW_KEYS) | (FEATURE_ATTRIBUTES ? 0 : ATTRIBUTES_KEYS) | (FEATURE_LIMITS ? 0 : LIMITS_KEYS) |
  (FEATURE_PROVISIONING ? 0 : PROVISIONING_KEYS) | (FEATURE_OTA ? 0 : OTA_KEYS) | (FEATURE_GATEWAY ? 0 : GATEWAY_KEYS);

/** Whether this profile does not have a key. */
// @ts-ignore: decorator
@inline
export function isLacking(key: i32): bool {
  // Where only gateways are missing, those are the last keys.
  return LACKING == GATEWAY_KEYS ? key >= Setting.ChildrenBuffer : (LACKING & ((<u64>1) << key)) != 0;
}

/** The key with this name, or -1. */
// @ts-ignore: decorator
@inline
export function findKey(name: usize, length: i32): i32 {
  const key = placeOf(HASHES, Setting.Count, name, length);
  return key == Setting.AccessToken ? <i32>Setting.UserName : key;
}
