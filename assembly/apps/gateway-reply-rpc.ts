// A gateway that answers RPC to its child.
import {
  addDecimal, addInteger, addText, beginMessage, beginObject, connectChild, endLevel, equals, eventId, EventKind, eventName, eventTopic,
  randomBits, sendChildRpcReply, text,
} from "../app";
export { event_buffer, event_capacity } from "../app";

export function setup(): void {}

function connect(): void {
  beginMessage();
  addText(text("device"), text("Test Device A1"));
  connectChild();
}

function answer(): void {
  beginMessage();
  addText(text("device"), text("Test Device A1"));
  addInteger(text("id"), eventId());
  beginObject(text("data"));
  // An app sees nothing of the machine below but through `io`: the load is made up.
  if (equals(eventName(), text("getCPULoad"))) addDecimal(text("CPU load"), randomBits() & 63, 2);
  else addText(text("error"), text("unknown method"));
  endLevel();
  sendChildRpcReply();
}

export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.Connected) connect();
  if (kind == EventKind.ChildRpcRequest && equals(eventTopic(), text("Test Device A1"))) answer();
}
