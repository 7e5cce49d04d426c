// Updates firmware and software (ThingsBoard OTA updates over MQTT): one package at a time, its chunks written straight to
// the image slot of the host.
//
//   Idle -> Available -> Fetching -> Verifying -> Ready -> Applying -> Committing -> Idle, or for firmware Committed until the restart
//     Ready also waits for the host that fetches a package from a URL; every phase up to there may end in Failing.
//
// States are reported one after the other: nothing goes on before the last report has left.
import { EventField, EventFlag, EventKind, OtaAlgorithm, OtaBootState, OtaKind, Stat, State, Status } from "../abi";
import { equals, isLiteral, readDigits, startsWith, utf8 } from "../base/text";
import { arm, isDue, setDeadline, Timer } from "../base/time";
import { awaitPort, state, wake } from "../client/connection";
import { raise } from "../client/event";
import { claim, isHeld, keepBack, partLeft, skipRest } from "../client/inbound";
import { refuseKey, SEND_BUFFER_NAME, setting, Setting, textLength } from "../client/settings";
import { ota_abort, ota_begin, ota_boot_state, ota_commit, ota_confirm, ota_verify, ota_write } from "../host";
import { count, EVENT, fail as refuse, OTA_KINDS, OTA_SPANS } from "../memory";
import { topic, topicLength } from "../mqtt/publish";
import { compose, forget, Message, say, send, unsent, want } from "./ota-messages";
import {
  adopt, algorithm, Attribute, block, blockLength, carvePackage, fingerprint, isRunning, keepNames, kindsOf, lengthOf, NAMES_MAX, presentLength, presentSpan, presentText, putPlain, readAttributes,
  scratch, text,
} from "./ota-package";
import {
  FIRMWARE_VERSION_KEY, OTA_DOWNLOADED, OTA_DOWNLOADING, OTA_ERROR, OTA_FAILED, OTA_FIRMWARE, OTA_RESPONSE, OTA_SOFTWARE, OTA_STATE, OTA_UPDATED, OTA_UPDATING, OTA_VERIFIED,
  SOFTWARE_VERSION_KEY,
} from "./topics";

const enum Phase {
  Idle = 0,
  Booting = 1, // the running firmware is to be confirmed
  Available = 2, // announced; the slot is opened by the next poll, if the application lets it
  Fetching = 3,
  Verifying = 4,
  Ready = 5, // the application is asked
  Applying = 6, // UPDATING is to be reported
  Committing = 7,
  Failing = 8, // FAILED is to be reported
  Committed = 9, // firmware: only a restart leads on
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

// What fw_error says.
const WHY_TOO_LARGE = utf8("attributes too large"),
  WHY_TOO_LONG = utf8("names too long"),
  WHY_NO_SIZE = utf8("no size"),
  WHY_NO_ALGORITHM = utf8("unknown algorithm"),
  WHY_SLOT = utf8("image slot failed"),
  WHY_NO_CHUNK = utf8("no chunk in time"),
  WHY_BAD_CHUNK = utf8("wrong chunk size"),
  WHY_BAD_CHECKSUM = utf8("checksum mismatch"),
  WHY_VETOED = utf8("vetoed"),
  WHY_UNASSIGNED = utf8("no longer assigned"),
  WHY_ROLLED_BACK = utf8("rolled back");

/** One bit for each OtaKind that is configured. */
let active: i32 = 0;
let phase: i32 = Phase.Idle;
/** Of the present package. */
let kind: i32 = OtaKind.Firmware;
let size: i32 = 0;
let written: i32 = 0;
let assigned: i32 = 0;
let checksumAlgorithm: i32 = 0;
let chunkSize: i32 = 0;
let requestId: i32 = 0;
let tries: i32 = 0;
/** The host has an image open. */
let isOpen: bool = false;
/** Which kinds' chunks are subscribed to. */
let filters: i32 = 0;
let hasBooted: bool = false;
let reason: i32 = 0;
let error: usize = 0;
let errorLength: i32 = 0;

/** Reads the settings and carves: Ok, or the Status of a fault. */
export function configureOta(): i32 {
  for (let each = 0; each <= OtaKind.Software; each++) {
    const key = Setting.FirmwareTitle + (each << 1);
    const titleLength = textLength(key);
    const versionLength = textLength(key + 1);
    if (!(titleLength | versionLength)) continue;
    const isWhole = titleLength != 0 && versionLength != 0;
    if (!isWhole || titleLength + versionLength > NAMES_MAX) {
      // Neither without the other.
      const name = each ? SOFTWARE_VERSION_KEY : FIRMWARE_VERSION_KEY;
      return refuse(isWhole ? Status.InvalidValue : <i32>Status.MissingKey, isWhole ? NAMES_MAX : 0, name + 1, load<u8>(name));
    }
    active |= 1 << each;
  }
  if (!active) return Status.Ok;
  if (setting(Setting.SendBuffer) < SEND_BUFFER_MIN) return refuseKey(Status.InvalidValue, SEND_BUFFER_NAME);
  carvePackage(active > 1);
  chunkSize = setting(Setting.OtaChunkSize);
  if (!chunkSize) chunkSize = min(max((setting(Setting.ReceiveBuffer) - CHUNK_FRAME) & ~15, CHUNK_MIN), CHUNK_MAX);
  return Status.Ok;
}

// @ts-ignore: decorator
@inline
export function isActive(): bool {
  return active != 0;
}

/** An event about the present package. */
function tell(event: i32): i32 {
  raise(event, kind, 0);
  memory.copy(EVENT + EventField.Name, presentSpan(Attribute.Title), 16); // and the version
  store<u32>(EVENT, size, EventField.Total);
  store<u32>(EVENT, written, EventField.Offset);
  return event;
}

function report(word: usize): void {
  say(OTA_STATE, word + 1, load<u8>(word));
}

/** Gives the package up; the next step reports it. */
function failWith(status: i32, text: usize, length: i32): void {
  phase = Phase.Failing;
  reason = status;
  error = text;
  errorLength = length;
  forget((1 << Message.Chunk) | (1 << Message.Filter));
  setDeadline(Timer.Ota, 0);
  wake();
}

function fail(status: i32, text: usize): void {
  failWith(status, text + 1, load<u8>(text));
}

function closeImage(): void {
  if (isOpen) ota_abort();
  isOpen = false;
}

/** Asks for the chunk that the next byte belongs to, if there is one. */
function askChunk(): void {
  if (written < size) want(1 << Message.Chunk);
  wake();
}

/** Asks for the chunk again, or gives up. */
function retry(status: i32, text: usize): void {
  if (++tries > setting(Setting.OtaChunkRetries)) fail(status, text);
  else askChunk();
}

/** Leaves the image slot alone for a while. */
function pause(): void {
  arm(Timer.Ota, BUSY_MS);
  awaitPort();
}

/** A session begins. */
export function beginSession(): void {
  if (!hasBooted && active & 1) {
    const boot = ota_boot_state();
    if (boot == OtaBootState.Unconfirmed) phase = Phase.Booting;
    if (boot == OtaBootState.RolledBack) {
      assigned = WHATEVER;
      fail(Status.Timeout, WHY_ROLLED_BACK);
    }
  }
  hasBooted = true;
  tries = 0;
  want(active << Message.Current);
  // Not before the image that runs is confirmed, and not once another one boots next.
  if (phase != Phase.Booting && phase != Phase.Committed) want(active << Message.Assigned);
  if (phase == Phase.Fetching) askChunk();
  wake();
}

/** An update of shared attributes came: asks for the packages that it is about. */
export function notice(document: usize, length: i32): void {
  start(kindsOf(document, length) & active);
}

/** Asks for packages, and forgets which were dealt with. */
function start(kinds: i32): void {
  if (kinds) store<u64>(OTA_KINDS, 0, SETTLED);
  want(kinds << Message.Assigned);
  wake();
}

/** The kind whose attributes were asked for with this id, or -1. */
export function kindAsked(id: i32): i32 {
  let each: i32 = OtaKind.Software;
  while (each >= 0 && (!id || load<i32>(OTA_KINDS + (each << 2)) != id)) each--;
  return each;
}

/** The answer to the request of a kind's attributes came, too large to be read unless `isWhole`: reads it, Ok or the Status of its fault. */
// @ts-ignore: decorator
@inline
function readAnswer(which: i32, isWhole: bool): i32 {
  store<i32>(OTA_KINDS + (which << 2), 0);
  if (isWhole) return readAttributes(load<u32>(EVENT, EventField.Payload), load<i32>(EVENT, EventField.PayloadLength));
  skipRest();
  if (phase == Phase.Idle) {
    kind = which;
    fail(Status.TooLarge, WHY_TOO_LARGE);
  }
  return Status.TooLarge;
}

/** Deals with the package that is assigned to a kind: an event, or None. */
function assign(which: i32, isCurrent: bool): i32 {
  const isPresent = phase > Phase.Booting && phase < Phase.Failing && which == kind;
  if (isCurrent) {
    if (isPresent && phase < Phase.Applying) fail(Status.NotFound, WHY_UNASSIGNED);
    return EventKind.None;
  }
  const settled = OTA_KINDS + (which << 2);
  const found = <i32>fingerprint();
  if (load<i32>(settled, SETTLED) == WHATEVER) store<i32>(settled, found, SETTLED);
  if (load<i32>(settled, SETTLED) == found) return EventKind.None;
  if (phase != Phase.Idle) {
    // The same goes on, and another kind has its turn afterwards.
    if (!isPresent || found == assigned || phase > Phase.Ready) return EventKind.None;
    closeImage();
    forget((1 << Message.Chunk) | (1 << Message.Filter));
    setDeadline(Timer.Ota, 0);
  }
  kind = which;
  assigned = found;
  size = readDigits(text(Attribute.Size), lengthOf(Attribute.Size));
  written = 0;
  checksumAlgorithm = algorithm();
  if (!adopt()) {
    fail(Status.TooLarge, WHY_TOO_LONG);
  } else if (lengthOf(Attribute.Url)) {
    phase = Phase.Ready;
    size = max(size, 0);
    tell(EventKind.OtaUrl);
    store<u64>(EVENT, load<u64>(OTA_SPANS + (Attribute.Url << 3)), EventField.Name);
    store<u64>(EVENT, load<u64>(presentSpan(Attribute.Checksum)), EventField.Value);
    return EventKind.OtaUrl;
  } else if (size <= 0) {
    fail(Status.MissingKey, WHY_NO_SIZE);
  } else if (checksumAlgorithm > OtaAlgorithm.Murmur3_128) {
    fail(Status.InvalidValue, WHY_NO_ALGORITHM);
  } else {
    phase = Phase.Available;
    wake();
    return tell(EventKind.OtaAvailable);
  }
  return EventKind.None;
}

/** Reads the answer to a request for a kind's attributes: an event, None, or a Status when it is not what it should be. */
// @ts-ignore: decorator
@inline
export function receiveAttributes(which: i32, isWhole: bool): i32 {
  const status = readAnswer(which, isWhole);
  if (status) return status;
  return assign(which, !lengthOf(Attribute.Title) || !lengthOf(Attribute.Version) || isRunning(which));
}

/** True when the topic of the message belongs to the download of packages. */
// @ts-ignore: decorator
@inline
export function isOwnTopic(): bool {
  return active != 0 && (startsWith(topic, topicLength, OTA_FIRMWARE) || startsWith(topic, topicLength, OTA_SOFTWARE));
}

/** The chunk that the message brings if it is an answer to the present request, else -1. */
function chunkOf(): i32 {
  const length = compose(OTA_RESPONSE, kind, requestId, 0);
  return topicLength > length && equals(topic, scratch, length) ? readDigits(topic + length, topicLength - length) : -1;
}

/** Handles a message of such a topic, whole or a part: an event, or None. */
export function receivePart(): i32 {
  claim();
  const from = load<u32>(EVENT, EventField.Payload);
  const length = load<i32>(EVENT, EventField.PayloadLength);
  const isLast = load<u8>(EVENT, EventField.Flags) & EventFlag.Last;
  if (phase == Phase.Fetching) {
    if (isLiteral(topic + 6, topicLength - 6, OTA_ERROR)) {
      // Of its text, what there is in the first part.
      putPlain(from, length);
      failWith(Status.RemoteError, block, blockLength);
      skipRest();
      return EventKind.None;
    }
    const chunk = written / chunkSize;
    const begin = chunk * chunkSize;
    if (chunkOf() == chunk) {
      const expected = min(chunkSize, size - begin);
      if (load<i32>(EVENT, EventField.Total) != expected) {
        // Empty before the end of the image, when the server no longer has it at hand: only another request id makes it look again.
        requestId++;
        skipRest();
        retry(Status.Malformed, WHY_BAD_CHUNK);
        return EventKind.None;
      }
      // What was written before the connection was lost is passed.
      const done = min(max(written - begin - load<i32>(EVENT, EventField.Offset), 0), length);
      forget(1 << Message.Chunk);
      let taken = 0;
      if (done < length) {
        taken = ota_write(from + done, length - done);
        if (taken < 0) {
          skipRest();
          fail(Status.StoreFailed, WHY_SLOT);
          return EventKind.None;
        }
        written += taken;
        if (taken < length - done) {
          keepBack(length - done - taken);
          pause();
          return EventKind.None;
        }
      }
      arm(Timer.Ota, setting(Setting.OtaChunkTimeoutS) * 1000);
      if (!isLast) return EventKind.None;
      tries = 0;
      setDeadline(Timer.Ota, 0);
      askChunk();
      return tell(EventKind.OtaProgress);
    }
  }
  skipRest();
  if (isLast) count(Stat.AcknowledgementsUnknown);
  return EventKind.None;
}

/** The slot answered below zero. */
function failSlot(): i32 {
  fail(Status.StoreFailed, WHY_SLOT);
  return EventKind.None;
}

/** One step of an update, when a poll has nothing else: an event, or None. */
export function work(): i32 {
  const isLate = isDue(Timer.Ota);
  if (isLate) setDeadline(Timer.Ota, 0);
  if (state != State.Connected || (unsent >> Message.State) & 1) return EventKind.None;
  if (phase == Phase.Idle) {
    if (isLate && tries++ < setting(Setting.OtaChunkRetries)) {
      for (let each = 0; each <= OtaKind.Software; each++) if (load<i32>(OTA_KINDS + (each << 2))) want(1 << (Message.Assigned + each));
    }
  } else if (phase == Phase.Failing) {
    closeImage();
    phase = Phase.Idle;
    store<i32>(OTA_KINDS + (kind << 2), assigned, SETTLED);
    want((active & ~(1 << kind)) << Message.Assigned);
    say(OTA_FAILED, error, errorLength);
    raise(EventKind.OtaFailed, kind, reason);
    store<u32>(EVENT, error, EventField.Name);
    store<u32>(EVENT, errorLength, EventField.NameLength);
    return EventKind.OtaFailed;
  }
  if (phase == Phase.Booting) {
    const confirmed = ota_confirm();
    if (confirmed < 0) return failSlot();
    if (!confirmed) {
      pause();
    } else {
      phase = Phase.Idle;
      report(OTA_UPDATED);
      want(active << Message.Assigned);
    }
  } else if (phase == Phase.Available) {
    written = ota_begin(kind, size, block, blockLength);
    isOpen = written >= 0;
    if (<u32>written > <u32>size) return failSlot();
    if (!((filters >> kind) & 1)) want(1 << Message.Filter);
    filters |= 1 << kind;
    phase = Phase.Fetching;
    requestId++;
    tries = 0;
    report(OTA_DOWNLOADING);
    askChunk();
  } else if (phase == Phase.Fetching) {
    if (written == size) {
      phase = Phase.Verifying;
      report(OTA_DOWNLOADED);
    } else if (isLate && !isHeld) {
      retry(Status.Timeout, WHY_NO_CHUNK);
    }
  } else if (phase == Phase.Verifying) {
    const verified = ota_verify(checksumAlgorithm, presentText(Attribute.Checksum), presentLength(Attribute.Checksum));
    if (verified == Status.InvalidValue) {
      fail(Status.ChecksumMismatch, WHY_BAD_CHECKSUM);
    } else if (verified < 0) {
      return failSlot();
    } else if (!verified) {
      pause();
    } else {
      phase = Phase.Ready;
      report(OTA_VERIFIED);
      return tell(EventKind.OtaReady);
    }
  } else if (phase == Phase.Applying) {
    phase = Phase.Committing;
    report(OTA_UPDATING);
    wake();
  } else if (phase == Phase.Committing) {
    const committed = ota_commit();
    if (committed < 0) return failSlot();
    if (!committed) {
      pause();
      return EventKind.None;
    }
    isOpen = false;
    phase = Phase.Committed;
    if (kind == OtaKind.Software) {
      phase = Phase.Idle;
      keepNames();
      report(OTA_UPDATED);
      want((1 << (Message.Current + OtaKind.Software)) | ((active & 1) << Message.Assigned));
    }
    return tell(EventKind.OtaApplied);
  }
  return EventKind.None;
}

/** Sends what has to leave. */
// @ts-ignore: decorator
@inline
export function sendReports(): void {
  if (state == State.Connected && unsent) send(kind, requestId, written / chunkSize, chunkSize, phase == Phase.Idle);
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
  if (!isAccepted) return otaStop(which);
  phase = Phase.Applying;
  wake();
  return Status.Ok;
}

/** The export `ota_stop`: gives up the package of a kind. */
export function otaStop(which: i32): i32 {
  if (phase < Phase.Available || phase > Phase.Ready || which != kind) return Status.BadState;
  fail(Status.Vetoed, WHY_VETOED);
  return Status.Ok;
}
