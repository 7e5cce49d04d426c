// Walks through every state and event, and every order of five events, by what must always be true of a connection.

import { State, Status } from "../../../assembly/abi";
import { Effect, Event, transition } from "../../../assembly/client/transition";

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
        if (outcome == Status.BadState) continue;
        const next = outcome & 0xff;
        if (next >= STATES) wrong++;
        if (((outcome & Effect.Close) != 0) != (isOpen(state) && !isOpen(next))) wrong++;
        if (((outcome & Effect.Open) != 0) != (!isOpen(state) && isOpen(next))) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("DISCONNECT is sent only in a session and always with the end [MQTT-3.14.4-1]", () => {
    let wrong = 0;
    for (let state = 0; state < STATES; state++) {
      for (let event = 0; event < Event.Count; event++) {
        const outcome = transition(state, event);
        if (outcome < 0 || !(outcome & Effect.Goodbye)) continue;
        if (state < State.Connected || !(outcome & Effect.Close) || event == Event.Lost) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("stop and disconnect are known in every state, and stop ends all", () => {
    for (let state = 0; state < STATES; state++) {
      expect<i32>(transition(state, Event.Stop) & 0xff).toBe(State.Stopped);
      expect<bool>(transition(state, Event.Disconnect) >= 0).toBe(true);
      expect<bool>(transition(state, Event.Start) >= 0).toBe(true);
    }
  });
  test("a lost connection is tried again, unless the end was wanted", () => {
    for (let state = <i32>State.Opening; state <= State.Connected; state++) {
      expect<i32>(transition(state, Event.Lost)).toBe(State.Waiting | Effect.Close | Effect.Retry);
    }
    expect<i32>(transition(State.Draining, Event.Lost)).toBe(State.Stopped | Effect.Close);
  });
  test("CONNACK counts only while it is awaited, and begins the session", () => {
    for (let state = 0; state < STATES; state++) {
      const expected = state == State.Connecting ? State.Connected | Effect.Session : <i32>Status.BadState;
      expect<i32>(transition(state, Event.Accepted)).toBe(expected);
    }
  });
  test("no order of five events opens twice, closes twice, or greets without a connection", () => {
    let wrong = 0;
    const orders = 8 * 8 * 8 * 8 * 8;
    for (let order = 0; order < orders; order++) {
      let state: i32 = State.Stopped;
      let handles = 0;
      for (let rest = order, step = 0; step < 5; step++, rest >>= 3) {
        const outcome = transition(state, rest & 7);
        if (outcome < 0) continue;
        if (outcome & Effect.Open) handles++;
        if (outcome & Effect.Hello && handles != 1) wrong++;
        if (outcome & Effect.Close) handles--;
        state = outcome & 0xff;
        if (handles != <i32>isOpen(state)) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
});
