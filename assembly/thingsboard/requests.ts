// Keeps the attribute requests that have no answer yet (ThingsBoard Device API).
//
//   entry  0  i32 request id, 0 = free
//          4  u32 deadline
import { EventKind, Stat, Status } from "../abi";
import { fromNow, readClock, remaining, setDeadline, Timer } from "../base/time";
import { raise } from "../client/event";
import { carve, count } from "../memory";

const ENTRY_SIZE: usize = 8;

let base: usize = 0;
let end: usize = 0;
/** Ids start at 1, stay positive and are never used twice within 2^31 requests. */
let lastId: i32 = 0;

export function carveRequests(most: i32): void {
  const size = <usize>most * ENTRY_SIZE;
  base = carve(size);
  end = base + size; // zero, as all memory of a fresh instance is
}

/** Points the timer at the first deadline of all. */
function arrange(): void {
  let first: u32 = 0;
  for (let entry = base; entry < end; entry += ENTRY_SIZE) {
    const deadline = load<u32>(entry, 4);
    if (load<i32>(entry) && (!first || <i32>(deadline - first) < 0)) first = deadline;
  }
  setDeadline(Timer.Request, first);
}

/** The entry of a request, with 0 one that is free; 0 when there is none. */
function find(id: i32): usize {
  for (let entry = base; entry < end; entry += ENTRY_SIZE) if (load<i32>(entry) == id) return entry;
  return 0;
}

/** Whether another request may be made. */
// @ts-ignore: decorator
@inline
export function hasRoom(): bool {
  return find(0) != 0;
}

/** The id that the next request gets. */
export function nextId(): i32 {
  return lastId == i32.MAX_VALUE ? 1 : lastId + 1;
}

/** Adds the request that was sent with `nextId`. */
export function add(timeoutMs: i32): void {
  readClock();
  lastId = nextId();
  const entry = find(0);
  store<i32>(entry, lastId);
  store<u32>(entry, fromNow(timeoutMs), 4);
  arrange();
}

/** An answer came: false when no request waits for it. */
export function settleRequest(id: i32): bool {
  const entry = id ? find(id) : 0;
  if (!entry) return false;
  store<i32>(entry, 0);
  arrange();
  return true;
}

/** The event of a request that ran out of time, or None. */
export function expire(): i32 {
  for (let entry = base; entry < end; entry += ENTRY_SIZE) {
    const id = load<i32>(entry);
    if (!id || remaining(load<u32>(entry, 4))) continue;
    settleRequest(id);
    count(Stat.RequestTimeouts);
    return raise(EventKind.RequestTimeout, id, Status.Timeout);
  }
  return EventKind.None;
}
