// Reads the configuration, checks every key of it, then carves the buffers.
import { Stat, Status } from "../abi";
import { at, limit, overflowed, open as openCursor, putSpan } from "../base/cursor";
import { readDigits } from "../base/text";
import { from, length, next, open, skip, Token } from "../json/scan";
import { hasEscapes, putUnescaped } from "../json/unescape";
import { carved, count, fail, storePair } from "../memory";
import { isTopicName } from "../mqtt/topic";
import { buildFirst } from "./hello";
import { carveInbound } from "./inbound";
import { Limit, setLimit } from "./limits";
import { carveOutbox } from "./outbox";
import { CLIENT_ID_NAME, findKey, inRange, isLacking, isPresent, MISSING_LENGTH, MQTT_HOST_NAME, present, setPresent, setSetting, setting, Setting, textLength, textSpan, USER_NAME_NAME } from "./settings";
import { carveStaging } from "./staging";

/** The longest text. */
const TEXT_MAX: i32 = 1023;

/** Reads the whole object into the settings. */
// @ts-ignore: decorator
@inline
function readObject(text: usize, bytes: i32): i32 {
  open(text, bytes);
  let token = next();
  if (token != Token.ObjectBegin) return token < 0 ? token : <i32>Status.WrongType;
  let lacking: i32 = Status.Ok;
  let seen: u64 = 0;
  while ((token = next()) > 0) {
    if (token != Token.Key) continue;
    const name = from;
    const nameLength = length;
    const key = findKey(name, nameLength);
    let status: i32 = Status.UnknownKey;
    let bound = 0;
    if (key >= 0) {
      status = token = skip();
      if (token >= 0) {
        const bit = (<u64>1) << key;
        if (isLacking(key)) {
          lacking = fail(Status.NotInProfile, 0, name, nameLength);
          count(Stat.ConfigurationIgnored);
          continue;
        }
        status = seen & bit ? <i32>Status.InvalidValue : <i32>Status.Ok;
        seen |= bit;
        let expected: i32 = Token.ObjectBegin;
        if (key <= Setting.Provision) {
          // The one object that is kept is the module's, too.
          storePair(textSpan(key), from, length);
          if (key < Setting.Provision) {
            expected = Token.Text;
            const fault = faultOf(key, text);
            if (fault) status = fault;
            if (length > TEXT_MAX) {
              status = Status.InvalidValue;
              bound = TEXT_MAX;
            }
          }
        } else {
          let value = 0;
          if (key >= Setting.MqttPort) {
            expected = Token.Number;
            // No key takes a number below zero or with a fraction.
            value = readDigits(from, length);
            bound = inRange(key, value);
            if (bound != value) status = Status.InvalidValue;
          } else if (key > Setting.Host) {
            value = <i32>(token == Token.True);
            expected = Token.False + value;
          }
          setSetting(key, value);
        }
        if (token != expected) status = Status.WrongType;
      }
    }
    if (status) return fail(status, status == Status.InvalidValue ? bound : 0, name, nameLength);
  }
  setPresent(<i32>seen);
  return token ? token : lacking & (setting(Setting.IgnoreMissingFeatures) - 1);
}

/** What is wrong with a text that the scanner has passed. */
// @ts-ignore: decorator
@inline
function faultOf(key: i32, end: usize): i32 {
  if (!FEATURE_JSON) return hasEscapes(from, length) ? <i32>Status.NotInProfile : <i32>Status.Ok;
  // As it will be sent; what is written lies where nothing stands yet.
  openCursor(carved, end);
  const fault = putUnescaped(from, length);
  const limit = key - Setting.MessagesRateLimit;
  if (FEATURE_LIMITS && <u32>limit < <u32>Limit.Count && !setLimit(limit, from, length)) return Status.InvalidValue;
  // A limit that could be set holds for the children of a gateway, too.
  if (FEATURE_GATEWAY && <u32>limit < <u32>Limit.Count) setLimit(limit + Limit.ChildMessages, from, length);
  return FEATURE_RAW && key == Setting.WillTopic && !overflowed() && !isTopicName(carved, <i32>(at - carved), false) ? <i32>Status.InvalidTopic : fault;
}

/** The name of a key that must be present because of another one, or 0. */
// @ts-ignore: decorator
@inline
function missingName(): usize {
  if (!textLength(Setting.MqttHost)) return MQTT_HOST_NAME;
  if ((present & ((1 << Setting.UserName) | (1 << Setting.Password))) == 1 << Setting.Password) return USER_NAME_NAME;
  return setting(Setting.CleanSession) | textLength(Setting.ClientId) ? 0 : CLIENT_ID_NAME;
}

/**
 * Copies texts, as they stand, to the cursor, where they stay: what runs is compared with JSON texts and written into others, and with
 * provisioning another CONNECT is built later.
 */
// @ts-ignore: decorator
@inline
function keepTexts(all: bool): void {
  for (let key: i32 = all ? Setting.Password : Setting.FirmwareTitle; key <= Setting.Provision; key++) {
    const to = at;
    putSpan(textSpan(key));
    if (at <= limit) store<usize>(textSpan(key), to);
  }
}

/** Reads and carves; the caller compares `carved` with the end of memory. */
// @ts-ignore: decorator
@inline
export function configure(text: usize, bytes: i32): i32 {
  const status = readObject(text, bytes);
  if (status) return status;
  const missing = missingName();
  if (missing) return fail(Status.MissingKey, 0, missing, MISSING_LENGTH);
  // Texts are copied to below the configuration first; the buffers may then lie over it.
  openCursor(carved, text);
  const isAgain: bool = FEATURE_PROVISIONING && isPresent(Setting.Provision);
  if (FEATURE_OTA || FEATURE_PROVISIONING) keepTexts(isAgain);
  // Whatever a reply brings fits: it came through the receive buffer.
  buildFirst(FEATURE_PROVISIONING ? <i32>isAgain * setting(Setting.ReceiveBuffer) : 0);
  carveStaging(setting(Setting.StagingBuffer));
  carveInbound(setting(Setting.ReceiveBuffer));
  carveOutbox(setting(Setting.SendBuffer));
  return Status.Ok;
}
