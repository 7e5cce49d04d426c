// A device in a block of the spec's own: what a host does to configure and connect it, and what it reads afterwards.

import { ErrorField, EventField, EventKind, Member, NetState, RecordsField } from "../../assembly/abi";
import { start } from "../../assembly/client/connection";
import { ERROR_RECORD, EVENT, RECORDS, STATS } from "../../assembly/memory";
import { configureDevice, poll } from "../../assembly/thingsboard/device";
import { arriveHex, putText, sentHex, set_clock, set_state, textAt } from "./host";

const BLOCK_SIZE: usize = 16384;
const BLOCK: usize = heap.alloc(BLOCK_SIZE);

/** The export `configure`, with the text at the end of memory as ABI.md, section 4, has it. */
export function configure(json: string, memorySize: usize = BLOCK_SIZE): i32 {
  memory.fill(BLOCK, 0, BLOCK_SIZE);
  set_clock(1000); // a deadline of now has come, which is not so at 0: that one means off
  const length = <i32>String.UTF8.byteLength(json);
  const text = BLOCK + memorySize - length;
  putText(text, json);
  return configureDevice(text, length, BLOCK, BLOCK + memorySize);
}

/** Starts, opens the link and accepts the CONNECT; the kind of the event. Nothing of it is left in `sentHex`. */
export function connect(): i32 {
  start();
  set_state(NetState.Connecting);
  poll();
  set_state(NetState.Open);
  poll();
  arriveHex("20 02 00 00");
  let kind: i32 = EventKind.None;
  for (let step = 0; step < 4 && kind != EventKind.Connected; step++) kind = poll();
  sentHex();
  return kind;
}

/** What arrives, then polls until something happened; its kind. */
export function receive(hex: string): i32 {
  arriveHex(hex);
  return pollOn();
}

/** Polls until something happened, ten times at most; its kind. */
export function pollOn(): i32 {
  let kind: i32 = EventKind.None;
  for (let step = 0; step < 10 && !kind; step++) kind = poll();
  return kind;
}

export function staging(): usize {
  return load<u32>(RECORDS, RecordsField.Staging);
}

/** Lays out JSON text that is ready as a message record at the start of the staging area; its length. */
export function layOut(json: string): i32 {
  const at = staging();
  const length = putText(at + 12, json);
  store<u32>(at, <u32>Member.Json);
  store<i64>(at, length, 4);
  return 12 + ((length + 3) & ~3);
}

/** Writes an options record at 200 bytes into the staging area; its address. */
export function options(qos: i32, retain: i32): usize {
  const at = staging() + 200;
  store<u16>(at, 4);
  store<u8>(at, qos, 2);
  store<u8>(at, retain, 3);
  return at;
}

export function stat(counter: i32): u32 {
  return load<u32>(STATS + counter);
}

export function eventId(): i32 {
  return load<i32>(EVENT, EventField.Id);
}

export function eventReason(): i32 {
  return load<i32>(EVENT, EventField.Reason);
}

export function eventFlags(): i32 {
  return load<u8>(EVENT, EventField.Flags);
}

/** A text of the event by the field of its address; its length stands behind it. */
export function eventText(field: i32): string {
  return textAt(load<u32>(EVENT + field), load<i32>(EVENT + field + 4));
}

export function errorText(): string {
  return textAt(load<u32>(ERROR_RECORD, ErrorField.Text), load<i32>(ERROR_RECORD, ErrorField.TextLength));
}

export function errorValue(): i32 {
  return load<i32>(ERROR_RECORD, ErrorField.Value);
}
