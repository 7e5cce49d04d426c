// The memory of this folder: events come in by one buffer, messages leave by the other.
import { JsonField } from "../abi";

/** Bytes for an event: its record and the texts behind it. What does not fit arrives as MessageTooLarge. */
export const EVENT_CAPACITY: i32 = 512;
/** Bytes for the record of one message. */
export const MESSAGE_CAPACITY: i32 = 512;

// @ts-ignore: decorator
@lazy
export const EVENT: usize = memory.data(512, 4);
// @ts-ignore: decorator
@lazy
export const MESSAGE: usize = memory.data(512, 8);
/** What stood where a part of a message ends. */
// @ts-ignore: decorator
@lazy
export const KEPT: usize = memory.data(24, 4);
/** The value that the host found in a JSON text. */
// @ts-ignore: decorator
@lazy
export const FOUND: usize = memory.data(8, 4);

if (EVENT_CAPACITY != 512 || MESSAGE_CAPACITY != 512) ERROR("a buffer is not as long as its capacity says");
if (JsonField.End != 8) ERROR("the value record has another length");

/** An export of every app: where the host copies events to. */
export function event_buffer(): usize {
  return EVENT;
}

/** An export of every app: how many bytes are there. */
export function event_capacity(): i32 {
  return EVENT_CAPACITY;
}
