// Gets credentials for a device that has none in its configuration (ThingsBoard, device provisioning).
//
//   Load --> Use     the journal has them
//   Load --> Ask     it has none: a session of its own asks the server
//   Ask  --> Save    the server gave some; without them Ask again, as late as after a refusal
//   Save --> Use     they are durable, or there is no store: then they last until the end of the instance
import { EventField, EventFlag, EventKind, State, Status } from "../abi";
import { at, putByte, putBytes } from "../base/cursor";
import { equals, hashes, isLiteral, utf8 } from "../base/text";
import { arm, fromNow, readClock, remaining, Timer } from "../base/time";
import * as connection from "../client/connection";
import { raise, setPayload } from "../client/event";
import * as hello from "../client/hello";
import { buffer } from "../client/inbound";
import { SUBSCRIBE } from "../client/publish";
import { addPresent, isPresent, setText, setting, Setting, textLength } from "../client/settings";
import { lengthAt, readMembers, TEXTS, valueAt } from "../json/members";
import * as scan from "../json/scan";
import { EVENT, fail } from "../memory";
import { putRemainingLength } from "../mqtt/length";
import { topic, topicLength } from "../mqtt/publish";
import * as journal from "../store/journal";
import { addressOf, lengthOf, PROVISION_PACKETS, PROVISION_REQUEST_BODY, PROVISION_RESPONSE, PROVISION_RESPONSE_LENGTH } from "./topics";

const enum Phase {
  Load = 0,
  Save = 1, // the last that the connection waits for
  Off = 2, // the configuration has credentials, or does not ask for any
  Ask = 3,
  Use = 4,
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
  DEVICE_KEY = utf8("provisionDeviceKey"),
  DEVICE_SECRET = utf8("provisionDeviceSecret"),
  STORE = utf8("store");
/** Where each text up to CredentialsValue goes: four bits each. */
const KEYS: i32 = 0x1410;
/** The name of the key of the configuration is what these two begin with. */
const PROVISION_LENGTH: i32 = 9;
/** The first four letters of SUCCESS: the others are FAILURE and NOT_FOUND. */
const SUCCESS: u32 = 0x43435553;

/** What a reply may be longer than the request, and what the packets of a session have beside it. */
const REPLY_MORE: i32 = 128;
/** How long a busy store is left alone. */
const RETRY_MS: u32 = 10;

let phase: i32 = Phase.Off;
/** What the journal holds is to be forgotten. */
let isForgetting: bool = false;
/** The end of the patience with a busy store. */
let due: u32 = 0;
let replyLength: i32 = 0;
/** The client id of the configuration. */
let clientId: i32 = 0;
let clientIdLength: i32 = 0;
/** Checks the request: Ok, or the Status of the first fault, whose member the error record names. */
// @ts-ignore: decorator
@inline
export function configureProvisioning(): i32 {
  const length = textLength(Setting.Provision);
  if (!length) return Status.Ok;
  const most = setting(Setting.ReceiveBuffer) - REPLY_MORE;
  if (length > most) return fail(Status.InvalidValue, most, DEVICE_KEY + 1, PROVISION_LENGTH);
  scan.open(setting(Setting.Provision), length);
  scan.next();
  let missing = 3;
  while (scan.next() == scan.Token.Key) {
    const member = scan.from;
    const memberLength = scan.length;
    const which = isLiteral(member, memberLength, DEVICE_KEY) ? 1 : isLiteral(member, memberLength, DEVICE_SECRET) ? 2 : 0;
    missing &= ~which;
    const token = scan.skip();
    // A member that is null makes the server close the connection without a reply.
    const isWrong = which ? token != scan.Token.Text : token == scan.Token.Null;
    if (isWrong || (which && !scan.length)) return fail(isWrong ? <i32>Status.WrongType : <i32>Status.InvalidValue, 0, member, memberLength);
  }
  const lacking = missing & 1 ? DEVICE_KEY : DEVICE_SECRET;
  if (missing) return fail(Status.MissingKey, 0, lacking + 1, load<u8>(lacking));
  if (isPresent(Setting.UserName)) return Status.Ok;
  clientId = setting(Setting.ClientId);
  clientIdLength = textLength(Setting.ClientId);
  load_();
  return Status.Ok;
}

/** Begins to read the journal. */
function load_(): void {
  phase = Phase.Load;
  due = 0;
  journal.beginRead(buffer(), setting(Setting.ReceiveBuffer));
}

/** The export `forget_credentials`: before the next connection the journal is emptied, and the server asked again. */
export function forgetCredentials(): i32 {
  if (phase == Phase.Off || connection.state != State.Stopped) return Status.BadState;
  isForgetting = true;
  load_();
  connection.setAgain(true);
  return Status.Ok;
}

/** Takes the credentials out of a reply, or of a journal that holds one: Ok, or the Status of what is wrong. */
// @ts-ignore: decorator
@inline
function readReply(reply: usize, length: i32): i32 {
  const fault = readMembers(reply, length, REPLY_NAMES, Name.Count, TEXTS, 0);
  if (fault) return fault;
  let isFound = false;
  for (let name: i32 = Name.Password; name <= Name.CredentialsValue; name++) {
    const length = lengthAt(name);
    if (!length) continue;
    setText((KEYS >> (name << 2)) & 15, valueAt(name), length);
    isFound = true;
  }
  // A text that is missing begins at address 0, where nothing like these stands.
  if (!isFound || load<u32>(valueAt(Name.Status)) != SUCCESS) return Status.RemoteError;
  // A certificate is what the host has already.
  if (load<u8>(valueAt(Name.CredentialsType)) == 0x58 /* X509_CERTIFICATE */) setText(Setting.UserName, 0, 0);
  else if (isPresent(Setting.Password)) addPresent(Setting.UserName); // [MQTT-3.1.2-22]
  return Status.Ok;
}

/** The texts of CONNECT as they are without a reply. */
function setUserName(user: usize, length: i32): void {
  setText(Setting.UserName, user, length);
  setText(Setting.Password, 0, 0);
  setText(Setting.ClientId, clientId, clientIdLength);
}

/** One step towards credentials: what the connection raised, or an event of its own. */
function advance(kind: i32): i32 {
  const isAsking = phase == Phase.Ask;
  let reply: usize = 0;
  let status: i32 = Status.Ok;
  // What a failure names.
  let name: usize = 0;
  let nameLength = 0;
  if (phase < Phase.Off) {
    readClock();
    status = journal.step();
    if (status == journal.MORE || !due) due = fromNow(setting(Setting.AckTimeoutS) * 1000);
    if (status == journal.BUSY && !remaining(due)) status = Status.Timeout;
    if (<u32>status <= <u32>journal.MORE) {
      connection.setAgain(<bool>status);
      arm(Timer.Link, RETRY_MS);
      return EventKind.None;
    }
    connection.connectAtOnce();
    if (isForgetting) {
      isForgetting = false;
      replyLength = 0;
      phase = Phase.Save;
      journal.beginWrite(0);
      return EventKind.None;
    }
    if (phase == Phase.Load) {
      if (status == journal.DONE) {
        reply = buffer() + journal.PAYLOAD;
        replyLength = journal.payloadLength();
      }
    } else if (replyLength) {
      phase = Phase.Use;
      raise(EventKind.Provisioned, 0, min(status, 0));
      setPayload(buffer() + journal.PAYLOAD, replyLength);
      return EventKind.Provisioned;
    }
    name = STORE + 1;
    nameLength = load<u8>(STORE);
  } else {
    if (kind == EventKind.Refused) {
      store<u32>(EVENT, DEVICE_KEY + 1, EventField.Name);
      store<u32>(EVENT, PROVISION_LENGTH, EventField.NameLength);
    }
    if (!isAsking || kind != EventKind.Message || topicLength != PROVISION_RESPONSE_LENGTH || !equals(topic, addressOf(PROVISION_RESPONSE), PROVISION_RESPONSE_LENGTH)) return kind;
    reply = load<u32>(EVENT, EventField.Payload);
    replyLength = load<i32>(EVENT, EventField.PayloadLength);
  }
  if (reply) {
    setUserName(0, 0);
    if (isAsking && !(load<u8>(EVENT, EventField.Flags) & EventFlag.Last)) {
      status = Status.TooLarge;
    } else {
      status = readReply(reply, replyLength);
      if (isAsking) {
        name = valueAt(Name.ErrorMessage);
        nameLength = lengthAt(Name.ErrorMessage);
      }
      if (!status) status = hello.rebuild();
    }
    if (isAsking) connection.finish(status != 0);
    if (!status) {
      phase = Phase.Use;
      if (isAsking) {
        phase = Phase.Save;
        memory.copy(buffer() + journal.PAYLOAD, reply, replyLength);
        journal.beginWrite(replyLength);
        due = 0;
      }
      return EventKind.None;
    }
  }
  phase = Phase.Ask;
  setUserName(DEVICE_KEY + 1, PROVISION_LENGTH);
  hello.rebuild();
  putByte(SUBSCRIBE);
  putBytes(addressOf(PROVISION_PACKETS), lengthOf(PROVISION_PACKETS));
  const body = at - PROVISION_REQUEST_BODY;
  putBytes(setting(Setting.Provision), textLength(Setting.Provision));
  putRemainingLength(body);
  hello.endSpeech();
  if (status == Status.NotFound || status > 0) return EventKind.None;
  raise(EventKind.ProvisioningFailed, 0, status);
  setPayload(reply, reply ? replyLength : 0);
  store<u32>(EVENT, name, EventField.Name);
  store<u32>(EVENT, nameLength, EventField.NameLength);
  return EventKind.ProvisioningFailed;
}

/** `connection.poll` with all that comes before the first session with credentials. */
// @ts-ignore: decorator
@inline
export function poll(): i32 {
  const kind = phase < Phase.Off ? <i32>EventKind.None : connection.poll();
  return phase == Phase.Off ? kind : advance(kind);
}
