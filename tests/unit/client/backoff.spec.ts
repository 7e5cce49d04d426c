// Draws waits with random numbers of the spec's own: all of the range, a ceiling that doubles, and half of it after a refusal.

import { isConfigured, nextDelayMs, permitAny, resetBackoff, setConfigured, slowDown } from "../../../assembly/client/backoff";
import { setSetting, Setting } from "../../../assembly/client/settings";
import { set_random } from "../host";

/** The wait that a random number makes of the present range. */
function drawn(random: i32): u32 {
  set_random(random);
  return nextDelayMs();
}

describe("the backoff", () => {
  test("stands for the configuration, which is there once it has a ceiling", () => {
    expect<bool>(isConfigured()).toBe(false);
    setSetting(Setting.ReconnectMinMs, 1000);
    setSetting(Setting.ReconnectMaxMs, 5000);
    setConfigured();
    expect<bool>(isConfigured()).toBe(true);
  });
  test("draws from zero up to the ceiling, and the ceiling doubles up to the largest", () => {
    expect<u32>(drawn(1000)).toBe(1000);
    expect<u32>(drawn(2000)).toBe(2000);
    expect<u32>(drawn(4001)).toBe(0); // behind the largest comes zero again
    expect<u32>(drawn(5000)).toBe(5000);
    expect<u32>(drawn(5001)).toBe(0);
    expect<u32>(drawn(-1)).toBe(<u32>(0xffffffff % 5001)); // unsigned
  });
  test("begins small again when it is reset", () => {
    resetBackoff();
    expect<u32>(drawn(1000)).toBe(1000);
  });
  test("after a refusal it is half of the longest at least, once", () => {
    resetBackoff();
    slowDown();
    expect<u32>(drawn(0)).toBe(2500);
    expect<u32>(drawn(0)).toBe(0);
    slowDown();
    expect<u32>(drawn(2500)).toBe(5000);
  });
  test("after one that may pass it is any share of the longest", () => {
    resetBackoff();
    slowDown();
    permitAny();
    expect<u32>(drawn(0)).toBe(0);
    expect<u32>(drawn(5000)).toBe(5000);
  });
  test("a shortest wait above the longest is the longest", () => {
    setSetting(Setting.ReconnectMinMs, 9000);
    resetBackoff();
    expect<u32>(drawn(5000)).toBe(5000);
    expect<u32>(drawn(5001)).toBe(0);
  });
});
