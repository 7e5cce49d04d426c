// Publishes telemetry, client attributes and RPC replies (ThingsBoard Device API).
import { Status } from "../abi";
import { NO_NUMBER, publish } from "../client/publish";
import { address, holds } from "../client/staging";
import { Shape } from "../json/write";
import { ATTRIBUTES, RPC_RESPONSE, TELEMETRY } from "./topics";

/** Publishes the message record at the start of the staging area on the topic. */
export function send(topic: usize, number: i32, length: i32, shape: i32, options: usize): i32 {
  if (!holds(address(), length)) return Status.InvalidValue;
  return publish(topic + 1, load<u8>(topic), number, address(), length, shape, options);
}

/** The export `send_telemetry`: Device API, telemetry upload, all forms of the payload. */
export function sendTelemetry(length: i32, options: usize): i32 {
  return send(TELEMETRY, NO_NUMBER, length, Shape.List, options);
}

/** The export `send_attributes`: Device API, publish client attributes. */
export function sendAttributes(length: i32, options: usize): i32 {
  return send(ATTRIBUTES, NO_NUMBER, length, Shape.Object, options);
}

/** The export `send_rpc_reply`: Device API, server-side RPC. Ids count from 0. */
export function sendRpcReply(requestId: i32, length: i32, options: usize): i32 {
  if (requestId < 0) return Status.InvalidValue;
  return send(RPC_RESPONSE, requestId, length, Shape.Any, options);
}
