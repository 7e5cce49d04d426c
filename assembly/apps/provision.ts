// Tells what became of the request for credentials that the member `provision` of the configuration makes.
import { addBoolean, beginMessage, eventName, EventKind, eventReason, LogLevel, log, sendTelemetry, text } from "../app";
export { event_buffer, event_capacity } from "../app";

/** Waits in the outbox until the device has credentials. */
export function setup(): void {
  beginMessage();
  addBoolean(text("provisioned"), true);
  sendTelemetry();
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Provisioned) {
    log(LogLevel.Info, eventReason() == 0 ? text("provisioned, and the credentials kept") : text("provisioned until the program ends"));
  }
  if (kind == EventKind.ProvisioningFailed) log(LogLevel.Error, eventName());
}
