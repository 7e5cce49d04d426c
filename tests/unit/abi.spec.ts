// Proves of the frozen numbers what other code leans on: records end where their last field ends, and fields stand at their alignment.

import { ABI_VERSION, EventField, JsonField, Stat, Status, NO_DEADLINE_MS, INTERVAL_MS_MAX } from "../../assembly/abi";

describe("abi", () => {
  test("the version is major * 256 + minor with major 1", () => {
    expect<i32>(ABI_VERSION >> 8).toBe(1);
  });
  test("the longest interval is half the range of a 32-bit clock at most", () => {
    expect<bool>(INTERVAL_MS_MAX < i32.MAX_VALUE).toBe(true);
    expect<i32>(NO_DEADLINE_MS).toBe(i32.MAX_VALUE);
  });
  test("records end at a multiple of four", () => {
    expect<i32>(EventField.End % 4).toBe(0);
    expect<i32>(Stat.End % 4).toBe(0);
    expect<i32>(JsonField.End % 4).toBe(0);
  });
  test("zero is the only status that is not a failure", () => {
    expect<i32>(Status.Ok).toBe(0);
    expect<bool>(Status.MoreBytes < 0).toBe(true);
  });
});
