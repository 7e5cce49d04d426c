// Makes the device claimable for a minute by who knows the code.
import { addInteger, addText, beginMessage, claim, eventId, EventKind, LogLevel, log, text } from "../app";
export { event_buffer, event_capacity } from "../app";

let asked: i32 = 0;

export function setup(): void {
  beginMessage();
  addText(text("secretKey"), text("my_claim_code"));
  addInteger(text("durationMs"), 60000);
  asked = claim();
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Delivered && eventId() == asked) log(LogLevel.Info, text("claimable"));
}
