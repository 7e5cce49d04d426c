// Asks the server for client and shared attributes, after every connect, and logs what came.
import { addText, beginMessage, eventPayload, EventKind, findJson, LogLevel, log, requestAttributes, text } from "../app";
export { event_buffer, event_capacity } from "../app";

const TIMEOUT_MS: i32 = 20000;

export function setup(): void {}

function ask(): void {
  beginMessage();
  addText(text("clientKeys"), text("configuration"));
  addText(text("sharedKeys"), text("targetFirmwareVersion"));
  requestAttributes(TIMEOUT_MS);
}

function take(): void {
  log(LogLevel.Info, eventPayload());
  if (findJson(eventPayload(), text("client.configuration")) < 0) log(LogLevel.Info, text("no configuration"));
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) ask();
  else if (kind == EventKind.AttributesResponse) take();
  else if (kind == EventKind.RequestTimeout) log(LogLevel.Warning, text("no answer"));
}
