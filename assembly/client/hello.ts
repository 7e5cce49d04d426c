// Holds what a connection and a session begin with: the name of the server, the CONNECT packet and what is said behind it.
import { Status } from "../abi";
import { at, limit, open, putByte, putBytes, putU16, storeU16 } from "../base/cursor";
import { putUnescaped } from "../json/unescape";
import { carve, carved } from "../memory";
import { putRemainingLength } from "../mqtt/length";
import { ConnectFlag } from "../mqtt/packet";
import { readU16 } from "../mqtt/publish";
import { CONNECT, CONNECT_LENGTH, isPresent, present, setting, Setting, textLength, textOf } from "./settings";

/** Where all this begins: the name of the server behind two bytes that are its length. */
let begin: usize = 0;
/** Where the memory for it ends. */
let end: usize = 0;
export let connectPacket: usize = 0;
export let connectEnd: usize = 0;
/** Behind what is said at once after CONNACK, in a session that has packets of its own and carries nothing else; 0 in others. */
export let speechEnd: usize = 0;

/** What every session begins with: the address of a packet whose length is one byte; 0 = nothing. */
export let greeting: usize = 0;

// @ts-ignore: decorator
@inline
export function setGreeting(packet: usize): void {
  greeting = packet;
}

/** Builds both from the settings, at the cursor. Ok, or the Status of a text that was refused. */
// @ts-ignore: decorator
@inline
function putBoth(): i32 {
  let status: i32 = Status.Ok;
  // Always there are the name of the server and the client id, and with the topic of a will its payload.
  let keys = (present & ((1 << Setting.UserName) | (1 << Setting.Password))) | (1 << Setting.MqttHost) | (1 << Setting.ClientId);
  const hasWill = FEATURE_RAW ? (present >> Setting.WillTopic) & 1 : 0;
  keys |= hasWill * ((1 << Setting.WillTopic) | (1 << Setting.WillPayload));
  let key: i32 = Setting.MqttHost;
  do {
    if (!(keys & (1 << key))) continue;
    const start = at;
    putU16(FEATURE_JSON ? 0 : textLength(key));
    const fault = putUnescaped(textOf(key), textLength(key));
    if (fault) status = fault;
    // Without its escapes a text may be shorter.
    if (FEATURE_JSON && at <= limit) storeU16(start, <i32>(at - start) - 2);
    if (key == Setting.MqttHost) {
      connectPacket = at;
      putBytes(CONNECT, CONNECT_LENGTH);
      // The bits of password and user name are those of their keys, five places up; only a byte of this is written.
      let flags = (keys << 5) | (setting(Setting.CleanSession) * ConnectFlag.CleanSession);
      if (FEATURE_RAW) flags |= hasWill * (ConnectFlag.Will | (setting(Setting.WillQos) << ConnectFlag.WillQosShift) | (setting(Setting.WillRetain) * ConnectFlag.WillRetain));
      putByte(flags);
      putU16(setting(Setting.KeepAliveS));
    }
  } while (--key);
  putRemainingLength(connectPacket + 2);
  connectEnd = at;
  if (FEATURE_PROVISIONING) speechEnd = 0;
  return status;
}

/** Builds both again for another session. Ok, or the Status of a text that was refused. */
export function build(): i32 {
  open(begin, end);
  return putBoth();
}

/** Builds both for the first time, at the cursor, and carves up to `more` bytes behind them. */
// @ts-ignore: decorator
@inline
export function buildFirst(more: i32): void {
  begin = at;
  if (FEATURE_PROVISIONING) {
    end = limit;
    build();
  } else {
    putBoth();
  }
  carve(at - carved + more);
  end = carved;
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

// @ts-ignore: decorator
@inline
export function serverName(): usize {
  return begin + 2;
}

/** Bytes of the server's name. */
// @ts-ignore: decorator
@inline
export function serverNameLength(): i32 {
  return readU16(begin);
}
