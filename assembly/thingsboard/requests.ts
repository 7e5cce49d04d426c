// Keeps the requests that have no answer yet (ThingsBoard Device API).
//
//   entry  0  i32 key: the request id, below zero for a client-side RPC, 0 = free
//          4  u32 deadline, 0 = free
import { EventKind, Stat, Status } from "../abi";
import { deadlineOf, fromNow, isDue, readClock, setDeadline, Timer } from "../base/time";
import { raise } from "../client/event";
import { carve, carved, count, storePair } from "../memory";

const ENTRY_SIZE: usize = 8;

let base: usize = 0;
let end: usize = 0;
/** Ids start at 1, stay positive and are never used twice within 2^31 requests. */
let lastId: i32 = 0;

export function carveRequests(most: i32): void {
  base = carve(<usize>most * ENTRY_SIZE);
  end = carved; // zero, as all memory of a fresh instance is
}

/** An entry that holds a value at an offset, or 0; points the timer at the first deadline of all. */
function search(value: i32, offset: usize): usize {
  let found: usize = 0;
  let first: u32 = 0;
  let entry = base;
  do {
    if (load<i32>(entry + offset) == value) found = entry;
    const deadline = load<u32>(entry, 4);
    if ((deadline != 0) & (!first | (<i32>(deadline - first) < 0))) first = deadline;
  } while ((entry += ENTRY_SIZE) < end);
  setDeadline(Timer.Request, first);
  return found;
}

/** Makes an entry a request or, with zeros, free. */
function put(place: usize, key: i32, due: u32): void {
  storePair(place, key, due);
  search(0, 0);
}

/** The entry of a request, with 0 one that is free; 0 when there is none. */
// @ts-ignore: decorator
@inline
export function find(key: i32): usize {
  return search(key, 0);
}

/** The id that the next request gets. */
// @ts-ignore: decorator
@inline
export function nextId(): i32 {
  return (lastId % i32.MAX_VALUE) + 1;
}

/** Takes the next id for a request that no entry waits for. */
export function takeId(): i32 {
  lastId = nextId();
  return lastId;
}

/** Adds the request that was sent with `id`, which `nextId` gave, at a free entry; its key is that or, for a client-side RPC, less than zero. */
// @ts-ignore: decorator
@inline
export function add(entry: usize, id: i32, key: i32, timeoutMs: i32): void {
  readClock();
  lastId = id;
  put(entry, key, fromNow(timeoutMs));
}

/** An answer came: false when no request waits for it. */
export function settleRequest(key: i32): bool {
  const entry = key ? find(key) : 0;
  if (entry) put(entry, 0, 0);
  return entry != 0;
}

/** The event of a request that ran out of time, or None. */
export function expire(): i32 {
  if (!isDue(Timer.Request)) return EventKind.None;
  const entry = search(deadlineOf(Timer.Request), 4);
  const id = abs(load<i32>(entry));
  put(entry, 0, 0);
  count(Stat.RequestTimeouts);
  return raise(EventKind.RequestTimeout, id, Status.Timeout);
}
