// Names the keys of the configuration with their types, ranges and defaults.
import { bytes, equals } from "../base/text";
import { TEXT_LENGTHS } from "../memory";

/** The keys, grouped by type. */
export const enum Setting {
  MqttHost = 0, // texts from here
  ClientId = 1,
  UserName = 2,
  Password = 3,
  WillTopic = 4,
  WillPayload = 5,
  Tls = 6, // objects of the host from here
  Link = 7,
  Host = 8,
  CleanSession = 9, // booleans from here
  OutboxDropOldest = 10,
  Redeliver = 11,
  Rpc = 12,
  SharedAttributes = 13,
  IgnoreMissingFeatures = 14,
  WillRetain = 15,
  MqttPort = 16, // whole numbers from here
  KeepAliveS = 17,
  ConnectTimeoutS = 18,
  AckTimeoutS = 19,
  HealthyS = 20,
  ReconnectMinMs = 21,
  ReconnectMaxMs = 22,
  Qos = 23,
  MaxInflight = 24,
  ReceiveBuffer = 25,
  SendBuffer = 26,
  StagingBuffer = 27,
  MaxRequests = 28,
  WillQos = 29,
  AccessToken = 30, // another name of UserName
  Count = 31,
}

/** The names in the order of Setting, each followed by a space. */
const NAMES = bytes(
  "mqtt_host client_id user_name password will_topic will_payload tls link host clean_session outbox_drop_oldest redeliver rpc shared_attributes ignore_missing_features will_retain mqtt_port keep_alive_s connect_timeout_s ack_timeout_s healthy_s reconnect_min_ms reconnect_max_ms qos max_inflight receive_buffer send_buffer staging_buffer max_requests will_qos access_token ",
);

/** The keys that only a profile with raw publish and subscribe, or with attributes, has. */
const DEVICE_KEYS: u32 =
  (1 << Setting.WillTopic) | (1 << Setting.WillPayload) | (1 << Setting.WillRetain) | (1 << Setting.WillQos) |
  (1 << Setting.SharedAttributes) | (1 << Setting.MaxRequests) |
  (1 << Setting.Redeliver) | (1 << Setting.OutboxDropOldest);

/** The values; a text is the address of its first byte. As data they are the defaults. */
// prettier-ignore
const VALUES: usize = memory.data<i32>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, // texts and objects
  1, 0, 0, 1, 1, 0, 0, // clean_session, rpc and shared_attributes are true
  1883, 60, 30, 20, 60, 1000, 120000, 1, 16, 512, 1024, 256, 4, 0,
]);

/** The range of each whole number: it has so many bits, and is not less than 0, 1 (AT_LEAST_1) or 64 (AT_LEAST_64). */
const AT_LEAST_1: u8 = 0x40;
const AT_LEAST_64: u8 = 0x80;
const BITS: u32 = 0x1f;
// prettier-ignore
const RANGES: usize = memory.data<u8>([
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
]);

/** One bit for each key that the configuration holds. */
export let present: u32 = 0;

// @ts-ignore: decorator
@inline
export function setting(key: i32): i32 {
  return load<i32>(VALUES + (key << 2));
}

/** Bytes of a text. */
// @ts-ignore: decorator
@inline
export function textLength(key: i32): i32 {
  return load<i32>(TEXT_LENGTHS + (key << 2));
}

// @ts-ignore: decorator
@inline
export function isPresent(key: i32): bool {
  return <bool>((present >> key) & 1);
}

/** Sets a value; false when it was set before. */
export function setSetting(key: i32, value: i32): bool {
  store<i32>(VALUES + (key << 2), value);
  const before = present;
  present |= 1 << key;
  return before != present;
}

/** The bound that a whole number passes, or -1 when it is within its range. */
export function passedBound(key: i32, value: i32): i32 {
  const range: u32 = load<u8>(RANGES + (key - Setting.MqttPort));
  const least = range & AT_LEAST_64 ? 64 : range & AT_LEAST_1 ? 1 : 0;
  if (value < least) return least;
  const most = (1 << (range & BITS)) - 1;
  return value > most ? most : -1;
}

/** Whether this profile has the key. */
export function isInProfile(key: i32): bool {
  return FEATURE_RAW || !((DEVICE_KEYS >> key) & 1);
}

/** The name that `findKey` stopped at. */
export let nameFrom: usize = 0;
export let nameLength: i32 = 0;

/** Walks the names to the one given, or to the one of `wanted`: the key, or -1. */
export function findKey(name: usize, length: i32, wanted: i32): i32 {
  nameFrom = NAMES;
  for (let key = 0; key < <i32>Setting.Count; key++) {
    nameLength = 0;
    while (load<u8>(nameFrom + nameLength) != 0x20) nameLength++;
    if (key == wanted || (length == nameLength && equals(name, nameFrom, length))) {
      return key == Setting.AccessToken ? <i32>Setting.UserName : key;
    }
    nameFrom += nameLength + 1;
  }
  return -1;
}
