// Holds what a connection begins with: the name of the server and the CONNECT packet, both built once.
import { Status } from "../abi";
import { at, limit, open, putByte, putBytes, putU16, storeU16 } from "../base/cursor";
import { putUnescaped } from "../json/unescape";
import { carve, carved } from "../memory";
import { putRemainingLength } from "../mqtt/length";
import { ConnectFlag } from "../mqtt/packet";
import { readU16 } from "../mqtt/publish";
import { CONNECT, CONNECT_LENGTH, isPresent, present, setting, Setting, textLength } from "./settings";

export let serverName: usize = 0;
export let connectPacket: usize = 0;
export let connectEnd: usize = 0;
/** Behind what is said at once after CONNACK, in a session that has packets of its own and carries nothing else; 0 in others. */
export let speechEnd: usize = 0;
/** The end of the memory for all this, when it is built again. */
let limitAgain: usize = 0;

/** Builds both from the settings, from `begin` to before `end`. Ok, or the Status of a text that was refused. */
// @ts-ignore: decorator
@inline
function buildHere(begin: usize, end: usize): i32 {
  let status: i32 = Status.Ok;
  // Always there are the name of the server and the client id, and with the topic of a will its payload.
  let keys = (present & ((1 << Setting.UserName) | (1 << Setting.Password))) | (1 << Setting.MqttHost) | (1 << Setting.ClientId);
  const hasWill = FEATURE_RAW && isPresent(Setting.WillTopic);
  if (hasWill) keys |= (1 << Setting.WillTopic) | (1 << Setting.WillPayload);
  open(begin, end);
  serverName = at + 2;
  for (let key: i32 = Setting.MqttHost; key >= 0; key--) {
    if (!(keys & (1 << key))) continue;
    const from = at + 2;
    putU16(0);
    const fault = putUnescaped(setting(key), textLength(key));
    if (fault) status = fault;
    if (at <= limit) storeU16(from - 2, <i32>(at - from));
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
  if (FEATURE_PROVISIONING) speechEnd = 0;
  return status;
}

/** The same, where they are built in several places. */
function build(begin: usize, end: usize): i32 {
  return buildHere(begin, end);
}

/** Builds both for the first time, in memory that is carved for them and for `more` bytes, and ends at `end`. */
// @ts-ignore: decorator
@inline
export function buildFirst(end: usize, more: i32): void {
  if (FEATURE_PROVISIONING) build(carved, end);
  else buildHere(carved, end);
  carve(at - carved + more);
  limitAgain = carved;
}

/** Builds both for another session. */
// @ts-ignore: decorator
@inline
export function rebuild(): i32 {
  return build(serverName - 2, limitAgain);
}

/** What was written at the cursor behind CONNECT is what the session has to say. */
// @ts-ignore: decorator
@inline
export function endSpeech(): void {
  speechEnd = at;
}

/** The session carries nothing but its own packets. */
// @ts-ignore: decorator
@inline
export function isLimited(): bool {
  return FEATURE_PROVISIONING && speechEnd != 0;
}

/** Bytes of the server's name. */
export function serverNameLength(): i32 {
  return readU16(serverName - 2);
}
