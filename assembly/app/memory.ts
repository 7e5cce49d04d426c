// The memory of this folder: events come in by one buffer, messages leave by the other. `mote build` sets how long each is.
import { JsonField } from "../abi";

/** Bytes for an event: its record and the texts behind it. What does not fit arrives as MessageTooLarge. */
export const EVENT_CAPACITY: i32 = isDefined(APP_EVENT_BYTES) ? APP_EVENT_BYTES : 512;
/** Bytes for the record of one message. */
export const MESSAGE_CAPACITY: i32 = isDefined(APP_MESSAGE_BYTES) ? APP_MESSAGE_BYTES : 512;

// @ts-ignore: decorator
@lazy
export const EVENT: usize = memory.data(EVENT_CAPACITY, 4);
// @ts-ignore: decorator
@lazy
export const MESSAGE: usize = memory.data(MESSAGE_CAPACITY, 8);
/** What stood where a part of a message ends. */
// @ts-ignore: decorator
@lazy
export const KEPT: usize = memory.data(48, 4);
/** The levels that are open where the rest of a message begins, and where a part of it would end. */
// @ts-ignore: decorator
@lazy
export const LEVELS: usize = memory.data(72, 4);
/** The value that the host found in a JSON text. */
// @ts-ignore: decorator
@lazy
export const FOUND: usize = memory.data(8, 4);

if (JsonField.End != 8) ERROR("the value record has another length");

/** An export of every app: where the host copies events to. */
export function event_buffer(): usize {
  return EVENT;
}

/** An export of every app: how many bytes are there. */
export function event_capacity(): i32 {
  return EVENT_CAPACITY;
}
