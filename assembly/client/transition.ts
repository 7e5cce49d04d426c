// Decides what the connection does next: the whole state machine as one table, without side effects.
import { State, Status } from "../abi";

/** What happens to a connection; the columns of the table. */
export const enum Event {
  Start = 0, // the application wants a connection
  Due = 1, // the backoff is over
  LinkOpened = 2, // the port has an open connection
  Accepted = 3, // CONNACK with return code 0
  Lost = 4, // the connection ended, for whatever reason
  Disconnect = 5, // the application wants an orderly end
  Drained = 6, // the outbox is empty, or the patience is over
  Stop = 7, // the application wants the end now
  Count = 8,
}

/** What has to be done, above the eight bits of the next state. */
export const enum Effect {
  Schedule = 0x100, // arm the timer of the first attempt
  Open = 0x200, // net_open
  Hello = 0x400, // send CONNECT
  Session = 0x800, // assert the subscriptions, send the outbox again
  Patience = 0x1000, // arm the timer of disconnect()
  Goodbye = 0x2000, // send DISCONNECT
  Close = 0x4000, // net_close
  Retry = 0x8000, // arm the timer of the backoff
}

// The outcomes, 16 bits each: the next state with its effects.
const UNKNOWN: u16 = 0xff; // an event that the state does not know
const STOPPED: u16 = <u16>State.Stopped;
const WAITING: u16 = <u16>State.Waiting;
const SCHEDULE: u16 = <u16>(State.Waiting | Effect.Schedule);
const OPENING: u16 = <u16>State.Opening;
const OPEN: u16 = <u16>(State.Opening | Effect.Open);
const CONNECTING: u16 = <u16>State.Connecting;
const HELLO: u16 = <u16>(State.Connecting | Effect.Hello);
const CONNECTED: u16 = <u16>State.Connected;
const SESSION: u16 = <u16>(State.Connected | Effect.Session);
const DRAINING: u16 = <u16>State.Draining;
const DRAIN: u16 = <u16>(State.Draining | Effect.Patience);
const RETRY: u16 = <u16>(State.Waiting | Effect.Close | Effect.Retry);
const CANCEL: u16 = <u16>(State.Stopped | Effect.Close);
const LEAVE: u16 = <u16>(State.Stopped | Effect.Goodbye | Effect.Close);

/** One row for each State, one column for each Event. */
// prettier-ignore
const TABLE: usize = memory.data<u16>([
  // Start    Due      LinkOpened  Accepted  Lost     Disconnect  Drained  Stop
  SCHEDULE,   UNKNOWN, UNKNOWN,    UNKNOWN,  UNKNOWN, STOPPED,    UNKNOWN, STOPPED, // Stopped
  WAITING,    OPEN,    UNKNOWN,    UNKNOWN,  UNKNOWN, STOPPED,    UNKNOWN, STOPPED, // Waiting
  OPENING,    UNKNOWN, HELLO,      UNKNOWN,  RETRY,   CANCEL,     UNKNOWN, CANCEL,  // Opening
  CONNECTING, UNKNOWN, UNKNOWN,    SESSION,  RETRY,   CANCEL,     UNKNOWN, CANCEL,  // Connecting
  CONNECTED,  UNKNOWN, UNKNOWN,    UNKNOWN,  RETRY,   DRAIN,      UNKNOWN, LEAVE,   // Connected
  CONNECTED,  UNKNOWN, UNKNOWN,    UNKNOWN,  CANCEL,  DRAINING,   LEAVE,   LEAVE,   // Draining
]);

/** The next state with its effects, or BadState for an event that the state does not know. */
export function transition(state: i32, event: i32): i32 {
  const outcome: i32 = load<u16>(TABLE + (state * Event.Count + event) * 2);
  return outcome == UNKNOWN ? Status.BadState : outcome;
}
