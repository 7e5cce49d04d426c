// Adds, settles and expires requests around the wrap of the clock.

import { EventKind, NO_DEADLINE_MS, Status } from "../../../assembly/abi";
import { nextDue, readClock } from "../../../assembly/base/time";
import { carveFrom } from "../../../assembly/memory";
import { add, carveRequests, expire, find, nextId, settleRequest } from "../../../assembly/thingsboard/requests";
import { eventId, eventReason } from "../device";
import { set_clock } from "../host";

const BLOCK: usize = heap.alloc(64);

function begin(most: i32): void {
  memory.fill(BLOCK, 0, 64);
  carveFrom(BLOCK);
  carveRequests(most);
}

/** Adds the next request; its id, or 0 when there is no room. */
function request(timeoutMs: i32): i32 {
  const entry = find(0);
  const id = nextId();
  if (!entry) return 0;
  add(entry, id, id, timeoutMs);
  return id;
}

describe("requests", () => {
  test("as many as were carved, with ids that count from 1", () => {
    begin(3);
    expect<i32>(request(10)).toBe(1);
    expect<i32>(request(10)).toBe(2);
    expect<i32>(request(10)).toBe(3);
    expect<i32>(request(10)).toBe(0);
  });
  test("a settled one is not settled again, and its room is free", () => {
    expect<bool>(settleRequest(2)).toBe(true);
    expect<bool>(settleRequest(2)).toBe(false);
    expect<bool>(settleRequest(0)).toBe(false);
    expect<bool>(settleRequest(-1)).toBe(false);
    expect<i32>(request(10)).toBe(4);
    expect<bool>(settleRequest(1)).toBe(true);
    expect<bool>(settleRequest(3)).toBe(true);
    expect<bool>(settleRequest(4)).toBe(true);
    expect<i32>(nextDue()).toBe(NO_DEADLINE_MS);
  });
  test("a call is not settled by the id of an attribute request", () => {
    begin(2);
    const id = nextId();
    add(find(0), id, -id, 10);
    expect<i32>(nextId()).toBe(id + 1);
    expect<bool>(settleRequest(id)).toBe(false);
    expect<bool>(settleRequest(-id)).toBe(true);
    expect<bool>(settleRequest(-id)).toBe(false);
  });
  test("the timer stands at the first of them, across the wrap of the clock", () => {
    begin(3);
    set_clock(0xfffffff0);
    const late = request(100);
    const early = request(20);
    expect<i32>(nextDue()).toBe(20);
    set_clock(0x100000003);
    readClock();
    expect<i32>(expire()).toBe(EventKind.None);
    set_clock(0x100000004);
    readClock();
    expect<i32>(expire()).toBe(EventKind.RequestTimeout);
    expect<i32>(eventId()).toBe(early);
    expect<i32>(eventReason()).toBe(Status.Timeout);
    expect<i32>(nextDue()).toBe(80);
    expect<i32>(expire()).toBe(EventKind.None);
    expect<bool>(settleRequest(early)).toBe(false);
    expect<bool>(settleRequest(late)).toBe(true);
  });
});
