// Reads the configuration, checks every key of it, then carves the buffers.
import { RecordsField, Stat, Status } from "../abi";
import { at, limit, open as openCursor, putBytes } from "../base/cursor";
import { readDigits } from "../base/text";
import { from, length, next, open, skip, Token } from "../json/scan";
import { carve, carved, count, fail, RECORDS, TEXT_LENGTHS } from "../memory";
import { buildFirst } from "./hello";
import { carveInbound } from "./inbound";
import { Limit, setLimit } from "./limits";
import { carveOutbox } from "./outbox";
import { addPresent, findKey, isInProfile, isPresent, passedBound, refuseKey, setSetting, setting, Setting, textLength } from "./settings";

/** The longest text. */
const TEXT_MAX: i32 = 1023;
const DEFAULT_TLS_PORT: i32 = 8883;

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
    const name = from;
    const nameLength = length;
    const key = findKey(name, nameLength);
    let status: i32 = Status.UnknownKey;
    let bound = -1;
    if (key >= 0) {
      token = skip();
      let expected: i32 = Token.ObjectBegin;
      let value = <i32>from;
      if (key <= Setting.Provision) {
        // The length of the one object that is kept is the module's, too.
        store<i32>(TEXT_LENGTHS + (key << 2), length);
        if (key < Setting.Provision) {
          expected = Token.Text;
          if (length > TEXT_MAX) bound = TEXT_MAX;
        }
        const which = key - Setting.MessagesRateLimit;
        if (FEATURE_LIMITS && <u32>which < <u32>Limit.Count && token == Token.Text && !setLimit(which, from, length)) bound = 0;
      } else if (key >= Setting.MqttPort) {
        expected = Token.Number;
        // No key takes a number below zero or with a fraction.
        value = readDigits(from, length);
        bound = passedBound(key, value);
      } else if (key > Setting.Host) {
        value = <i32>(token == Token.True);
        expected = Token.False + value;
      }
      if (token < 0) status = token;
      else if (!isInProfile(key)) status = Status.NotInProfile;
      else if (token != expected) status = Status.WrongType;
      else status = bound >= 0 || isPresent(key) ? <i32>Status.InvalidValue : <i32>Status.Ok;
      addPresent(key);
      setSetting(key, value);
    }
    if (status) {
      fail(status, status == Status.InvalidValue ? bound : 0, name, nameLength);
      if (status != Status.NotInProfile) return status;
      count(Stat.ConfigurationIgnored);
      lacking = status;
    }
  }
  if (token > 0) token = next();
  return token || setting(Setting.IgnoreMissingFeatures) ? token : lacking;
}

/** A key that must be present because of another one, or -1. */
// @ts-ignore: decorator
@inline
function missingKey(): i32 {
  if (!textLength(Setting.MqttHost)) return Setting.MqttHost;
  if (isPresent(Setting.Password) && !isPresent(Setting.UserName)) return Setting.UserName;
  return setting(Setting.CleanSession) || isPresent(Setting.ClientId) ? -1 : Setting.ClientId;
}

/**
 * Copies texts, as they stand, to where they stay: what runs is compared with JSON texts and written into others, and with
 * provisioning another CONNECT is built later.
 */
// @ts-ignore: decorator
@inline
function keepTexts(end: usize, all: bool): void {
  openCursor(carved, end);
  const last: i32 = all ? Setting.Provision : Setting.SoftwareVersion;
  for (let key: i32 = all ? Setting.Password : Setting.FirmwareTitle; key <= last; key++) {
    const to = at;
    putBytes(setting(key), textLength(key));
    if (at <= limit) setSetting(key, <i32>to);
  }
  carve(at - carved);
}

/** Reads and carves; the caller compares `carved` with the end of memory. */
// @ts-ignore: decorator
@inline
export function configure(text: usize, bytes: i32): i32 {
  let status = readObject(text, bytes);
  if (status) return status;
  const key = missingKey();
  if (key >= 0) return refuseKey(Status.MissingKey, key);
  if (isPresent(Setting.Tls) && !isPresent(Setting.MqttPort)) setSetting(Setting.MqttPort, DEFAULT_TLS_PORT);
  // Texts are copied to below the configuration first; the buffers may then lie over it.
  const isAgain: bool = FEATURE_PROVISIONING && isPresent(Setting.Provision);
  if (FEATURE_OTA || FEATURE_PROVISIONING) keepTexts(text, isAgain);
  // Whatever a reply brings fits: it came through the receive buffer.
  status = buildFirst(text, isAgain ? setting(Setting.ReceiveBuffer) : 0);
  if (status) return status;
  const staging = setting(Setting.StagingBuffer);
  store<usize>(RECORDS, carve(staging), RecordsField.Staging);
  store<i32>(RECORDS, staging, RecordsField.StagingCapacity);
  carveInbound(setting(Setting.ReceiveBuffer));
  carveOutbox(setting(Setting.SendBuffer));
  return Status.Ok;
}
