// The event record and the counters of ABI.md, and how an event is read out of the module's memory.

import { EventField, Status, type Stat } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";
import type { JsonValue } from "./values.ts";

/** What the event record said, copied out of the module's memory. */
export interface ModuleEvent {
  readonly kind: number;
  readonly flags: number;
  readonly id: number;
  readonly reason: number;
  readonly total: number;
  readonly offset: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly name: string;
  readonly value: string;
}

/** Counters by name, as ABI.md's `Stat` with a small first letter. */
export type Counters = { -readonly [Name in Exclude<keyof typeof Stat, "Size" | "End"> as Uncapitalize<Name>]: number };

/** The payload of an answer as text. */
export function answerText({ payload }: ModuleEvent): string {
  return Buffer.from(payload).toString("utf8");
}

/** The payload as a JSON document; a text that is none is an error like any other. */
export function parseAnswer(event: ModuleEvent, doing: string): JsonValue {
  try {
    return JSON.parse(answerText(event)) as JsonValue;
  } catch (cause) {
    throw errorOf(Status.Malformed, doing, { cause });
  }
}

/** The attributes in an answer; none where they are absent, and an error like any other where they are no object. */
export function attributesOf(value: JsonValue | undefined, doing: string): Record<string, JsonValue> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw errorOf(Status.WrongType, doing);
  return value;
}

const NO_BYTES = new Uint8Array(0);
const decoder = new TextDecoder();

/** `bytes` answers what is at an address, or throws when it lies outside the memory. */
export function readEvent(view: DataView, at: number, bytes: (address: number, length: number) => Uint8Array): ModuleEvent {
  const u32 = (field: number): number => view.getUint32(at + field, true);
  const copy = (address: number, length: number): Uint8Array => (u32(length) === 0 ? NO_BYTES : bytes(u32(address), u32(length)).slice());
  const text = (address: number, length: number): string => decoder.decode(copy(address, length));
  return {
    kind: view.getUint8(at + EventField.Kind),
    flags: view.getUint8(at + EventField.Flags),
    id: view.getInt32(at + EventField.Id, true),
    reason: view.getInt32(at + EventField.Reason, true),
    total: u32(EventField.Total),
    offset: u32(EventField.Offset),
    topic: text(EventField.Topic, EventField.TopicLength),
    payload: copy(EventField.Payload, EventField.PayloadLength),
    name: text(EventField.Name, EventField.NameLength),
    value: text(EventField.Value, EventField.ValueLength),
  };
}
