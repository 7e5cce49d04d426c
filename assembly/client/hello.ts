// Holds what a connection begins with: the name of the server and the CONNECT packet, both built once.
import { Status } from "../abi";
import { at, limit, open, putByte, putBytes, putU16, storeU16 } from "../base/cursor";
import { putUnescaped } from "../json/unescape";
import { carve, carved } from "../memory";
import { putRemainingLength } from "../mqtt/length";
import { ConnectFlag } from "../mqtt/packet";
import { readU16 } from "../mqtt/publish";
import { isTopicName } from "../mqtt/topic";
import { CONNECT, CONNECT_LENGTH, isPresent, present, refuseKey, setSetting, setting, Setting, textLength } from "./settings";

export let serverName: usize = 0;
export let connectPacket: usize = 0;
export let connectEnd: usize = 0;

/** Builds both from the settings, in memory that ends at `end`. Ok, or the Status of a text that was refused. */
// @ts-ignore: decorator
@inline
export function build(end: usize): i32 {
  let status: i32 = Status.Ok;
  // Always there are the name of the server and the client id, and with the topic of a will its payload.
  let keys = (<i32>present & ((1 << Setting.UserName) | (1 << Setting.Password))) | (1 << Setting.MqttHost) | (1 << Setting.ClientId);
  const hasWill = FEATURE_RAW && isPresent(Setting.WillTopic);
  if (hasWill) keys |= (1 << Setting.WillTopic) | (1 << Setting.WillPayload);
  open(carved, end);
  serverName = at + 2;
  for (let key: i32 = Setting.MqttHost; key >= 0; key--) {
    if (!(keys & (1 << key))) continue;
    const from = at + 2;
    putU16(0);
    let fault = putUnescaped(setting(key), textLength(key));
    const length = <i32>(at - from);
    if (at <= limit) {
      storeU16(from - 2, length);
      if (FEATURE_RAW && key == Setting.WillTopic && !isTopicName(from, length, false)) fault = Status.InvalidTopic;
    }
    if (fault) status = refuseKey(fault, key);
    if (key == Setting.MqttHost) {
      connectPacket = at;
      putBytes(CONNECT, CONNECT_LENGTH);
      // The bits of password and user name are those of their keys, six places up; only a byte of this is written.
      let flags = (keys << 6) | (setting(Setting.CleanSession) * ConnectFlag.CleanSession);
      if (FEATURE_RAW && hasWill) {
        flags |= ConnectFlag.Will | (setting(Setting.WillQos) << ConnectFlag.WillQosShift) | (setting(Setting.WillRetain) * ConnectFlag.WillRetain);
      }
      putByte(flags);
      putU16(setting(Setting.KeepAliveS));
    }
  }
  putRemainingLength(connectPacket + 2);
  connectEnd = at;
  if (FEATURE_OTA) {
    // As they stand: they are compared with JSON texts, and written into others.
    for (let key: i32 = Setting.FirmwareTitle; key <= Setting.SoftwareVersion; key++) {
      const text = at;
      putBytes(setting(key), textLength(key));
      setSetting(key, <i32>text);
    }
  }
  carve(at - carved);
  return status;
}

/** Bytes of the server's name. */
export function serverNameLength(): i32 {
  return readU16(serverName - 2);
}
