// A gateway that asks for a shared attribute of one child.
import {
  addBoolean, addInteger, addText, beginArray, beginMessage, connectChild, endLevel, EventKind, eventTopic, eventValue, LogLevel, log,
  requestChildAttributes, text,
} from "../app";
export { event_buffer, event_capacity } from "../app";

const TIMEOUT_MS: i32 = 20000;

export function setup(): void {}

function ask(): void {
  beginMessage();
  addText(text("device"), text("Test Device A1"));
  connectChild();

  beginMessage();
  addInteger(text("id"), 0); // the client writes the number of the request here
  addText(text("device"), text("Test Device A1"));
  addBoolean(text("client"), false);
  beginArray(text("keys"));
  addText(0, text("temperature"));
  endLevel();
  requestChildAttributes(TIMEOUT_MS);
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) ask();
  if (kind == EventKind.RequestTimeout) log(LogLevel.Warning, text("no answer"));
  if (kind != EventKind.ChildAttributesResponse) return;
  log(LogLevel.Info, eventTopic());
  log(LogLevel.Info, eventValue());
}
