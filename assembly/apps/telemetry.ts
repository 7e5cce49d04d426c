// Sends telemetry and client attributes, one message without waiting for its delivery and two with it. What was delivered last is told.
import {
  addBoolean, addDecimal, addText, AppPublish, beginMessage, EventKind, eventId, LogLevel, log, sendAttributes, sendTelemetry, text,
} from "../app";
export { event_buffer, event_capacity } from "../app";

let last: i32 = 0;

/** The link may still be down: what is sent waits in the outbox. */
export function setup(): void {
  beginMessage();
  addDecimal(text("temperature"), 419, 1);
  addBoolean(text("enabled"), false);
  addText(text("currentFirmwareVersion"), text("v1.2.2"));
  sendTelemetry(AppPublish.Qos0);

  beginMessage();
  addDecimal(text("CPU"), 120, 1);
  sendTelemetry();

  beginMessage();
  addText(text("status"), text("ok"));
  last = sendAttributes();
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Delivered && eventId() == last) log(LogLevel.Info, text("delivered"));
}
