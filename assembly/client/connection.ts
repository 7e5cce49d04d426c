// Drives the connection: one step of everything for each `poll`.
import { EventField, EventKind, NetFlag, NetState, ReturnCode, Stat, State, Status, Want } from "../abi";
import { arm, disarm, disarmSession, fromNow, isArmed, isDue, mayBeDue, nextDue, readClock, setDeadline, Timer } from "../base/time";
import { net_close, net_open, net_state } from "../host";
import { count, EVENT } from "../memory";
import { body, bodyEnd, readHeader } from "../mqtt/frame";
import { Packet } from "../mqtt/packet";
import { packetId, payload, readPublish, topic, topicLength } from "../mqtt/publish";
import { ceilingMs, isConfigured, nextDelayMs, permitAny, resetBackoff, slowDown } from "./backoff";
import { raise, setPayload, setTopic } from "./event";
import * as hello from "./hello";
import * as inbound from "./inbound";
import { forgetChildren } from "./known";
import * as lane from "./lane";
import * as limits from "./limits";
import * as outbox from "./outbox";
import { packetEnd, packetOf } from "./outbox-record";
import { receivePacket, SUBACK_TIMER } from "./packets";
import { flush, giveUp, handle, isSending, sayGoodbye, sendFirst, sendGreeting, setHandle } from "./sending";
import { isPresent, setting, Setting } from "./settings";
import { Effect, Event, NEXT, transition } from "./transition";

/** ThingsBoard ends a session after so long without a sign of life, whatever CONNECT said. */
const KEEP_ALIVE_S_MAX: u32 = 600;
const DEFAULT_PORT: i32 = 1883;
const DEFAULT_TLS_PORT: i32 = 8883;
/** A message that was not accepted is asked for again so often. */
const REDELIVERIES_MAX: i32 = 2;
/** Closes by the peer before the connection was healthy that make it `Unstable`. */
const EARLY_CLOSES: i32 = 2;

export let state: i32 = State.Stopped;
/** There is more to do: at once, or when the port made progress that it tells. */
let again: i32 = 0;
const AT_ONCE: i32 = 1;
const WITH_PORT: i32 = Want.Work;
/** Events that follow another one of the same poll, one bit for each kind. */
let pending: i32 = 0;
let lastReason: i32 = 0;

let earlyCloses: i32 = 0;
/** The peer answered something in this session. */
let proved: bool = false;

// @ts-ignore: decorator
@inline
export function setProved(): void {
  proved = true;
}

/** How often the message that was not accepted was asked for again. */
let redeliveries: i32 = 0;

/** Something was appended that the next poll can send. */
// @ts-ignore: decorator
@inline
export function wake(): void {
  again = AT_ONCE;
}

/** Nothing can be done until the port made progress. */
export function awaitPort(): void {
  again = WITH_PORT;
}

/** Whether the next poll has more to do at once. */
// @ts-ignore: decorator
@inline
export function setAgain(value: bool): void {
  again = <i32>value;
}

/** The next attempt waits no longer. */
// @ts-ignore: decorator
@inline
export function connectAtOnce(): void {
  setDeadline(Timer.Link, state == State.Waiting ? fromNow(0) : 0);
}

/** Lets a timer run for as long as an answer of the peer may take. */
export function awaitAnswer(timer: i32): void {
  arm(timer, setting(Setting.AckTimeoutS) * 1000);
}

/** Begins to wait for the time of the next PINGREQ: three quarters of the keep alive, whose 0 stands for the longest that there is. */
function keepAlive(): void {
  arm(Timer.Ping, min<u32>(setting(Setting.KeepAliveS) - 1, KEEP_ALIVE_S_MAX - 1) * 750 + 750);
}

/** Moves to the next state and does what that takes. */
export function happen(event: i32): void {
  const before = state;
  const outcome = transition(before, event);
  state = outcome & NEXT;
  if (outcome & Effect.Goodbye) sayGoodbye();
  if (outcome & Effect.Close) {
    if (handle > 0) net_close(handle);
    setHandle(0);
    giveUp();
    disarmSession();
    // Without raw messages, all that is not whole is passed anyway.
    if (inbound.reset() && FEATURE_RAW) {
      count(Stat.InboundAborted);
      pending |= 1 << EventKind.MessageAborted;
    }
    outbox.rewind();
  }
  if (!(outcome & Effect.Begin)) return;
  if (state == State.Waiting) {
    let delayMs: u32 = 0;
    if (before != State.Stopped) delayMs = nextDelayMs();
    arm(Timer.Link, delayMs);
  } else if (state == State.Opening) {
    lane.clear();
    arm(Timer.Link, setting(Setting.ConnectTimeoutS) * 1000);
    const port = setting(Setting.MqttPort);
    const flags = isPresent(Setting.Tls) ? <i32>NetFlag.Tls : 0;
    setHandle(net_open(hello.serverName(), hello.serverNameLength(), port ? port : flags ? DEFAULT_TLS_PORT : DEFAULT_PORT, flags));
  } else if (state == State.Connecting) {
    sendFirst(hello.connectPacket, hello.connectEnd);
  } else if (state == State.Connected) {
    disarm(Timer.Link);
    proved = false;
    if (FEATURE_LIMITS) limits.beginSession();
    if (FEATURE_GATEWAY) forgetChildren();
    keepAlive();
    if (hello.greeting) {
      sendGreeting();
      if (!FEATURE_RAW) awaitAnswer(SUBACK_TIMER);
    }
    if (hello.isLimited()) {
      sendFirst(hello.connectEnd, hello.speechEnd);
      // The server may never answer.
      awaitAnswer(Timer.Drain);
    }
    // Longer than the backoff of a twin that uses the same credentials, or both would take turns at full speed.
    arm(Timer.Health, max<u32>(setting(Setting.HealthyS) * 1000, ceilingMs));
  } else {
    awaitAnswer(Timer.Drain);
  }
}

/** Ends a session that did what it was for. The next one begins as late as after a refusal. */
// @ts-ignore: decorator
@inline
export function finish(): void {
  slowDown();
  sayGoodbye();
  happen(Event.Lost);
}

/** The connection ended: the event that says so. */
export function lose(reason: i32): i32 {
  lastReason = reason;
  let kind: i32 = EventKind.Disconnected;
  if (reason == Status.ProtocolError) count(Stat.ProtocolErrors);
  if (state >= State.Connected) {
    count(Stat.Disconnects);
    if (hello.isLimited()) {
      if (state == State.Connected) kind = EventKind.ProvisioningFailed;
      slowDown();
      // Failures of the port come from the peer or the network; the others are this client's own decisions.
    } else {
      const isTheirs = <i32>(reason > Status.ConnectTimeout);
      earlyCloses += isTheirs;
      pending |= (isTheirs & <i32>(earlyCloses == EARLY_CLOSES)) << EventKind.Unstable;
    }
  } else {
    count(Stat.ConnectFailures);
    if (reason == Status.ConnectRefused) {
      pending |= 1 << EventKind.Disconnected;
      kind = EventKind.Refused;
      // The CONNACK is still where it was read.
      reason = load<u8>(body, 1);
      slowDown();
      // Only an overloaded server may recover soon.
      if (reason == ReturnCode.ServerUnavailable) permitAny();
    }
  }
  happen(Event.Lost);
  return raise(kind, 0, reason);
}

/** Looks at every deadline of a session; an event, or the Status that ends the connection. */
// @ts-ignore: decorator
@apart
function checkDeadlines(): i32 {
  const isLate = isDue(Timer.Acknowledge) | (!FEATURE_RAW && isDue(SUBACK_TIMER));
  const isOver = isDue(Timer.Drain);
  if (state == State.Draining) {
    // A missing acknowledgement ends the patience as well: the end was asked for, and says goodbye.
    // What the lane has leaves first, unless the port takes nothing.
    const isEnd = isOver | isLate;
    if (lane.isEmpty() ? isEnd | outbox.isEmpty() | hello.isLimited() : isEnd & isSending()) {
      happen(Event.Drained);
      return raise(EventKind.Disconnected, 0, Status.Requested);
    }
  }
  // Of a session that carries nothing but its own packets.
  if (FEATURE_PROVISIONING && isOver) return Status.Timeout;
  if (isLate) return Status.AcknowledgeTimeout;
  if (isDue(Timer.Pong)) return Status.PingTimeout;
  if (isDue(Timer.Ping)) {
    keepAlive();
    if (!isArmed(Timer.Pong)) {
      lane.putEmpty(Packet.Pingreq);
      awaitAnswer(Timer.Pong);
    }
  }
  if (isDue(Timer.Health)) {
    if (proved) {
      disarm(Timer.Health);
      resetBackoff();
      earlyCloses = 0;
    } else {
      awaitAnswer(Timer.Health);
    }
  }
  return EventKind.None;
}

/** Sets a message aside on which session after session ended: its event, or None. */
function rejectPoison(): i32 {
  const record = outbox.poison();
  if (!record) return EventKind.None;
  count(Stat.MessagesRejected);
  const packet = packetOf(record);
  readHeader(packet, packetEnd(record));
  readPublish(load<u8>(packet), body, bodyEnd, bodyEnd);
  raise(EventKind.MessageRejected, packetId, lastReason);
  setTopic(topic, topicLength);
  setPayload(payload, <i32>(bodyEnd - payload));
  outbox.reject(record);
  return EventKind.MessageRejected;
}

/** One step towards a session: the event that it raised, None, or the Status that ends the attempt. */
// @ts-ignore: decorator
@apart
function approach(): i32 {
  if (state < State.Opening) {
    if (state == State.Stopped) return EventKind.None;
    const rejected = rejectPoison();
    if (!rejected & isDue(Timer.Link)) happen(Event.Due);
    return rejected;
  }
  // ConnackTimeout follows ConnectTimeout as Connecting does Opening, the one downwards, the other upwards.
  if (isDue(Timer.Link)) return Status.ConnectTimeout + State.Opening - state;
  let net: i32 = EventKind.None;
  if (state == State.Opening) {
    net = net_state(handle);
    if (net > NetState.Connecting) {
      happen(Event.LinkOpened);
      net = EventKind.None;
    }
  }
  return net;
}

/** One step of the connection: the event that it raised, None, or the Status that ends the connection. */
// @ts-ignore: decorator
@inline
function step(): i32 {
  if (handle < 0) return handle;
  const before = state;
  if (before < State.Connected) {
    const kind = approach();
    if (kind | <i32>(before != State.Connecting)) return kind;
  } else if (!FEATURE_FAST || mayBeDue | (before == State.Draining)) {
    const kind = checkDeadlines();
    if (kind) return kind;
  }
  if (!lane.hasRoom()) return EventKind.None;
  const found = inbound.receive(handle);
  if (found <= 0) return found;
  again = AT_ONCE;
  if (found != EventKind.Message) return receivePacket(found >> 4);
  if (state >= State.Connected) return found;
  if (FEATURE_RAW) inbound.skipRest(); // nobody saw the message
  return Status.ProtocolError;
}

/** Answers for what the last event lent: None, or the Status that ends the connection for a redelivery. */
// @ts-ignore: decorator
@inline
function takeBack(): i32 {
  if (inbound.lent == inbound.REFUSED) {
    if (FEATURE_RAW && (packetId != 0) & setting(Setting.Redeliver) & <i32>(redeliveries < REDELIVERIES_MAX)) {
      redeliveries++;
      count(Stat.InboundRedelivered);
      return Status.Redelivery;
    }
    count(Stat.InboundDropped);
    inbound.skipRest();
  }
  if (!inbound.partLeft && packetId) {
    if (FEATURE_RAW) redeliveries = 0;
    lane.putPuback(packetId);
    // The server reports the state of the RPC, and counts that.
    if (FEATURE_LIMITS && !limits.isUnlimited & (load<u8>(EVENT, EventField.Kind) == <u8>EventKind.RpcRequest)) limits.spend(limits.Limit.Messages, 1);
  }
  inbound.takeBack();
  return EventKind.None;
}

/** The first of the events that could not be returned when they happened. */
function takePending(): i32 {
  const kind = ctz(pending);
  pending &= pending - 1;
  return raise(kind, 0, lastReason);
}

/** The body of the export `poll`: the kind of the event that happened. */
// @ts-ignore: decorator
@inline
export function poll(): i32 {
  readClock();
  again = 0;
  outbox.takeBack();
  let kind: i32 = inbound.lent ? takeBack() : EventKind.None;
  if (!kind) kind = pending ? takePending() : step();
  if (kind < 0) kind = lose(kind);
  if (handle > 0) flush();
  // That event lends a record.
  if (!FEATURE_FAST && kind != EventKind.MessageRejected) outbox.compact(!isSending());
  return kind;
}

export function start(): i32 {
  if (!isConfigured()) return Status.BadState;
  readClock();
  disarm(Timer.Drain); // an orderly end that was begun is called off
  happen(Event.Start);
  return Status.Ok;
}

export function disconnect(): i32 {
  readClock();
  // A session has an orderly end before it; without one this is it.
  if (<u32>(state - State.Waiting) < <u32>(State.Connected - State.Waiting)) {
    lastReason = Status.Requested;
    pending |= 1 << EventKind.Disconnected;
  }
  happen(Event.Disconnect);
  again = AT_ONCE;
  return Status.Ok;
}

export function stop(): i32 {
  happen(Event.Stop);
  pending = 0;
  return Status.Ok;
}

export function deadlineMs(): i32 {
  readClock();
  return (FEATURE_OTA ? again & AT_ONCE : again) | pending | inbound.lent | <i32>(handle < 0) ? 0 : nextDue();
}

export function wants(): i32 {
  if (state <= State.Opening) return <i32>(state == State.Opening) * Want.Work;
  // Bytes that cannot be read yet must not keep the host awake.
  const isReading = lane.hasRoom() & !(FEATURE_OTA && inbound.isHeld);
  return <i32>isReading | (<i32>isSending() * Want.Writable) | (FEATURE_OTA ? again & WITH_PORT : 0);
}

export function release(isAccepted: i32): i32 {
  if (!inbound.lent | (FEATURE_OTA && inbound.isOwn)) return Status.BadState;
  inbound.answer(isAccepted != 0);
  return Status.Ok;
}
