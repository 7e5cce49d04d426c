// Decides what the connection does next: the whole state machine, without side effects.
import { State, Status } from "../abi";

/** What happens to a connection. */
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

/** The next state with its effects, or BadState for an event that the state does not know. */
export function transition(state: i32, event: i32): i32 {
  if (event == Event.Stop || (event == Event.Disconnect && state < State.Connected)) {
    if (state >= State.Connected) return State.Stopped | Effect.Goodbye | Effect.Close;
    return state < State.Opening ? <i32>State.Stopped : State.Stopped | Effect.Close;
  }
  if (event == Event.Lost && state >= State.Opening) {
    return state == State.Draining ? State.Stopped | Effect.Close : State.Waiting | Effect.Close | Effect.Retry;
  }
  if (event == Event.Start && state) return state == State.Draining ? <i32>State.Connected : state;
  switch (state) {
    case State.Stopped: if (event == Event.Start) return State.Waiting | Effect.Schedule; break;
    case State.Waiting: if (event == Event.Due) return State.Opening | Effect.Open; break;
    case State.Opening: if (event == Event.LinkOpened) return State.Connecting | Effect.Hello; break;
    case State.Connecting: if (event == Event.Accepted) return State.Connected | Effect.Session; break;
    case State.Connected: if (event == Event.Disconnect) return State.Draining | Effect.Patience; break;
    default:
      if (event == Event.Drained) return State.Stopped | Effect.Goodbye | Effect.Close;
      if (event == Event.Disconnect) return state;
  }
  return Status.BadState;
}
