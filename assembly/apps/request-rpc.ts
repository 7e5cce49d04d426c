// Calls a method of the server's rule chain, and takes its answer or its error.
import { addJson, addText, beginMessage, eventPayload, EventKind, eventReason, LogLevel, log, requestRpc, Status, text } from "../app";
export { event_buffer, event_capacity } from "../app";

/** The server says after 60 s that nobody answers. */
const TIMEOUT_MS: i32 = 65000;

export function setup(): void {}

function ask(): void {
  beginMessage();
  addText(text("method"), text("getTime"));
  addJson(text("params"), text("{\"zone\":\"UTC\"}"));
  requestRpc(TIMEOUT_MS);
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) ask();
  if (kind == EventKind.RequestTimeout) log(LogLevel.Warning, text("no answer"));
  if (kind != EventKind.RpcResponse) return;
  log(LogLevel.Info, eventReason() == Status.RemoteError ? text("error") : text("answer"));
  log(LogLevel.Info, eventPayload());
}
