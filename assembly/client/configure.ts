// Reads the configuration, checks every key of it, then carves the buffers.
import { RecordsField, Stat, Status } from "../abi";
import { readDigits } from "../base/text";
import { from, length, next, open, skip, Token } from "../json/scan";
import { carve, count, fail, RECORDS, TEXT_LENGTHS } from "../memory";
import * as hello from "./hello";
import { carveInbound } from "./inbound";
import { carveOutbox } from "./outbox";
import { findKey, isInProfile, isPresent, nameFrom, nameLength, passedBound, setSetting, setting, Setting, textLength } from "./settings";

/** The longest text. */
const TEXT_MAX: i32 = 1023;
const DEFAULT_TLS_PORT: i32 = 8883;

/** A fault of the key that `findKey` stopped at. */
function refuse(status: i32, value: i32): i32 {
  return fail(status, value, nameFrom, nameLength);
}

/** A fault of a key that is no longer at hand. */
export function refuseKey(status: i32, key: i32): i32 {
  findKey(0, -1, key);
  return refuse(status, 0);
}

/** Reads the value of a key into the settings: Ok, or the Status with the bound that was passed in the error value. */
// @ts-ignore: decorator
@inline
function readValue(key: i32): i32 {
  const token = skip();
  if (token < 0) return refuse(token, 0);
  let expected: i32 = Token.Number;
  let value = <i32>from;
  let bound = -1;
  if (key < Setting.Tls) {
    expected = Token.Text;
    store<i32>(TEXT_LENGTHS + (key << 2), length);
    if (length > TEXT_MAX) bound = TEXT_MAX;
  } else if (key < Setting.CleanSession) {
    expected = Token.ObjectBegin;
  } else if (key < Setting.MqttPort) {
    value = <i32>(token == Token.True);
    expected = value ? Token.True : Token.False;
  } else {
    // No key takes a number below zero or with a fraction.
    value = readDigits(from, length);
    bound = passedBound(key, value);
  }
  if (token != expected) return refuse(Status.WrongType, 0);
  return setSetting(key, value) && bound < 0 ? Status.Ok : refuse(Status.InvalidValue, bound);
}

/** Reads the whole object into the settings. */
// @ts-ignore: decorator
@inline
function readObject(text: usize, bytes: i32): i32 {
  open(text, bytes);
  let token = next();
  if (token != Token.ObjectBegin) return token < 0 ? token : <i32>Status.WrongType;
  let lacking: i32 = Status.Ok;
  while (true) {
    token = next();
    if (token != Token.Key) break;
    const key = findKey(from, length, -1);
    if (key < 0) return fail(Status.UnknownKey, 0, from, length);
    const status = readValue(key);
    if (status) return status;
    if (!isInProfile(key)) {
      count(Stat.ConfigurationIgnored);
      lacking = refuse(Status.NotInProfile, 0);
    }
  }
  if (token > 0) token = next();
  return token || setting(Setting.IgnoreMissingFeatures) ? token : lacking;
}

/** A key that must be present because of another one, or -1. */
function missingKey(): i32 {
  if (!textLength(Setting.MqttHost)) return Setting.MqttHost;
  if (isPresent(Setting.Password) && !isPresent(Setting.UserName)) return Setting.UserName;
  return setting(Setting.CleanSession) || isPresent(Setting.ClientId) ? -1 : Setting.ClientId;
}

/** Reads and carves; the caller compares `carved` with the end of memory. */
// @ts-ignore: decorator
@inline
export function configure(text: usize, bytes: i32): i32 {
  let status = readObject(text, bytes);
  if (status) return status;
  let key = missingKey();
  if (key >= 0) {
    status = Status.MissingKey;
  } else {
    if (isPresent(Setting.Tls) && !isPresent(Setting.MqttPort)) setSetting(Setting.MqttPort, DEFAULT_TLS_PORT);
    // Texts are copied to below the configuration first; the buffers may then lie over it.
    hello.build(text);
    key = hello.refusedKey;
    status = hello.refusal;
  }
  if (status) return refuseKey(status, key);
  store<usize>(RECORDS, carve(setting(Setting.StagingBuffer)), RecordsField.Staging);
  store<i32>(RECORDS, setting(Setting.StagingBuffer), RecordsField.StagingCapacity);
  carveInbound(setting(Setting.ReceiveBuffer));
  carveOutbox(setting(Setting.SendBuffer));
  return Status.Ok;
}
