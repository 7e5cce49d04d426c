// Walks through every state and event, and every order of five events, by what must always be true of a connection.

import { State } from "../../../assembly/abi";
import { Effect, Event, NEXT, transition } from "../../../assembly/client/transition";

const STATES: i32 = 6;
/** States in which the port holds a handle. */
function isOpen(state: i32): bool {
  return state >= State.Opening;
}

describe("transition", () => {
  test("a handle is opened and closed exactly when the state says so", () => {
    let wrong = 0;
    for (let state = 0; state < STATES; state++) {
      for (let event = 0; event < Event.Count; event++) {
        const outcome = transition(state, event);
        const next = outcome & NEXT;
        if (next >= STATES) wrong++;
        // What ends a connection closes, and so does what ends the wait for one: its timer must not outlive it.
        const ends = isOpen(state) ? !isOpen(next) : state == State.Waiting && next == State.Stopped;
        if (((outcome & Effect.Close) != 0) != ends) wrong++;
        // Opening begins with net_open, and nothing else does.
        if ((next == State.Opening && (outcome & Effect.Begin) != 0) != (!isOpen(state) && isOpen(next))) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("DISCONNECT is sent only in a session and always with the end [MQTT-3.14.4-1]", () => {
    let wrong = 0;
    for (let state = 0; state < STATES; state++) {
      for (let event = 0; event < Event.Count; event++) {
        const outcome = transition(state, event);
        if (!(outcome & Effect.Goodbye)) continue;
        if (state < State.Connected || !(outcome & Effect.Close) || event == Event.Lost) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("stop ends all, disconnect all but a session, start keeps what there is", () => {
    for (let state = 0; state < STATES; state++) {
      expect<i32>(transition(state, Event.Stop) & NEXT).toBe(State.Stopped);
      expect<i32>(transition(state, Event.Disconnect) & NEXT).toBe(state < State.Connected ? State.Stopped : State.Draining);
      const started = transition(state, Event.Start);
      expect<i32>(started & NEXT).toBe(state == State.Stopped ? State.Waiting : state == State.Draining ? State.Connected : state);
      // The session that was to end goes on as it is.
      expect<bool>((started & Effect.Begin) != 0).toBe(state == State.Stopped);
    }
  });
  test("a lost connection is tried again, unless the end was wanted", () => {
    for (let state = <i32>State.Opening; state <= State.Connected; state++) {
      expect<i32>(transition(state, Event.Lost)).toBe(State.Waiting | Effect.Close | Effect.Begin);
    }
    expect<i32>(transition(State.Draining, Event.Lost)).toBe(State.Stopped | Effect.Close);
  });
  test("CONNACK counts only while it is awaited, and begins the session", () => {
    for (let state = 0; state < STATES; state++) {
      const expected = state == State.Connecting ? State.Connected | Effect.Begin : state;
      expect<i32>(transition(state, Event.Accepted)).toBe(expected);
    }
  });
  test("an event that belongs to another state changes nothing", () => {
    for (let state = 0; state < STATES; state++) {
      if (state != State.Waiting) expect<i32>(transition(state, Event.Due)).toBe(state);
      if (state != State.Opening) expect<i32>(transition(state, Event.LinkOpened)).toBe(state);
      if (state != State.Draining) expect<i32>(transition(state, Event.Drained)).toBe(state);
      if (!isOpen(state)) expect<i32>(transition(state, Event.Lost)).toBe(state);
    }
  });
  test("no order of five events opens twice, closes twice, or greets without a connection", () => {
    let wrong = 0;
    const orders = 8 * 8 * 8 * 8 * 8;
    for (let order = 0; order < orders; order++) {
      let state: i32 = State.Stopped;
      let handles = 0;
      for (let rest = order, step = 0; step < 5; step++, rest >>= 3) {
        const before = state;
        const outcome = transition(before, rest & 7);
        const next = outcome & NEXT;
        const begins = (outcome & Effect.Begin) != 0;
        if (begins && next == State.Opening) handles++;
        if (begins && next == State.Connecting && handles != 1) wrong++;
        // Leaving Waiting closes too: no handle is open there, but the timer of the next attempt must not outlive it.
        if (outcome & Effect.Close && isOpen(before)) handles--;
        state = next;
        if (handles != <i32>isOpen(state)) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
});
