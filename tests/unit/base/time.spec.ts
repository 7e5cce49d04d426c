// Proves the deadlines around the points where a 32-bit clock changes its sign and wraps.

import { INTERVAL_MS_MAX, NO_DEADLINE_MS } from "../../../assembly/abi";
import { arm, disarm, disarmSession, fromNow, isArmed, isDue, mayBeDue, nextDue, now, readClock, remaining, setDeadline, Timer } from "../../../assembly/base/time";
import { set_clock } from "../host";

// The stubbed clock stands at 0, so a deadline before it lies behind the wrap.
describe("deadlines", () => {
  test("the clock of these tests stands at 0", () => {
    expect<u32>(now).toBe(0);
  });
  test("nothing armed is nothing due", () => {
    expect<i32>(nextDue()).toBe(NO_DEADLINE_MS);
    for (let timer = 0; timer < <i32>Timer.End; timer += 4) expect<bool>(isDue(timer)).toBe(false);
  });
  test("an interval of nothing is due at once, and still armed", () => {
    expect<bool>(fromNow(0) != 0).toBe(true);
    setDeadline(Timer.Ping, 0xffffffff);
    expect<bool>(isDue(Timer.Ping)).toBe(true);
    expect<bool>(isArmed(Timer.Ping)).toBe(true);
    disarmSession();
  });
  test("a deadline behind the wrap has come, one up to half the range ahead has not", () => {
    expect<i32>(remaining(0xffffffff)).toBe(0);
    expect<i32>(remaining(0x80000001)).toBe(0);
    expect<i32>(remaining(1)).toBe(1);
    expect<i32>(remaining(INTERVAL_MS_MAX)).toBe(INTERVAL_MS_MAX);
  });
  test("the first of all is the next, requests outlive the session", () => {
    arm(Timer.Ping, 500);
    arm(Timer.Health, 200);
    arm(Timer.Request, 300);
    expect<i32>(nextDue()).toBe(200);
    disarmSession();
    expect<i32>(nextDue()).toBe(300);
    setDeadline(Timer.Request, 0);
    expect<i32>(nextDue()).toBe(NO_DEADLINE_MS);
  });
  test("one that is turned off is neither armed nor due, and the others stay", () => {
    arm(Timer.Ping, 500);
    setDeadline(Timer.Pong, 0xffffffff);
    disarm(Timer.Pong);
    expect<bool>(isArmed(Timer.Pong)).toBe(false);
    expect<bool>(isDue(Timer.Pong)).toBe(false);
    expect<i32>(nextDue()).toBe(500);
    disarmSession();
  });
  test("a reading of the clock tells whether a deadline may have come, across the wrap too", () => {
    expect<i32>(nextDue()).toBe(NO_DEADLINE_MS);
    readClock();
    expect<bool>(mayBeDue).toBe(false);
    setDeadline(Timer.Ping, 2);
    set_clock(1);
    readClock();
    expect<bool>(mayBeDue).toBe(false);
    set_clock(2);
    readClock();
    expect<bool>(mayBeDue).toBe(true);
    disarmSession();
    nextDue();
    setDeadline(Timer.Ping, 0xffffffff);
    set_clock(0x1_0000_0000);
    readClock();
    expect<bool>(mayBeDue).toBe(true);
    disarmSession();
    nextDue();
    set_clock(0);
    readClock();
    expect<bool>(mayBeDue).toBe(false);
  });
});
