// Drives the connection: one step of everything for each `poll`.
import { EventField, EventKind, NetFlag, NetState, ReturnCode, Stat, State, Status, Want } from "../abi";
import { arm, disarm, disarmSession, fromNow, isArmed, isDue, mayBeDue, nextDue, readClock, setDeadline, Timer } from "../base/time";
import { net_close, net_open, net_send, net_state, random_u32 } from "../host";
import { count, countBy, EVENT, LANE } from "../memory";
import { body, bodyEnd, readHeader } from "../mqtt/frame";
import { Packet, SUBACK_REFUSED } from "../mqtt/packet";
import { packetId, payload, readPublish, readU16, topic, topicLength } from "../mqtt/publish";
import { raise, setPayload, setTopic } from "./event";
import * as hello from "./hello";
import * as inbound from "./inbound";
import * as lane from "./lane";
import * as limits from "./limits";
import * as outbox from "./outbox";
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
/** The connection of the port; 0 = none, below zero why there is none any more, to be handled by the next step. */
let handle: i32 = 0;
/** There is more to do: at once, or when the port made progress that it tells. */
let again: i32 = 0;
const AT_ONCE: i32 = 1;
const WITH_PORT: i32 = Want.Work;
/** Events that follow another one of the same poll, one bit for each kind. */
let pending: i32 = 0;
let lastReason: i32 = 0;

/** The present ceiling of the backoff, 0 before the configuration is in place, and the least share of it that is waited: half after a refusal. */
let ceilingMs: u32 = 0;
let leastMs: u32 = 0;
let earlyCloses: i32 = 0;
/** The peer answered something in this session. */
let proved: bool = false;

/** How often the message that was not accepted was asked for again. */
let redeliveries: i32 = 0;

/** What every session begins with: the address of a packet with its length above the lower 16 bits. */
let greeting: usize = 0;
/** The SUBACK of a greeting that is a SUBSCRIBE, in the place of what only limits need. */
const SUBACK_TIMER: i32 = Timer.Pace;
/** The next packet of the outbox was held back. */
let held: bool = false;

/** What of the present packet the port has not accepted yet. */
let out: usize = 0;
let outEnd: usize = 0;

/** How long an answer of the peer may take. */
function acknowledgeMs(): u32 {
  return setting(Setting.AckTimeoutS) * 1000;
}

export function resetBackoff(): void {
  ceilingMs = min<u32>(setting(Setting.ReconnectMinMs), setting(Setting.ReconnectMaxMs));
}

/** `configure` succeeded. */
// @ts-ignore: decorator
@inline
export function isConfigured(): bool {
  return ceilingMs != 0;
}

/** The configuration is in place. */
export function setConfigured(): void {
  resetBackoff();
}

/** A packet, address with length above the lower 16 bits, that every session begins with; 0 = none. */
// @ts-ignore: decorator
@inline
export function setGreeting(packet: usize): void {
  greeting = packet;
}

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

/** A packet is on its way, so that its bytes must stay where they are. */
// @ts-ignore: decorator
@inline
export function isSending(): bool {
  return out != outEnd;
}

/** The packet that ends here is on its way. */
export function isOnItsWay(packetEnd: usize): bool {
  return isSending() && outEnd == packetEnd;
}

/** Lets a timer run for as long as an answer of the peer may take. */
export function awaitAnswer(timer: i32): void {
  arm(timer, acknowledgeMs());
}

/** Begins to wait for the time of the next PINGREQ: three quarters of the keep alive, whose 0 stands for the longest that there is. */
function keepAlive(): void {
  arm(Timer.Ping, min<u32>(setting(Setting.KeepAliveS) - 1, KEEP_ALIVE_S_MAX - 1) * 750 + 750);
}

/** Spends what the packet of a record costs: 0, or the milliseconds for which the limits of the server hold it back. */
// @ts-ignore: decorator
@apart
function admit(record: usize): i32 {
  return limits.admit(outbox.costOf(record));
}

/** Chooses the next packet to send, if there is one. */
// @ts-ignore: decorator
@inline
function pick(): void {
  if (state < State.Connected) return;
  if (FEATURE_LIMITS) disarm(Timer.Pace);
  if (!lane.isEmpty()) {
    out = lane.take();
    outEnd = lane.end;
    if (isSending()) return;
  }
  if (hello.isLimited()) return;
  const record = outbox.nextToSend(setting(Setting.MaxInflight));
  if (!record) return;
  if (FEATURE_LIMITS) {
    if (!limits.isUnlimited) {
      const waitMs = admit(record);
      if (waitMs) {
        held = true;
        arm(Timer.Pace, waitMs);
        return;
      }
    }
    if (held) count(Stat.MessagesDelayed);
    held = false;
  }
  out = outbox.packetOf(record);
  outEnd = outbox.packetEnd(record);
}

/** Offers everything that may leave to the port. */
function flush(): void {
  while (true) {
    if (!isSending()) pick();
    const from = out;
    const length = <i32>(outEnd - from);
    if (!length) return;
    const sent = net_send(handle, from, length);
    if (sent < 0) {
      net_close(handle);
      handle = sent;
      return;
    }
    countBy(Stat.BytesSent, sent);
    out = from + sent;
    if (sent != length) return;
    if (outbox.holds(outEnd)) outbox.markSent(setting(Setting.AckTimeoutS));
    // This may have been the last packet that an orderly end waits for.
    if (state == State.Draining) again = AT_ONCE;
  }
}

/** Sends DISCONNECT, unless another packet is half sent. */
function sayGoodbye(): void {
  if (isSending()) return;
  // Nothing may follow a DISCONNECT [MQTT-3.14.4-2], so it goes straight to the port.
  lane.putEmpty(Packet.Disconnect);
  const from = lane.take();
  net_send(handle, from, <i32>(lane.end - from));
}

/** Moves to the next state and does what that takes. */
function happen(event: i32): void {
  const before = state;
  const outcome = transition(before, event);
  state = outcome & NEXT;
  if (outcome & Effect.Goodbye) sayGoodbye();
  if (outcome & Effect.Close) {
    if (handle > 0) net_close(handle);
    handle = 0;
    out = outEnd; // nothing is on its way
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
    if (before != State.Stopped) {
      // Full jitter, so that a fleet does not come back in step.
      delayMs = leastMs + <u32>random_u32() % (ceilingMs - leastMs + 1);
      leastMs = 0;
      ceilingMs = min<u32>(ceilingMs * 2, setting(Setting.ReconnectMaxMs));
    }
    arm(Timer.Link, delayMs);
  } else if (state == State.Opening) {
    lane.clear();
    arm(Timer.Link, setting(Setting.ConnectTimeoutS) * 1000);
    const port = setting(Setting.MqttPort);
    const flags = isPresent(Setting.Tls) ? <i32>NetFlag.Tls : 0;
    handle = net_open(hello.serverName(), hello.serverNameLength(), port ? port : flags ? DEFAULT_TLS_PORT : DEFAULT_PORT, flags);
  } else if (state == State.Connecting) {
    out = hello.connectPacket;
    outEnd = hello.connectEnd;
  } else if (state == State.Connected) {
    disarm(Timer.Link);
    proved = false;
    if (FEATURE_LIMITS) limits.beginSession();
    keepAlive();
    out = greeting & 0xffff;
    outEnd = out + (greeting >> 16);
    if (!FEATURE_RAW && greeting) awaitAnswer(SUBACK_TIMER);
    if (hello.isLimited()) {
      out = hello.connectEnd;
      outEnd = hello.speechEnd;
      // The server may never answer.
      awaitAnswer(Timer.Drain);
    }
    // Longer than the backoff of a twin that uses the same credentials, or both would take turns at full speed.
    arm(Timer.Health, max<u32>(setting(Setting.HealthyS) * 1000, ceilingMs));
  } else {
    awaitAnswer(Timer.Drain);
  }
}

/** What the server refused does not go away within seconds. */
function slowDown(): void {
  ceilingMs = setting(Setting.ReconnectMaxMs);
  leastMs = ceilingMs >> 1;
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
    } else if (reason > Status.ConnectTimeout && ++earlyCloses == EARLY_CLOSES) {
      pending |= 1 << EventKind.Unstable;
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
      if (reason == ReturnCode.ServerUnavailable) leastMs = 0;
    }
  }
  happen(Event.Lost);
  return raise(kind, 0, reason);
}

function receiveConnack(flags: u32, code: i32): i32 {
  if (flags > 1 || code > <i32>ReturnCode.NotAuthorized) return Status.ProtocolError;
  if (code) return Status.ConnectRefused;
  count(Stat.Connects);
  happen(Event.Accepted);
  // It is not the session that the application waits for.
  if (hello.isLimited()) return EventKind.None;
  return raise(EventKind.Connected, 0, flags);
}

/** Handles a packet that is no PUBLISH: its event, or the Status that ends the connection. */
// @ts-ignore: decorator
@apart
function receivePacket(type: i32): i32 {
  const from = inbound.passPacket();
  if ((type == Packet.Connack) != (state == State.Connecting)) return Status.ProtocolError;
  if (type == Packet.Connack) return receiveConnack(load<u8>(from), load<u8>(from, 1));
  proved = true;
  if (type == Packet.Pingresp) {
    disarm(Timer.Pong);
    return EventKind.None;
  }
  const id = readU16(from);
  const code: u32 = type == Packet.Suback ? load<u8>(from, 2) : 0;
  if (code > 1 && code != SUBACK_REFUSED) return Status.ProtocolError;
  if (hello.isLimited()) return code > 1 ? <i32>Status.RemoteError : <i32>EventKind.None;
  let record: usize = 0; // or the greeting, which is none
  if (FEATURE_RAW || type != Packet.Suback) record = outbox.acknowledge(type, id);
  else if (isArmed(SUBACK_TIMER) && readU16((greeting & 0xffff) + 2) == id) record = greeting & 0xffff;
  if (!record) {
    count(Stat.AcknowledgementsUnknown);
    return EventKind.None;
  }
  if (type == Packet.Puback) {
    count(Stat.MessagesDelivered);
    return raise(EventKind.Delivered, id, 0);
  }
  if (FEATURE_RAW && type == Packet.Unsuback) return EventKind.None;
  if (FEATURE_RAW) outbox.lend();
  else disarm(SUBACK_TIMER);
  const kind = raise(code > 1 ? <i32>EventKind.SubscriptionRefused : <i32>EventKind.Subscribed, id, code);
  // Behind the fixed header and the packet id stand the length and the filter.
  const packet = FEATURE_RAW ? outbox.packetOf(record) : record;
  const filter = packet + (FEATURE_RAW ? <usize>(load<u8>(packet, 1) > 0x7f) : 0) + 6;
  setTopic(filter, readU16(filter - 2));
  return kind;
}

/** Looks at every deadline of a session; an event, or the Status that ends the connection. */
// @ts-ignore: decorator
@apart
function checkDeadlines(): i32 {
  const isLate = isDue(Timer.Acknowledge) || (!FEATURE_RAW && isDue(SUBACK_TIMER));
  const isOver = isDue(Timer.Drain);
  if (state == State.Draining) {
    // A missing acknowledgement ends the patience as well: the end was asked for, and says goodbye.
    if (isOver || isLate || ((outbox.isEmpty() || hello.isLimited()) && lane.isEmpty())) {
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
  const packet = outbox.packetOf(record);
  readHeader(packet, outbox.packetEnd(record));
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
  if (state == State.Connecting) return EventKind.None;
  const net = net_state(handle);
  if (net < 0) return net;
  if (net != NetState.Connecting) happen(Event.LinkOpened);
  return EventKind.None;
}

/** One step of the connection: the event that it raised, None, or the Status that ends the connection. */
// @ts-ignore: decorator
@inline
function step(): i32 {
  if (handle < 0) return handle;
  const before = state;
  if (before < State.Connected) {
    const kind = approach();
    if (kind || before != State.Connecting) return kind;
  } else if (mayBeDue || before == State.Draining) {
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
  const isReading = lane.hasRoom() && !(FEATURE_OTA && inbound.isHeld);
  return <i32>isReading | (<i32>isSending() * Want.Writable) | (FEATURE_OTA ? again & WITH_PORT : 0);
}

export function release(isAccepted: i32): i32 {
  if (!inbound.lent || (FEATURE_OTA && inbound.isOwn)) return Status.BadState;
  inbound.answer(isAccepted != 0);
  return Status.Ok;
}
