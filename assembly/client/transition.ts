// Decides what the connection does next: the whole state machine as one table, without side effects.
import { State } from "../abi";

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

/** What has to be done, above the three bits of the next state. */
export const enum Effect {
  Close = 8, // net_close
  Goodbye = 16, // send DISCONNECT before that
  Begin = 32, // what the next state begins with: a timer, net_open, CONNECT or the session
}
/** The bits of the next state. */
export const NEXT: i32 = 7;

// The outcomes, one byte each: the next state with its effects.
const STOPPED: u8 = <u8>State.Stopped;
const WAITING: u8 = <u8>State.Waiting;
const SCHEDULE: u8 = <u8>(State.Waiting | Effect.Begin);
const OPENING: u8 = <u8>State.Opening;
const OPEN: u8 = <u8>(State.Opening | Effect.Begin);
const CONNECTING: u8 = <u8>State.Connecting;
const HELLO: u8 = <u8>(State.Connecting | Effect.Begin);
const CONNECTED: u8 = <u8>State.Connected;
const SESSION: u8 = <u8>(State.Connected | Effect.Begin);
const DRAINING: u8 = <u8>State.Draining;
const DRAIN: u8 = <u8>(State.Draining | Effect.Begin);
const RETRY: u8 = <u8>(State.Waiting | Effect.Close | Effect.Begin);
const CANCEL: u8 = <u8>(State.Stopped | Effect.Close);
const LEAVE: u8 = <u8>(State.Stopped | Effect.Goodbye | Effect.Close);

/** One row for each State, one column for each Event; an event that the state does not know changes nothing. */
// prettier-ignore
const TABLE: usize = memory.data<u8>([
  // Start    Due         LinkOpened  Accepted    Lost     Disconnect  Drained     Stop
  SCHEDULE,   STOPPED,    STOPPED,    STOPPED,    STOPPED, STOPPED,    STOPPED,    STOPPED, // Stopped
  WAITING,    OPEN,       WAITING,    WAITING,    WAITING, CANCEL,     WAITING,    CANCEL,  // Waiting
  OPENING,    OPENING,    HELLO,      OPENING,    RETRY,   CANCEL,     OPENING,    CANCEL,  // Opening
  CONNECTING, CONNECTING, CONNECTING, SESSION,    RETRY,   CANCEL,     CONNECTING, CANCEL,  // Connecting
  CONNECTED,  CONNECTED,  CONNECTED,  CONNECTED,  RETRY,   DRAIN,      CONNECTED,  LEAVE,   // Connected
  CONNECTED,  DRAINING,   DRAINING,   DRAINING,   CANCEL,  DRAINING,   LEAVE,      LEAVE,   // Draining
]);

/** The next state with its effects. */
export function transition(state: i32, event: i32): i32 {
  return load<u8>(TABLE + state * Event.Count + event);
}
