// Publishes telemetry, client attributes, RPC replies and claims (ThingsBoard Device API).
import { Status } from "../abi";
import { NO_NUMBER, publishRecord } from "../client/publish";
import { Shape } from "../json/write";
import { addressOf, ATTRIBUTES, CLAIM, lengthOf, RPC_RESPONSE, TELEMETRY } from "./topics";

/** The export `send_telemetry`: Device API, telemetry upload, all forms of the payload. */
export function sendTelemetry(length: i32, options: usize): i32 {
  return publishRecord(addressOf(TELEMETRY), lengthOf(TELEMETRY), NO_NUMBER, length, FEATURE_LIMITS ? Shape.Telemetry : Shape.List, options);
}

/** The export `send_attributes`: Device API, publish client attributes. */
export function sendAttributes(length: i32, options: usize): i32 {
  return publishRecord(addressOf(ATTRIBUTES), lengthOf(ATTRIBUTES), NO_NUMBER, length, FEATURE_LIMITS ? Shape.Attributes : Shape.Object, options);
}

/** The export `send_rpc_reply`: Device API, server-side RPC. Ids count from 0. */
export function sendRpcReply(requestId: i32, length: i32, options: usize): i32 {
  if (requestId < 0) return Status.InvalidValue;
  return publishRecord(addressOf(RPC_RESPONSE), lengthOf(RPC_RESPONSE), requestId, length, Shape.Any, options);
}

/** The export `claim`: Device API, claiming devices. The server tells nobody on the device whether it worked. */
export function claim(length: i32, options: usize): i32 {
  return publishRecord(addressOf(CLAIM), lengthOf(CLAIM), NO_NUMBER, length, Shape.Object, options);
}
