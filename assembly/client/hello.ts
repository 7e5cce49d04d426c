// Holds what a connection begins with: the name of the server and the CONNECT packet, both built once.
import { at, open, overflowed, putByte, putBytes, putU16 } from "../base/cursor";
import { Status } from "../abi";
import { utf8 } from "../base/text";
import { putUnescaped } from "../json/unescape";
import { carve, carved } from "../memory";
import { ConnectFlag, Packet } from "../mqtt/packet";
import { isTopicName } from "../mqtt/topic";
import { presence, setting, Setting } from "./settings";

/** "MQTT" with its length and protocol level 4 [MQTT-3.1.2-1] [MQTT-3.1.2-2]. */
const PROTOCOL = utf8("\0\x04MQTT\x04");

/** The longest fixed header: one byte and two of remaining length, as every text is bounded. */
const HEADER_MAX: i32 = 3;

export let serverName: usize = 0;
export let serverNameLength: i32 = 0;
export let connectPacket: usize = 0;
export let connectEnd: usize = 0;
/** The setting whose text was refused last. */
export let refusedKey: i32 = 0;
let refusal: i32 = 0;

/** Writes a text of the configuration without its escapes; a CONNECT carries no U+0000 [MQTT-1.5.3-2]. */
function putSetting(key: i32, withLength: bool): void {
  const from = at;
  if (withLength) putU16(0);
  const status = putUnescaped(setting(key), presence(key));
  const text = at - (status < 0 ? 0 : status);
  let bad = status < 0;
  if (!overflowed()) {
    if (withLength) {
      store<u8>(from, status >> 8);
      store<u8>(from, status, 1);
    }
    // The payload of a will is any bytes; every other text is a text [MQTT-1.5.3-1].
    if (key != Setting.WillPayload) for (let byte = text; byte < at; byte++) bad = bad || !load<u8>(byte);
  }
  const badTopic = FEATURE_RAW && key == Setting.WillTopic && !overflowed() && !isTopicName(text, status, false);
  if ((bad || badTopic) && !refusal) {
    refusal = bad ? <i32>Status.InvalidUtf8 : <i32>Status.InvalidTopic;
    refusedKey = key;
  }
}

/** Builds both from the settings, in memory that ends at `end`. Ok, or the Status of `refusedKey`. */
export function build(end: usize): i32 {
  refusal = 0;
  const from = carved();
  open(from, end);
  serverName = from;
  putSetting(Setting.MqttHost, false);
  serverNameLength = <i32>(at - from);

  const body = at + HEADER_MAX;
  open(body, end);
  const userName = presence(Setting.AccessToken) ? <i32>Setting.AccessToken : <i32>Setting.UserName;
  let flags: u32 = setting(Setting.CleanSession) ? <u32>ConnectFlag.CleanSession : 0;
  if (presence(userName)) flags |= ConnectFlag.UserName;
  if (presence(Setting.Password)) flags |= ConnectFlag.Password;
  if (FEATURE_RAW && presence(Setting.WillTopic)) {
    flags |= ConnectFlag.Will | (setting(Setting.WillQos) << ConnectFlag.WillQosShift);
    if (setting(Setting.WillRetain)) flags |= ConnectFlag.WillRetain;
  }
  putBytes(PROTOCOL + 1, 7);
  putByte(flags);
  putU16(setting(Setting.KeepAliveS));
  putSetting(Setting.ClientId, true);
  if (FEATURE_RAW && flags & ConnectFlag.Will) {
    putSetting(Setting.WillTopic, true);
    putSetting(Setting.WillPayload, true);
  }
  if (flags & ConnectFlag.UserName) putSetting(userName, true);
  if (flags & ConnectFlag.Password) putSetting(Setting.Password, true);
  connectEnd = at;
  carve(at - from);
  const length = <i32>(at - body);
  connectPacket = body - (length > 0x7f ? 3 : 2);
  if (!overflowed()) {
    open(connectPacket, body);
    putByte(Packet.Connect << 4);
    if (length > 0x7f) {
      putByte((length & 0x7f) | 0x80);
      putByte(length >> 7);
    } else {
      putByte(length);
    }
  }
  return refusal;
}
