// Sends a hundred measurements, each with the time at which it was made, as many at once as the outbox and `max_inflight` allow.
import { addDecimal, addInteger, beginMessage, beginObject, endLevel, EventKind, LogLevel, log, sendTelemetry, text, unixMs } from "../app";
export { event_buffer, event_capacity } from "../app";

const MEASUREMENTS: i32 = 100;

let firstMs: i64 = 0;
let queued: i32 = 0;
let delivered: i32 = 0;

export function setup(): void {
  firstMs = unixMs() - MEASUREMENTS;
  sendMore();
}

/** Goes on where the outbox was full. */
function sendMore(): void {
  for (; queued < MEASUREMENTS; queued++) {
    beginMessage();
    addInteger(text("ts"), firstMs + queued);
    beginObject(text("values"));
    addDecimal(text("temperature"), 421, 1);
    addInteger(text("humidity"), 70);
    endLevel();
    if (sendTelemetry() < 0) return;
  }
}

export function on_event(kind: i32, length: i32): void {
  if (kind != EventKind.Delivered) return;
  sendMore();
  if (++delivered == MEASUREMENTS) log(LogLevel.Info, text("100 delivered"));
}
