// Gets credentials for a device that has none in its configuration (ThingsBoard, device provisioning).
//
//   Load --> Use     the journal has them
//   Load --> Ask     it has none: a session of its own asks the server
//   Ask  --> Save    the server gave some; without them Ask again, as late as after a refusal
//   Save --> Use     they are durable, or there is no store: then they last until the end of the instance
import { EventField, EventFlag, EventKind, State, Status } from "../abi";
import { at, putBytes, putSpan } from "../base/cursor";
import { bytes, hashes, isLiteral, placeOf } from "../base/text";
import { arm, disarm, isArmed, isDue, readClock, Timer } from "../base/time";
import { resetBackoff } from "../client/backoff";
import * as connection from "../client/connection";
import { raise, setPayload } from "../client/event";
import * as hello from "../client/hello";
import { buffer } from "../client/inbound";
import { isPresent, present, setPresent, setText, setting, Setting, textLength, textOf, textSpan } from "../client/settings";
import { lengthAt, readMembers, span, TEXTS, valueAt } from "../json/members";
import * as scan from "../json/scan";
import { EVENT, fail, storePair } from "../memory";
import { putRemainingLength } from "../mqtt/length";
import { topic, topicLength } from "../mqtt/publish";
import * as journal from "../store/journal";
import { addressOf, lengthOf, PROVISION_PACKETS, PROVISION_REQUEST_BODY, PROVISION_RESPONSE } from "./topics";

const enum Phase {
  Forget = 0, // Load, of what is then written over by nothing
  Load = 1,
  Save = 2, // the last that the connection waits for
  Off = 3, // the configuration has credentials, or does not ask for any
  Ask = 4,
  Use = 5,
}

/** The members of a reply. */
const enum Name {
  Password = 0,
  UserName = 1,
  ClientId = 2,
  CredentialsValue = 3,
  CredentialsType = 4,
  Status = 5,
  ErrorMessage = 6,
  Count = 7,
}

const REPLY_NAMES = hashes("password userName clientId credentialsValue credentialsType status errorMsg"),
  REQUEST_NAMES = hashes("provisionDeviceKey provisionDeviceSecret"),
  DEVICE_KEY = bytes("provisionDeviceKey"),
  DEVICE_SECRET = bytes("provisionDeviceSecret"),
  STORE = bytes("store");
const STORE_LENGTH: i32 = 5;
/** The name of the secret is three letters longer. */
const DEVICE_KEY_LENGTH: i32 = 18;
/** Where each text up to CredentialsValue goes: four bits each. */
const KEYS: i32 = 0x2521;
/** The name of the key of the configuration is what these two begin with. */
const PROVISION_LENGTH: i32 = 9;
/** The first four letters of SUCCESS: the others are FAILURE and NOT_FOUND. */
const SUCCESS: u32 = 0x43435553;

/** What a reply may be longer than the request, and what the packets of a session have beside it. */
const REPLY_MORE: i32 = 128;
/** How long a busy store is left alone. */
const RETRY_MS: u32 = 10;

let phase: i32 = Phase.Off;
let replyLength: i32 = 0;

/** Checks the request: Ok, or the Status of the first fault, whose member the error record names. */
// @ts-ignore: decorator
@inline
export function configureProvisioning(): i32 {
  const length = textLength(Setting.Provision);
  if (!length) return Status.Ok;
  const most = setting(Setting.ReceiveBuffer) - REPLY_MORE;
  if (length > most) return fail(Status.InvalidValue, most, DEVICE_KEY, PROVISION_LENGTH);
  scan.open(textOf(Setting.Provision), length);
  scan.next();
  let found = 0;
  while (scan.next() == scan.Token.Key) {
    const member = scan.from;
    const memberLength = scan.length;
    const which = placeOf(REQUEST_NAMES, 2, member, memberLength);
    const token = scan.skip();
    // A member that is null makes the server close the connection without a reply.
    if ((which < 0) & (token != scan.Token.Null)) continue;
    found |= 1 << which;
    const status: i32 = token != scan.Token.Text ? Status.WrongType : scan.length ? <i32>Status.Ok : <i32>Status.InvalidValue;
    if (status) return fail(status, 0, member, memberLength);
  }
  if (found != 3) {
    found &= 1;
    return fail(Status.MissingKey, 0, found ? DEVICE_SECRET : DEVICE_KEY, DEVICE_KEY_LENGTH + 3 * found);
  }
  if (!isPresent(Setting.UserName)) read(Phase.Load);
  return Status.Ok;
}

/** Begins to read the journal. */
function read(why: i32): void {
  phase = why;
  replyLength = 0;
  journal.beginRead(setting(Setting.ReceiveBuffer));
}

/** The export `forget_credentials`: before the next connection the journal is emptied, and the server asked again. */
export function forgetCredentials(): i32 {
  if (phase == Phase.Off || connection.state != State.Stopped) return Status.BadState;
  read(Phase.Forget);
  connection.setAgain(true);
  return Status.Ok;
}

// @ts-ignore: decorator
@inline
function setName(text: usize, length: i32): void {
  storePair(EVENT + EventField.Name, text, length);
}

/** Takes the credentials out of a reply, or of a journal that holds one: Ok, or the Status of what is wrong. */
// @ts-ignore: decorator
@inline
function readReply(reply: usize, length: i32): i32 {
  const fault = readMembers(reply, length, REPLY_NAMES, Name.Count, TEXTS, 0);
  if (fault) return fault;
  let found = 0;
  let name: i32 = Name.Password;
  do {
    const length = lengthAt(name);
    found |= length;
    if (length || name <= Name.UserName) setText((KEYS >> (name << 2)) & 15, valueAt(name), length);
  } while (++name <= Name.CredentialsValue);
  // A text that is missing begins at address 0, where nothing like these stands.
  if (!found | (load<u32>(valueAt(Name.Status)) != SUCCESS)) return Status.RemoteError;
  // A certificate is what the host has already.
  if (load<u8>(valueAt(Name.CredentialsType)) == 0x58 /* X509_CERTIFICATE */) setText(Setting.UserName, 0, 0);
  setPresent(present | ((present & (1 << Setting.Password)) << (Setting.UserName - Setting.Password))); // [MQTT-3.1.2-22]
  return Status.Ok;
}

/** One step towards credentials: what the connection raised, or an event of its own. */
function advance(kind: i32): i32 {
  const before = phase;
  const isAsking = before == Phase.Ask;
  let isKept = before == Phase.Forget;
  let reply: usize = 0;
  let status: i32 = Status.Ok;
  let event: i32 = EventKind.ProvisioningFailed;
  if (before < Phase.Off) {
    readClock();
    status = journal.step(buffer());
    if (status > 0) {
      if ((status == journal.MORE) | !isArmed(Timer.Drain)) connection.awaitAnswer(Timer.Drain);
      if (!isDue(Timer.Drain)) {
        connection.setAgain(status == journal.MORE);
        arm(Timer.Link, RETRY_MS);
        return EventKind.None;
      }
      status = Status.Timeout;
    }
    disarm(Timer.Drain);
    connection.connectAtOnce();
    if (before == Phase.Load && !status) replyLength = journal.payloadLength(buffer());
    if (replyLength) reply = buffer() + journal.PAYLOAD;
  } else {
    if (kind == EventKind.Refused) setName(DEVICE_KEY, PROVISION_LENGTH);
    if (!isAsking | (kind != EventKind.Message) | !isLiteral(topic, topicLength, PROVISION_RESPONSE)) return kind;
    reply = load<u32>(EVENT, EventField.Payload);
    replyLength = load<i32>(EVENT, EventField.PayloadLength);
  }
  if (before == Phase.Save && reply) {
    phase = Phase.Use;
    event = EventKind.Provisioned;
  } else {
    if (reply) {
      // That of the configuration is asked with again.
      const clientId = load<u64>(textSpan(Setting.ClientId));
      status = readReply(reply, replyLength);
      if (!status) status = hello.build();
      store<u64>(textSpan(Setting.ClientId), clientId);
      if (isAsking) {
        if (!(load<u8>(EVENT, EventField.Flags) & EventFlag.Last)) status = Status.TooLarge;
        connection.finish();
      }
      if (!status) {
        phase = Phase.Use;
        if (!isAsking) return EventKind.None;
        memory.copy(buffer() + journal.PAYLOAD, reply, replyLength);
        resetBackoff();
        isKept = true;
      }
    }
    if (isKept) {
      phase = Phase.Save;
      journal.beginWrite(buffer(), replyLength);
      return EventKind.None;
    }
    phase = Phase.Ask;
    setText(Setting.UserName, DEVICE_KEY, PROVISION_LENGTH);
    setText(Setting.Password, 0, 0);
    hello.build();
    putBytes(addressOf(PROVISION_PACKETS), lengthOf(PROVISION_PACKETS));
    const body = at - PROVISION_REQUEST_BODY;
    putSpan(textSpan(Setting.Provision));
    putRemainingLength(body);
    hello.endSpeech();
    if (!status || status == Status.NotFound) return EventKind.None;
  }
  raise(event, 0, status);
  setPayload(reply, replyLength);
  if (isAsking) {
    memory.copy(EVENT + EventField.Name, span(Name.ErrorMessage), 8);
  } else if (event == EventKind.ProvisioningFailed) {
    setName(STORE, STORE_LENGTH);
  }
  return event;
}

/** `connection.poll` with all that comes before the first session with credentials. */
// @ts-ignore: decorator
@inline
export function poll(): i32 {
  const kind = phase < Phase.Off ? <i32>EventKind.None : connection.poll();
  return phase == Phase.Off ? kind : advance(kind);
}
