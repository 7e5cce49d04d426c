// Compares keys, defaults and ranges with the table of ABI.md, section 4.

import { CLIENT_ID_NAME, findKey, inRange, isLacking, isPresent, MISSING_LENGTH, MQTT_HOST_NAME, SEND_BUFFER_NAME, SEND_BUFFER_NAME_LENGTH, setPresent, setSetting, setting, Setting, USER_NAME_NAME } from "../../../assembly/client/settings";
import { putText } from "../host";

const NAME = memory.data(64, 8);

function key(name: string): i32 {
  return findKey(NAME, putText(NAME, name));
}

describe("findKey", () => {
  test("every key of the table", () => {
    expect<i32>(key("mqtt_host")).toBe(Setting.MqttHost);
    expect<i32>(key("mqtt_port")).toBe(Setting.MqttPort);
    expect<i32>(key("client_id")).toBe(Setting.ClientId);
    expect<i32>(key("user_name")).toBe(Setting.UserName);
    expect<i32>(key("password")).toBe(Setting.Password);
    expect<i32>(key("clean_session")).toBe(Setting.CleanSession);
    expect<i32>(key("keep_alive_s")).toBe(Setting.KeepAliveS);
    expect<i32>(key("connect_timeout_s")).toBe(Setting.ConnectTimeoutS);
    expect<i32>(key("ack_timeout_s")).toBe(Setting.AckTimeoutS);
    expect<i32>(key("healthy_s")).toBe(Setting.HealthyS);
    expect<i32>(key("reconnect_min_ms")).toBe(Setting.ReconnectMinMs);
    expect<i32>(key("reconnect_max_ms")).toBe(Setting.ReconnectMaxMs);
    expect<i32>(key("qos")).toBe(Setting.Qos);
    expect<i32>(key("max_inflight")).toBe(Setting.MaxInflight);
    expect<i32>(key("receive_buffer")).toBe(Setting.ReceiveBuffer);
    expect<i32>(key("send_buffer")).toBe(Setting.SendBuffer);
    expect<i32>(key("staging_buffer")).toBe(Setting.StagingBuffer);
    expect<i32>(key("outbox_drop_oldest")).toBe(Setting.OutboxDropOldest);
    expect<i32>(key("redeliver")).toBe(Setting.Redeliver);
    expect<i32>(key("rpc")).toBe(Setting.Rpc);
    expect<i32>(key("ignore_missing_features")).toBe(Setting.IgnoreMissingFeatures);
    expect<i32>(key("tls")).toBe(Setting.Tls);
    expect<i32>(key("link")).toBe(Setting.Link);
    expect<i32>(key("host")).toBe(Setting.Host);
    expect<i32>(key("shared_attributes")).toBe(Setting.SharedAttributes);
    expect<i32>(key("max_requests")).toBe(Setting.MaxRequests);
    expect<i32>(key("will_topic")).toBe(Setting.WillTopic);
    expect<i32>(key("will_payload")).toBe(Setting.WillPayload);
    expect<i32>(key("will_qos")).toBe(Setting.WillQos);
    expect<i32>(key("will_retain")).toBe(Setting.WillRetain);
    expect<i32>(key("session_limits")).toBe(Setting.SessionLimits);
    expect<i32>(key("messages_rate_limit")).toBe(Setting.MessagesRateLimit);
    expect<i32>(key("telemetry_rate_limit")).toBe(Setting.TelemetryRateLimit);
    expect<i32>(key("telemetry_points_rate_limit")).toBe(Setting.TelemetryPointsRateLimit);
    expect<i32>(key("provision")).toBe(Setting.Provision);
    expect<i32>(key("firmware_title")).toBe(Setting.FirmwareTitle);
    expect<i32>(key("firmware_version")).toBe(Setting.FirmwareVersion);
    expect<i32>(key("software_title")).toBe(Setting.SoftwareTitle);
    expect<i32>(key("software_version")).toBe(Setting.SoftwareVersion);
    expect<i32>(key("ota_chunk_size")).toBe(Setting.OtaChunkSize);
    expect<i32>(key("ota_chunk_timeout_s")).toBe(Setting.OtaChunkTimeoutS);
    expect<i32>(key("ota_chunk_retries")).toBe(Setting.OtaChunkRetries);
    expect<i32>(key("children_buffer")).toBe(Setting.ChildrenBuffer);
    expect<i32>(key("child_keep_alive_s")).toBe(Setting.ChildKeepAliveS);
  });
  test("the access token is the user name", () => {
    expect<i32>(key("access_token")).toBe(Setting.UserName);
  });
  test("no other name", () => {
    const names = ["", "m", "mqtt", "mqtt_hos", "mqtt_host ", "mqtt_hosts", "MQTT_HOST", "qo", "qoss", "host_", "tls ", "password\0", "tsoh", "mqtt_host client_id"];
    for (let index = 0; index < names.length; index++) expect<bool>(key(names[index]) < 0).toBe(true);
  });
});

describe("defaults", () => {
  test("are those of the table", () => {
    expect<i32>(setting(Setting.MqttPort)).toBe(0); // which stands for 1883, with TLS for 8883
    expect<i32>(setting(Setting.KeepAliveS)).toBe(60);
    expect<i32>(setting(Setting.ConnectTimeoutS)).toBe(30);
    expect<i32>(setting(Setting.AckTimeoutS)).toBe(20);
    expect<i32>(setting(Setting.HealthyS)).toBe(60);
    expect<i32>(setting(Setting.ReconnectMinMs)).toBe(1000);
    expect<i32>(setting(Setting.ReconnectMaxMs)).toBe(120000);
    expect<i32>(setting(Setting.Qos)).toBe(1);
    expect<i32>(setting(Setting.MaxInflight)).toBe(16);
    expect<i32>(setting(Setting.ReceiveBuffer)).toBe(512);
    expect<i32>(setting(Setting.SendBuffer)).toBe(1024);
    expect<i32>(setting(Setting.StagingBuffer)).toBe(256);
    expect<i32>(setting(Setting.MaxRequests)).toBe(4);
    expect<i32>(setting(Setting.WillQos)).toBe(0);
    expect<i32>(setting(Setting.CleanSession)).toBe(1);
    expect<i32>(setting(Setting.Rpc)).toBe(1);
    expect<i32>(setting(Setting.SharedAttributes)).toBe(1);
    expect<i32>(setting(Setting.OutboxDropOldest)).toBe(0);
    expect<i32>(setting(Setting.Redeliver)).toBe(0);
    expect<i32>(setting(Setting.IgnoreMissingFeatures)).toBe(0);
    expect<i32>(setting(Setting.WillRetain)).toBe(0);
    expect<i32>(setting(Setting.SessionLimits)).toBe(1);
    expect<i32>(setting(Setting.OtaChunkSize)).toBe(0);
    expect<i32>(setting(Setting.OtaChunkTimeoutS)).toBe(10);
    expect<i32>(setting(Setting.OtaChunkRetries)).toBe(12);
    expect<i32>(setting(Setting.ChildrenBuffer)).toBe(1024);
    expect<i32>(setting(Setting.ChildKeepAliveS)).toBe(300);
  });
  test("nothing is present before it is set, and then that alone", () => {
    for (let each = 0; each < 32; each++) expect<bool>(isPresent(each)).toBe(false);
    setPresent((1 << Setting.MqttPort) | (1 << Setting.Password));
    for (let each = 0; each < 32; each++) expect<bool>(isPresent(each)).toBe(each == Setting.MqttPort || each == Setting.Password);
  });
  test("a setting keeps its value and leaves its neighbours", () => {
    setSetting(Setting.AckTimeoutS, 4095);
    expect<i32>(setting(Setting.AckTimeoutS)).toBe(4095);
    expect<i32>(setting(Setting.ConnectTimeoutS)).toBe(30);
    expect<i32>(setting(Setting.HealthyS)).toBe(60);
  });
});

/** Both ends of a range with what lies outside. */
function checkRange(key: i32, least: i32, most: i32): void {
  expect<i32>(inRange(key, least - 1)).toBe(least);
  expect<i32>(inRange(key, least)).toBe(least);
  expect<i32>(inRange(key, most)).toBe(most);
  expect<i32>(inRange(key, most + 1)).toBe(most);
  expect<i32>(inRange(key, i32.MAX_VALUE)).toBe(most);
  expect<i32>(inRange(key, -1)).toBe(least);
}

describe("inRange", () => {
  test("the ranges of the table", () => {
    checkRange(Setting.MqttPort, 1, 65535);
    checkRange(Setting.KeepAliveS, 0, 65535);
    checkRange(Setting.ConnectTimeoutS, 1, 4095);
    checkRange(Setting.AckTimeoutS, 1, 4095);
    checkRange(Setting.HealthyS, 1, 131071);
    checkRange(Setting.ReconnectMinMs, 1, 1048575);
    checkRange(Setting.ReconnectMaxMs, 1, 134217727);
    checkRange(Setting.Qos, 0, 1);
    checkRange(Setting.MaxInflight, 1, 1023);
    checkRange(Setting.ReceiveBuffer, 64, 1048575);
    checkRange(Setting.SendBuffer, 64, 1048575);
    checkRange(Setting.StagingBuffer, 64, 1048575);
    checkRange(Setting.MaxRequests, 1, 127);
    checkRange(Setting.WillQos, 0, 1);
    checkRange(Setting.OtaChunkSize, 0, 65535);
    checkRange(Setting.OtaChunkTimeoutS, 1, 4095);
    checkRange(Setting.OtaChunkRetries, 0, 127);
    checkRange(Setting.ChildrenBuffer, 64, 1048575);
    checkRange(Setting.ChildKeepAliveS, 0, 65535);
  });
});

describe("isLacking", () => {
  test("the profile with all features has every key", () => {
    for (let key = 0; key < <i32>Setting.Count; key++) expect<bool>(isLacking(key)).toBe(false);
  });
});

describe("names", () => {
  test("of the keys that may be missed", () => {
    const names = [MQTT_HOST_NAME, CLIENT_ID_NAME, USER_NAME_NAME];
    const keys = [Setting.MqttHost, Setting.ClientId, Setting.UserName];
    for (let index = 0; index < 3; index++) expect<i32>(findKey(names[index], MISSING_LENGTH)).toBe(keys[index]);
  });
  test("of the key that is refused where the subscriptions do not fit", () => {
    expect<i32>(findKey(SEND_BUFFER_NAME, SEND_BUFFER_NAME_LENGTH)).toBe(Setting.SendBuffer);
  });
});
