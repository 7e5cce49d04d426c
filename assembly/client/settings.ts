// Names the keys of the configuration with their types, ranges and defaults.
import { equals, utf8 } from "../base/text";
import { SETTINGS } from "../memory";

/** The keys, grouped by type; each has two u32 in SETTINGS: the value (or the address of a text), and its length or presence. */
export const enum Setting {
  MqttHost = 0, // texts from here
  ClientId = 1,
  AccessToken = 2,
  UserName = 3,
  Password = 4,
  WillTopic = 5,
  WillPayload = 6,
  Tls = 7, // objects of the host from here
  Link = 8,
  Host = 9,
  CleanSession = 10, // booleans from here
  OutboxDropOldest = 11,
  Redeliver = 12,
  Rpc = 13,
  SharedAttributes = 14,
  IgnoreMissingFeatures = 15,
  WillRetain = 16,
  MqttPort = 17, // whole numbers from here
  KeepAliveS = 18,
  ConnectTimeoutS = 19,
  AckTimeoutS = 20,
  HealthyS = 21,
  ReconnectMinMs = 22,
  ReconnectMaxMs = 23,
  Qos = 24,
  MaxInflight = 25,
  ReceiveBuffer = 26,
  SendBuffer = 27,
  StagingBuffer = 28,
  SubscriptionBuffer = 29,
  MaxRequests = 30,
  WillQos = 31,
  Count = 32,
}

if (<i32>Setting.Count * 8 != 256) ERROR("SETTINGS has another size than its keys need");

/** The names in the order of Setting, each followed by a space. */
const NAMES_1 = utf8(
  "mqtt_host client_id access_token user_name password will_topic will_payload tls link host clean_session outbox_drop_oldest redeliver rpc shared_attributes ignore_missing_features will_retain ",
);
const NAMES_2 = utf8(
  "mqtt_port keep_alive_s connect_timeout_s ack_timeout_s healthy_s reconnect_min_ms reconnect_max_ms qos max_inflight receive_buffer send_buffer staging_buffer subscription_buffer max_requests will_qos ",
);

/** Least, most and default of each whole number. */
const RANGES: usize = memory.data<i32>([
  1, 65535, 1883, // mqtt_port
  0, 1200, 60, // keep_alive_s
  1, 300, 30, // connect_timeout_s
  1, 600, 20, // ack_timeout_s
  1, 86400, 60, // healthy_s
  1, 600000, 1000, // reconnect_min_ms
  1, 86400000, 120000, // reconnect_max_ms
  0, 1, 1, // qos
  1, 1000, 16, // max_inflight
  64, 1048576, 512, // receive_buffer
  128, 1048576, 1024, // send_buffer
  64, 1048576, 256, // staging_buffer
  0, 16384, 256, // subscription_buffer
  1, 100, 4, // max_requests
  0, 1, 0, // will_qos
]);

/** Booleans that are true unless said otherwise, one bit each. */
const TRUE_BY_DEFAULT: i32 = (1 << Setting.CleanSession) | (1 << Setting.Rpc) | (1 << Setting.SharedAttributes);

// @ts-ignore: decorator
@inline
export function setting(key: i32): i32 {
  return load<i32>(SETTINGS + (key << 3));
}

/** Bytes of a text, or 1 for any other value that the configuration holds; 0 when it is absent. */
// @ts-ignore: decorator
@inline
export function presence(key: i32): i32 {
  return load<i32>(SETTINGS + (key << 3), 4);
}

export function setSetting(key: i32, value: i32, present: i32): void {
  store<i32>(SETTINGS + (key << 3), value);
  store<i32>(SETTINGS + (key << 3), present, 4);
}

/** Least, most or default (`what` 0 to 2) of a whole number. */
export function range(key: i32, what: i32): i32 {
  return load<i32>(RANGES + ((key - Setting.MqttPort) * 3 + what) * 4);
}

export function setDefaults(): void {
  for (let key = 0; key < <i32>Setting.Count; key++) {
    setSetting(key, key >= Setting.MqttPort ? range(key, 2) : (TRUE_BY_DEFAULT >> key) & 1, 0);
  }
}

/** The name that `findKey` stopped at. */
export let nameFrom: usize = 0;
export let nameLength: i32 = 0;

/** Walks the names to the one given, or to the one of `wanted`: the key, or -1. */
export function findKey(name: usize, length: i32, wanted: i32): i32 {
  nameFrom = NAMES_1 + 1;
  for (let key = 0; key < <i32>Setting.Count; key++) {
    if (key == Setting.MqttPort) nameFrom = NAMES_2 + 1;
    nameLength = 0;
    while (load<u8>(nameFrom + nameLength) != 0x20) nameLength++;
    if (key == wanted || (length == nameLength && equals(name, nameFrom, length))) return key;
    nameFrom += nameLength + 1;
  }
  return -1;
}

/** The keys that only a profile with raw publish and subscribe, or with attributes, has. */
export function isInProfile(key: i32): bool {
  if (key == Setting.WillTopic || key == Setting.WillPayload || key == Setting.WillRetain || key == Setting.WillQos) return <bool>FEATURE_RAW;
  if (key == Setting.SubscriptionBuffer) return <bool>FEATURE_RAW;
  if (key == Setting.SharedAttributes || key == Setting.MaxRequests) return <bool>FEATURE_ATTRIBUTES;
  return true;
}
