// A gateway that sends telemetry and attributes for one child.
import {
  addDecimal, addInteger, addText, beginArray, beginMessage, beginObject, connectChild, disconnectChild, endLevel, eventId, EventKind,
  LogLevel, log, sendChildAttributes, sendChildTelemetry, text, unixMs,
} from "../app";
export { event_buffer, event_capacity } from "../app";

let last: i32 = 0;

export function setup(): void {}

function send(): void {
  beginMessage();
  addText(text("device"), text("Test Device A1"));
  connectChild();

  beginMessage();
  beginArray(text("Test Device A1"));
  beginObject(0);
  addInteger(text("ts"), unixMs());
  beginObject(text("values"));
  addDecimal(text("temperature"), 422, 1);
  endLevel();
  endLevel();
  endLevel();
  sendChildTelemetry();

  beginMessage();
  beginObject(text("Test Device A1"));
  addText(text("firmwareVersion"), text("2.3.1"));
  endLevel();
  sendChildAttributes();

  beginMessage();
  addText(text("device"), text("Test Device A1"));
  last = disconnectChild();
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) send();
  if (kind == EventKind.Delivered && eventId() == last) log(LogLevel.Info, text("delivered"));
}
