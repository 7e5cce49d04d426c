// Reads the configuration, checks every key of it, then carves the buffers.
import { JsonType, Stat, Status } from "../abi";
import { mantissa, readNumber } from "../json/number";
import { from, length, next, open, skip, Token } from "../json/scan";
import { count, fail } from "../memory";
import * as hello from "./hello";
import { carveInbound } from "./inbound";
import { carveOutbox } from "./outbox";
import { findKey, isInProfile, nameFrom, nameLength, presence, range, setDefaults, setSetting, setting, Setting } from "./settings";
import { carveStaging } from "./staging";
import { carveSubscriptions } from "./subscriptions";

/** The longest text: with it CONNECT needs two bytes of remaining length at most. */
const TEXT_MAX: i32 = 1024;
/** The longest name that DNS knows. */
const HOST_MAX: i32 = 253;
const DEFAULT_TLS_PORT: i32 = 8883;

/** A fault of the key that `findKey` stopped at. */
function refuse(status: i32, value: i32): i32 {
  return fail(status, value, nameFrom, nameLength);
}

/** Reads the value of a key: Ok, or the Status with the limit in the error value. */
function readValue(key: i32): i32 {
  const token = skip();
  if (token < 0) return refuse(token, 0);
  let status: i32 = Status.WrongType;
  let limit = 0;
  let value = <i32>from;
  let present = 1;
  if (key < Setting.Tls) {
    if (token == Token.Text) {
      present = length;
      limit = key == Setting.MqttHost ? HOST_MAX : TEXT_MAX;
      status = length > limit ? <i32>Status.InvalidValue : <i32>Status.Ok;
    }
  } else if (key < Setting.CleanSession) {
    if (token == Token.ObjectBegin) status = Status.Ok;
  } else if (key < Setting.MqttPort) {
    value = <i32>(token == Token.True);
    if (value || token == Token.False) status = Status.Ok;
  } else if (token == Token.Number && readNumber(from, length) == JsonType.Integer) {
    value = <i32>mantissa;
    limit = range(key, <i32>(mantissa > 0));
    status = mantissa < <i64>range(key, 0) || mantissa > <i64>range(key, 1) ? <i32>Status.InvalidValue : <i32>Status.Ok;
  }
  if (presence(key)) status = Status.InvalidValue; // a key that stands twice
  if (status) return refuse(status, limit);
  setSetting(key, value, present);
  return Status.Ok;
}

/** Reads the whole object into the settings. */
function readObject(text: usize, textLength: i32): i32 {
  setDefaults();
  open(text, textLength);
  let token = next();
  if (token != Token.ObjectBegin) return token < 0 ? token : <i32>Status.WrongType;
  let lacking = false;
  for (;;) {
    token = next();
    if (token != Token.Key) break;
    const key = findKey(from, length, -1);
    if (key < 0) return fail(Status.UnknownKey, 0, from, length);
    const status = readValue(key);
    if (status) return status;
    if (!isInProfile(key)) {
      if (!lacking) refuse(Status.NotInProfile, 0);
      lacking = true;
      count(Stat.ConfigurationIgnored);
    }
  }
  if (token > 0) token = next();
  if (token) return token;
  return lacking && !setting(Setting.IgnoreMissingFeatures) ? <i32>Status.NotInProfile : <i32>Status.Ok;
}

/** What no key can tell alone. */
function checkTogether(): i32 {
  let key: i32 = Setting.MqttHost;
  let status: i32 = Status.MissingKey;
  if (presence(key)) {
    key = Setting.ClientId;
    if (presence(key) || setting(Setting.CleanSession)) {
      key = Setting.UserName;
      const hasToken = presence(Setting.AccessToken);
      if (presence(key) || hasToken || !presence(Setting.Password)) {
        status = Status.InvalidValue;
        if (!presence(key) || !hasToken) {
          key = Setting.ReconnectMaxMs;
          if (setting(key) >= setting(Setting.ReconnectMinMs)) return Status.Ok;
        }
      }
    }
  }
  findKey(0, -1, key);
  return refuse(status, 0);
}

/** Reads and carves; the caller compares `carved()` with the end of memory. `ownFilters`: bytes for the platform's filters. */
export function configure(text: usize, textLength: i32, ownFilters: i32): i32 {
  let status = readObject(text, textLength);
  if (status) return status;
  status = checkTogether();
  if (status) return status;
  if (presence(Setting.Tls) && !presence(Setting.MqttPort)) setSetting(Setting.MqttPort, DEFAULT_TLS_PORT, 0);
  // Texts are copied to below the configuration first; the buffers may then lie over it.
  status = hello.build(text);
  if (status) {
    findKey(0, -1, hello.refusedKey);
    return refuse(status, 0);
  }
  carveStaging(setting(Setting.StagingBuffer));
  carveInbound(setting(Setting.ReceiveBuffer));
  carveOutbox(setting(Setting.SendBuffer));
  carveSubscriptions(ownFilters + (FEATURE_RAW ? setting(Setting.SubscriptionBuffer) : 0));
  return Status.Ok;
}
