// Fills the event record that the host reads after `poll`.
import { EventField } from "../abi";
import { EVENT, storePair } from "../memory";

/** Begins an event without topic and payload; returns its kind. */
export function raise(kind: i32, id: i32, reason: i32): i32 {
  memory.fill(EVENT, 0, <i32>EventField.End);
  store<u16>(EVENT, EventField.End, EventField.Size);
  store<u8>(EVENT, kind, EventField.Kind);
  store<i32>(EVENT, id, EventField.Id);
  store<i32>(EVENT, reason, EventField.Reason);
  return kind;
}

// @ts-ignore: decorator
@inline
export function setTopic(topic: usize, length: i32): void {
  storePair(EVENT + EventField.Topic, topic, length);
}

// @ts-ignore: decorator
@inline
export function setPayload(payload: usize, length: i32): void {
  storePair(EVENT + EventField.Payload, payload, length);
}
