// Answers server-side RPC by method.
import { addDecimal, addInteger, addText, beginMessage, equals, eventId, EventKind, eventName, randomBits, sendRpcReply, text } from "../app";
export { event_buffer, event_capacity } from "../app";

export function setup(): void {}

/** An app sees nothing of the machine below but through `io`: the load is made up. */
function percent(): i32 {
  return randomBits() & 63;
}

export function on_event(kind: i32, length: i32): void {
  if (kind != EventKind.RpcRequest) return;
  beginMessage();
  if (equals(eventName(), text("getCPULoad"))) addDecimal(text("CPU percent"), percent() * 10, 1);
  else if (equals(eventName(), text("getMemoryUsage"))) addInteger(text("Memory"), percent());
  else addText(text("error"), text("unknown method"));
  sendRpcReply(eventId());
}
