// Reads the event that the host has copied: valid until `on_event` returns.
import { EventField } from "../abi";
import { EVENT } from "./memory";
import { Text, textAt } from "./text";

/** Packet, request or subscription id. */
export function eventId(): i32 {
  return load<i32>(EVENT, EventField.Id);
}

/** Bits of EventFlag. */
export function eventFlags(): i32 {
  return load<u8>(EVENT, EventField.Flags);
}

/** A Status, or a return code of MQTT. */
export function eventReason(): i32 {
  return load<i32>(EVENT, EventField.Reason);
}

/** Bytes of the whole payload; of MessageTooLarge the bytes that the event buffer would need. */
export function eventTotal(): i32 {
  return load<i32>(EVENT, EventField.Total);
}

/** Where this part of the payload begins; of MessageTooLarge from the host the kind of the event that did not fit. */
export function eventOffset(): i32 {
  return load<i32>(EVENT, EventField.Offset);
}

export function eventTopic(): Text {
  return textAt(load<u32>(EVENT, EventField.Topic), load<i32>(EVENT, EventField.TopicLength));
}

export function eventPayload(): Text {
  return textAt(load<u32>(EVENT, EventField.Payload), load<i32>(EVENT, EventField.PayloadLength));
}

/** Method of an RPC, without its quotes. */
export function eventName(): Text {
  return textAt(load<u32>(EVENT, EventField.Name), load<i32>(EVENT, EventField.NameLength));
}

/** Params of an RPC as JSON text, empty when absent. */
export function eventValue(): Text {
  return textAt(load<u32>(EVENT, EventField.Value), load<i32>(EVENT, EventField.ValueLength));
}
