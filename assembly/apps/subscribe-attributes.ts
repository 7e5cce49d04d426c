// Listens to one shared attribute and to all of them. The one is asked for after every connect, so that a change during an outage is not missed.
import { addText, beginMessage, eventPayload, EventKind, findJson, foundJson, LogLevel, log, requestAttributes, Text, text } from "../app";
export { event_buffer, event_capacity } from "../app";

const TIMEOUT_MS: i32 = 20000;

export function setup(): void {}

function ask(): void {
  beginMessage();
  addText(text("sharedKeys"), text("uploadFrequency"));
  requestAttributes(TIMEOUT_MS);
}

function tell(path: Text): void {
  if (findJson(eventPayload(), path) < 0) return;
  log(LogLevel.Info, text("uploadFrequency is"));
  log(LogLevel.Info, foundJson());
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) ask();
  if (kind == EventKind.AttributesResponse) tell(text("shared.uploadFrequency"));
  if (kind != EventKind.SharedAttributes) return;
  log(LogLevel.Info, text("update"));
  log(LogLevel.Info, eventPayload());
  tell(text("uploadFrequency"));
}
