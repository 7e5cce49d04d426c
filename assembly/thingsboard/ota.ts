// Updates firmware and software (ThingsBoard OTA updates over MQTT): one package at a time, its chunks written straight to
// the image slot of the host.
//
//   Idle -> Available -> Fetching -> Verifying -> Ready -> Committing -> Idle, or for firmware Committed until the restart
//     Ready also waits for the host that fetches a package from a URL; every phase up to there may end in Failing.
//
// States are reported one after the other: nothing goes on before the last report has left. A failure, and the answer to OtaReady, take the place of one that has not.
import { EventField, EventKind, OtaBootState, OtaKind, Stat, State, Status } from "../abi";
import { equals, isLiteral, placeOf, readDigits, utf8 } from "../base/text";
import { arm, isDue, setDeadline, Timer } from "../base/time";
import { awaitPort, state, wake } from "../client/connection";
import { raise } from "../client/event";
import { isLimited } from "../client/hello";
import { subscriptionTo } from "../client/outbox";
import { claim, keepBack, partLeft, skipRest } from "../client/inbound";
import { setting, Setting, textLength } from "../client/settings";
import { ota_abort, ota_begin, ota_boot_state, ota_commit, ota_confirm, ota_verify, ota_write } from "../host";
import { lengthAt, span, valueAt } from "../json/members";
import { count, EVENT, fail as refuse, OTA_KINDS, storePair } from "../memory";
import { topic, topicLength } from "../mqtt/publish";
import { awaitAnswer, compose, forget, Message, report, send, setWord, unsent, want, word } from "./ota-messages";
import {
  adopt, algorithm, Attribute, block, blockLength, carvePackage, fingerprint, keepNames, kindsOf, NAMES_MAX, presentLength, presentSpan, presentText, putPlain, readAttributes,
  scratch,
} from "./ota-package";
import { ERROR, FIRMWARE_VERSION_KEY, OTA_PREFIXES, OTA_RESPONSE, OTA_RESPONSE_FILTER } from "./topics";

const enum Phase {
  Available = 0, // announced; the slot is opened by the next poll, if the application lets it
  Fetching = 1,
  Verifying = 2,
  Ready = 3, // the application is asked; the last that may be given up
  Committing = 4,
  Failing = 5, // FAILED is to be reported
  Committed = 6, // firmware: only a restart leads on
  Idle = 7,
  Booting = 8, // the running firmware may have to be confirmed
}

/** What a chunk has around it at most: fixed header, topic with its length, packet id. */
const CHUNK_FRAME: i32 = 52;
const CHUNK_MIN: i32 = 64;
/** The server refuses larger ones. */
const CHUNK_MAX: i32 = 65536;
/** Room for the subscriptions of the platform beside the longest message. */
const SEND_BUFFER_MIN: i32 = 640;
/** How long a busy image slot is left alone, unless the host wakes the client before. */
const BUSY_MS: i32 = 20;
/** In place of a fingerprint: whatever is assigned was dealt with. */
const WHATEVER: i32 = 1;
/** The first kind's place in OTA_KINDS for the package that was dealt with; before it the request ids. */
const SETTLED: i32 = 8;

// What `report` takes: the states, behind a zero, and what the error of the state FAILED says, behind its Status, negated.
const DOWNLOADING = utf8("\x00DOWNLOADING"),
  DOWNLOADED = utf8("\x00DOWNLOADED"),
  VERIFIED = utf8("\x00VERIFIED"),
  UPDATING = utf8("\x00UPDATING"),
  UPDATED = utf8("\x00UPDATED"),
  TOO_LONG = utf8("\x03too large"),
  NO_SIZE = utf8("\x09no size"),
  BAD_ALGORITHM = utf8("\x06bad algorithm"),
  BAD_SLOT = utf8("\x13slot failed"),
  NO_CHUNK = utf8("\x11no chunk"),
  BAD_CHUNK = utf8("\x02bad chunk"),
  BAD_CHECKSUM = utf8("\x14bad checksum"),
  VETOED = utf8("\x15vetoed"),
  UNASSIGNED = utf8("\x0funassigned"),
  ROLLED_BACK = utf8("\x11rolled back");

/** One bit for each OtaKind that is configured. */
let active: i32 = 0;
let phase: i32 = Phase.Booting;
/** Of the present package. */
export let kind: i32 = OtaKind.Firmware;
let size: i32 = 0;
/** Of its bytes, -1 while the host has no image open. */
export let written: i32 = -1;
let assigned: i32 = 0;
let checksumAlgorithm: i32 = 0;
export let chunkSize: i32 = 0;
export let requestId: i32 = 0;
let tries: i32 = 0;

/** Reads the settings and carves: Ok, or the Status of a fault. */
// @ts-ignore: decorator
@inline
export function configureOta(): i32 {
  for (let each = 0; each <= OtaKind.Software; each++) {
    const titleLength = textLength(Setting.FirmwareTitle + (each << 1));
    const versionLength = textLength(Setting.FirmwareVersion + (each << 1));
    // Neither without the other.
    const most = titleLength && versionLength ? NAMES_MAX : 0;
    if (titleLength + versionLength > most) return refuse(most ? Status.InvalidValue : <i32>Status.MissingKey, most, FIRMWARE_VERSION_KEY + (each << 4), 16);
    active |= <i32>(titleLength != 0) << each;
  }
  if (!active) return Status.Ok;
  carvePackage(active > 1);
  const configured = setting(Setting.OtaChunkSize);
  chunkSize = select<i32>(configured, min(max((setting(Setting.ReceiveBuffer) - CHUNK_FRAME) & ~15, CHUNK_MIN), CHUNK_MAX), configured != 0);
  return Status.Ok;
}

// @ts-ignore: decorator
@inline
export function isActive(): bool {
  return active != 0;
}

/** Below zero when the send buffer is too small for updates. */
// @ts-ignore: decorator
@inline
export function spareRoom(): i32 {
  return active * (setting(Setting.SendBuffer) - SEND_BUFFER_MIN);
}

/** An event about the present package. */
function tell(event: i32): i32 {
  raise(event, kind, 0);
  memory.copy(EVENT + EventField.Name, presentSpan(Attribute.Title), 16); // and the version
  store<u32>(EVENT, size, EventField.Total);
  return event;
}

/** Gives the package up; the next step reports it, in place of a state that has not left. */
function fail(text: usize): i32 {
  phase = Phase.Failing;
  setWord(text);
  forget((1 << Message.State) | (1 << Message.Chunk));
  wake();
  return EventKind.None;
}

function closeImage(): void {
  if (written >= 0) ota_abort();
  written = -1;
}

/** Asks for the chunk that the next byte belongs to, if there is one. */
function askChunk(): void {
  tries = 0;
  want(<i32>(written < size) << Message.Chunk);
}

/** Has messages sent again that were not answered as they should; after too many times gives the package up that they are about, if they are about one. */
function retry(messages: i32, text: usize): void {
  if (++tries <= setting(Setting.OtaChunkRetries)) want(messages);
  else if (text) fail(text);
}

/** Leaves the image slot alone for a while. */
function pause(): void {
  arm(Timer.Ota, BUSY_MS);
  awaitPort();
}

/** An update ended: reports how, and asks for the package of the other kind. */
function finish(text: usize): void {
  phase = Phase.Idle;
  report(text);
  want((active & ~(1 << kind)) << Message.Assigned);
}

/** Whether the package of a kind can be given up. */
// @ts-ignore: decorator
@inline
function isOpenTo(which: i32): bool {
  return which == kind && phase <= Phase.Ready;
}

/** A session begins. */
// @ts-ignore: decorator
@inline
function beginSession(): void {
  tries = 0;
  want(active * ((1 << Message.Current) | (1 << Message.Assigned)));
  if (phase == Phase.Fetching) askChunk();
}

/** An update of shared attributes came: asks for the packages that it is about. */
export function notice(document: usize, length: i32): void {
  if (active) start(kindsOf(document, length) & active);
}

/** Asks for packages, and forgets which were dealt with. */
function start(kinds: i32): void {
  if (kinds) store<u64>(OTA_KINDS, 0, SETTLED);
  want(kinds << Message.Assigned);
}

/** The kind whose attributes were asked for with this id, or -1. */
// @ts-ignore: decorator
@inline
export function kindAsked(id: i32): i32 {
  const which = <i32>(load<i32>(OTA_KINDS, 4) == id);
  return (id > 0) & (load<i32>(OTA_KINDS + (which << 2)) == id) ? which : -1;
}

/** Deals with the package that is assigned to a kind: an event, or None. */
// @ts-ignore: decorator
@inline
function assign(which: i32): i32 {
  const isOpenToKind = isOpenTo(which);
  const found = <i32>fingerprint(which);
  if (!found) return isOpenToKind ? fail(UNASSIGNED) : <i32>EventKind.None;
  const settled = OTA_KINDS + (which << 2);
  const dealt = load<i32>(settled, SETTLED);
  if (dealt == WHATEVER || dealt == found) {
    store<i32>(settled, found, SETTLED);
    return EventKind.None;
  }
  if (phase != Phase.Idle) {
    // The same goes on, and another kind has its turn afterwards.
    if (!isOpenToKind || found == assigned) return EventKind.None;
    closeImage();
    forget(1 << Message.Chunk);
  }
  kind = which;
  assigned = found;
  size = max(readDigits(valueAt(Attribute.Size), lengthAt(Attribute.Size)), 0);
  checksumAlgorithm = algorithm();
  let fault = TOO_LONG;
  if (adopt()) {
    if (lengthAt(Attribute.Url)) {
      phase = Phase.Ready;
      tell(EventKind.OtaUrl);
      store<u64>(EVENT, load<u64>(span(Attribute.Url)), EventField.Name);
      store<u64>(EVENT, load<u64>(presentSpan(Attribute.Checksum)), EventField.Value);
      return EventKind.OtaUrl;
    }
    fault = NO_SIZE;
    if (size) {
      fault = BAD_ALGORITHM;
      if (checksumAlgorithm >= 0) {
        phase = Phase.Available;
        wake();
        return tell(EventKind.OtaAvailable);
      }
    }
  }
  return fail(fault);
}

/** Reads the answer to a request for a kind's attributes: an event, None, or a Status when it is not what it should be. */
// @ts-ignore: decorator
@apart
export function receiveAttributes(which: i32): i32 {
  store<i32>(OTA_KINDS + (which << 2), 0);
  if (partLeft) {
    if (phase == Phase.Idle) {
      kind = which;
      fail(TOO_LONG);
    }
    return Status.TooLarge;
  }
  const status = readAttributes(load<u32>(EVENT, EventField.Payload), load<i32>(EVENT, EventField.PayloadLength));
  return status ? status : assign(which);
}

/** True when the topic of the message belongs to the download of packages. */
// @ts-ignore: decorator
@inline
export function isOwnTopic(): bool {
  return (active != 0) & (placeOf(OTA_PREFIXES, 2, topic, min(topicLength, 6)) >= 0);
}

/** Handles a message of such a topic, whole or a part: an event, or None. */
export function receivePart(): i32 {
  claim();
  const from = load<u32>(EVENT, EventField.Payload);
  const length = load<i32>(EVENT, EventField.PayloadLength);
  if (phase != Phase.Fetching) {
    count(Stat.AcknowledgementsUnknown);
  } else if (isLiteral(topic + 6, topicLength - 6, ERROR)) {
    // Of its text, what there is in the first part.
    putPlain(from, length);
    fail(block);
  } else if (topicLength == compose(OTA_RESPONSE, kind) && equals(topic, scratch, topicLength)) {
    const begin = written - (written % chunkSize);
    if (load<i32>(EVENT, EventField.Total) != min(chunkSize, size - begin)) {
      // Empty before the end of the image, when the server no longer has it at hand: only another request id makes it look again.
      requestId++;
      retry(1 << Message.Chunk, BAD_CHUNK);
    } else {
      forget(1 << Message.Chunk);
      // What was written before the connection was lost is passed.
      const rest = begin + load<i32>(EVENT, EventField.Offset) + length - written;
      const taken = rest > 0 ? ota_write(from + (length - rest), rest) : 0;
      if (taken >= 0) {
        written += taken;
        if (taken < rest) {
          keepBack(rest - taken);
          pause();
        } else if (!partLeft) {
          askChunk();
          tell(EventKind.OtaProgress);
          store<u32>(EVENT, written, EventField.Offset);
          return EventKind.OtaProgress;
        }
        return EventKind.None;
      }
      fail(BAD_SLOT);
    }
  } else {
    count(Stat.AcknowledgementsUnknown);
  }
  skipRest();
  return EventKind.None;
}

/** What a poll does for updates when it has nothing else: an event, or None. */
// @ts-ignore: decorator
@inline
function work(): i32 {
  const isLate = isDue(Timer.Ota);
  if (isLate) setDeadline(Timer.Ota, 0);
  if (<i32>(state != State.Connected) | <i32>isLimited() | (unsent & (1 << Message.State))) {
    // An orderly end may be called off.
    if (isLate) awaitAnswer();
    return EventKind.None;
  }
  // What the slot answered: below zero a failure, 0 when it is busy.
  let result = 1;
  let event: i32 = EventKind.None;
  switch (phase) {
    case Phase.Booting: {
      const boot = ota_boot_state() * (active & 1); // Normal where no firmware is configured
      if (boot == OtaBootState.Unconfirmed) {
        result = ota_confirm();
        if (result <= 0) break;
        report(UPDATED);
      }
      phase = Phase.Idle;
      want(active << Message.Assigned);
      if (boot != OtaBootState.RolledBack) break;
      assigned = WHATEVER;
      fail(ROLLED_BACK);
    }
    case Phase.Failing:
      closeImage();
      store<i32>(OTA_KINDS + (kind << 2), assigned, SETTLED);
      finish(word);
      event = raise(EventKind.OtaFailed, kind, -<i32>load<u8>(word, 1));
      storePair(EVENT + EventField.Name, word + 2, <i32>load<u8>(word) - 1);
      break;
    case Phase.Idle:
      if (isLate & (load<u64>(OTA_KINDS) != 0)) retry(active << Message.Assigned, 0);
      break;
    case Phase.Available:
      written = ota_begin(kind, size, block, blockLength);
      if (<u32>written > <u32>size) {
        result = -1;
        break;
      }
      want(<i32>!subscriptionTo(scratch, compose(OTA_RESPONSE_FILTER, kind)) << Message.Filter);
      phase = Phase.Fetching;
      requestId++;
      report(DOWNLOADING);
      askChunk();
      break;
    case Phase.Fetching:
      if (written == size) {
        phase = Phase.Verifying;
        report(DOWNLOADED);
      } else if (isLate) {
        // What has begun to arrive comes, or the connection ends.
        if (partLeft) pause();
        else retry(1 << Message.Chunk, NO_CHUNK);
      }
      break;
    case Phase.Verifying:
      result = ota_verify(checksumAlgorithm, presentText(Attribute.Checksum), presentLength(Attribute.Checksum));
      if (result <= 0) break;
      phase = Phase.Ready;
      report(VERIFIED);
      event = tell(EventKind.OtaReady);
      break;
    case Phase.Committing:
      result = ota_commit();
      if (result <= 0) break;
      written = -1;
      phase = Phase.Committed;
      if (kind == OtaKind.Software) {
        keepNames();
        want(1 << (Message.Current + OtaKind.Software));
        finish(UPDATED);
      }
      event = tell(EventKind.OtaApplied);
  }
  if (!result) pause();
  else if (result < 0) fail(result == Status.InvalidValue ? BAD_CHECKSUM : BAD_SLOT);
  return event;
}

/** What a poll does for updates behind everything else, while a package is configured: the event of the poll. */
export function step(kind: i32): i32 {
  if (kind == EventKind.Connected) beginSession();
  else if (!kind) kind = work();
  if (state == State.Connected && unsent) send();
  return kind;
}

/** The export `ota_start`: asks for the package of a kind. */
export function otaStart(which: i32): i32 {
  if (<u32>which > <u32>OtaKind.Software) return Status.InvalidValue;
  if (!((active >> which) & 1)) return Status.BadState;
  start(1 << which);
  return Status.Ok;
}

/** The export `ota_apply`: the answer to OtaReady or OtaUrl. */
export function otaApply(which: i32, isAccepted: i32): i32 {
  if (phase != Phase.Ready || which != kind) return Status.BadState;
  if (isAccepted) {
    phase = Phase.Committing;
    report(UPDATING);
  } else {
    fail(VETOED);
  }
  return Status.Ok;
}

/** The export `ota_stop`: gives up the package of a kind. */
export function otaStop(which: i32): i32 {
  return isOpenTo(which) ? fail(VETOED) : <i32>Status.BadState;
}
