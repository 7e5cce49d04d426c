// Holds what a connection begins with: the name of the server and the CONNECT packet, both built once.
import { Status } from "../abi";
import { at, limit, open, putByte, putBytes, putU16, storeU16 } from "../base/cursor";
import { bytes } from "../base/text";
import { putUnescaped } from "../json/unescape";
import { carve, carved } from "../memory";
import { putRemainingLength } from "../mqtt/length";
import { ConnectFlag, Packet } from "../mqtt/packet";
import { readU16 } from "../mqtt/publish";
import { isTopicName } from "../mqtt/topic";
import { isPresent, setting, Setting, textLength } from "./settings";

/** "MQTT" with its length, and protocol level 4 [MQTT-3.1.2-1] [MQTT-3.1.2-2]. */
const PROTOCOL = bytes("\0\x04MQTT\x04");
const PROTOCOL_LENGTH: i32 = 7;

export let serverName: usize = 0;
export let connectPacket: usize = 0;
export let connectEnd: usize = 0;
/** The text that was refused first, and why. */
export let refusedKey: i32 = 0;
export let refusal: i32 = 0;

/** Writes a text of the configuration behind its length. */
function putSetting(key: i32): void {
  const from = at + 2;
  putU16(0);
  let status = putUnescaped(setting(key), textLength(key));
  const length = <i32>(at - from);
  if (at <= limit) {
    storeU16(from - 2, length);
    if (FEATURE_RAW && key == Setting.WillTopic && !isTopicName(from, length, false)) status = Status.InvalidTopic;
  }
  if (status) {
    refusal = status;
    refusedKey = key;
  }
}

function putPresent(key: i32): void {
  if (isPresent(key)) putSetting(key);
}

/** Builds both from the settings, in memory that ends at `end`; what was refused stands in `refusedKey`. */
export function build(end: usize): void {
  open(carved, end);
  putSetting(Setting.MqttHost);
  serverName = carved + 2;
  connectPacket = at;
  putByte(Packet.Connect << 4);
  putByte(0);
  const body = at;
  putBytes(PROTOCOL, PROTOCOL_LENGTH);
  let flags = setting(Setting.CleanSession) * ConnectFlag.CleanSession;
  if (isPresent(Setting.UserName)) flags |= ConnectFlag.UserName;
  if (isPresent(Setting.Password)) flags |= ConnectFlag.Password;
  if (FEATURE_RAW && isPresent(Setting.WillTopic)) {
    flags |=
      ConnectFlag.Will | (setting(Setting.WillQos) << ConnectFlag.WillQosShift) | (setting(Setting.WillRetain) * ConnectFlag.WillRetain);
  }
  putByte(flags);
  putU16(setting(Setting.KeepAliveS));
  putSetting(Setting.ClientId);
  if (FEATURE_RAW && flags & ConnectFlag.Will) {
    putSetting(Setting.WillTopic);
    putSetting(Setting.WillPayload);
  }
  putPresent(Setting.UserName);
  putPresent(Setting.Password);
  putRemainingLength(body);
  connectEnd = at;
  carve(at - carved);
}

/** Bytes of the server's name. */
export function serverNameLength(): i32 {
  return readU16(serverName - 2);
}
