// Says yes to a firmware that was downloaded and verified. What runs is told by `firmware_title` and `firmware_version` of the configuration.
import { applyOta, eventId, EventKind, eventName, eventValue, LogLevel, log, text } from "../app";
export { event_buffer, event_capacity } from "../app";

export function setup(): void {}

export function on_event(kind: i32, length: i32): void {
  switch (kind) {
    case EventKind.OtaAvailable:
      log(LogLevel.Info, eventName());
      log(LogLevel.Info, eventValue());
      break;
    case EventKind.OtaReady:
      applyOta(eventId(), 1); // 0 would refuse it
      break;
    case EventKind.OtaApplied:
      log(LogLevel.Info, text("applied"));
      break;
    case EventKind.OtaFailed:
      log(LogLevel.Error, eventName());
      break;
  }
}
