// Keeps every deadline of the client as data: one table, compared in one place.
//
// Deadlines are the low half of the host's clock in milliseconds and are compared by signed difference, so the wrap
// after 49.7 days passes unnoticed as long as no interval exceeds INTERVAL_MS_MAX.
import { NO_DEADLINE_MS } from "../abi";
import { now_ms } from "../host";
import { TIMERS } from "../memory";

/** Where the deadline of each stands in the table. */
export const enum Timer {
  Link = 0, // next attempt, or the end of the present one
  Ping = 4, // next PINGREQ
  Pong = 8, // PINGRESP
  Acknowledge = 12, // for the oldest packet in flight
  Health = 16, // the connection has proved itself
  Drain = 20, // the end of patience of disconnect()
  Ota = 24, // the chunk that was asked for, or another look at the image slot
  Children = 28, // announcing the children of a gateway again
  Pace = 32, // the next message that the limits of the server held back may leave
  Request = 36, // the first request that runs out of time
  End = 40,
}

/** The time of the present poll. */
export let now: u32 = 0;
/** The same in microseconds with all its bits, where limits need them. */
export let nowUs: i64 = 0;

/** No deadline comes before this one, which may be of a timer that was turned off since; zero when there is none. */
let earliest: u32 = 0;

/** False when no deadline had come at the time of the present poll: saves it the look at each. */
export let mayBeDue: bool = false;

export function readClock(): void {
  const ms = now_ms();
  now = <u32>ms;
  if (FEATURE_LIMITS) nowUs = ms * 1000;
  if (FEATURE_FAST) mayBeDue = earliest != 0 && <i32>(now - earliest) >= 0;
}

/** Sets the deadline itself; zero is off. */
export function setDeadline(timer: i32, deadline: u32): void {
  store<u32>(TIMERS + timer, deadline);
  if (FEATURE_FAST && (deadline != 0) & (!earliest | (<i32>(deadline - earliest) < 0))) earliest = deadline;
}

/** Turns a timer off. */
// @ts-ignore: decorator
@inline
export function disarm(timer: i32): void {
  if (FEATURE_FAST) setDeadline(timer, 0);
  else disarmOften(timer);
}

/** The same where it is done for every message: without a call. */
// @ts-ignore: decorator
@inline
export function disarmOften(timer: i32): void {
  store<u32>(TIMERS + timer, 0);
}

/** The deadline that is `intervalMs` from now; never zero, which means off. */
export function fromNow(intervalMs: u32): u32 {
  const deadline = now + intervalMs;
  return deadline + <u32>!deadline;
}

export function arm(timer: i32, intervalMs: u32): void {
  setDeadline(timer, fromNow(intervalMs));
}

/** Turns off every timer of a connection; what waits for an answer goes on waiting. */
export function disarmSession(): void {
  memory.fill(TIMERS, 0, Timer.Request);
}

/** Milliseconds until the deadline, 0 when it has come, NO_DEADLINE_MS when there is none. */
export function remaining(deadline: u32): i32 {
  return deadline ? max<i32>(<i32>(deadline - now), 0) : NO_DEADLINE_MS;
}

/** The deadline itself; zero is off. */
// @ts-ignore: decorator
@inline
export function deadlineOf(timer: i32): u32 {
  return load<u32>(TIMERS + timer);
}

export function isDue(timer: i32): bool {
  return !remaining(deadlineOf(timer));
}

// @ts-ignore: decorator
@inline
export function isArmed(timer: i32): bool {
  return deadlineOf(timer) != 0;
}

/** Milliseconds until the first deadline of all. */
export function nextDue(): i32 {
  if (!FEATURE_FAST) {
    let first: u32 = NO_DEADLINE_MS;
    let timer: i32 = Timer.End;
    do {
      timer -= 4;
      first = min<u32>(first, remaining(deadlineOf(timer)));
    } while (timer);
    return first;
  }
  earliest = 0;
  let timer = 0;
  do {
    setDeadline(timer, deadlineOf(timer));
    timer += 4;
  } while (timer < <i32>Timer.End);
  return remaining(earliest);
}
