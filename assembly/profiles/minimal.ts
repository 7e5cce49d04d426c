// The profile `minimal`: telemetry, client attributes and server-side RPC.
import { ABI_VERSION, Feature } from "../abi";
import * as staging from "../client/staging";
import { putUnescapedTo } from "../json/unescape";
import { find } from "../json/find";
import { ERROR_RECORD, EVENT, JSON_VALUE, STATS } from "../memory";
import * as device from "../thingsboard/device";
import { sendAttributes, sendRpcReply, sendTelemetry } from "../thingsboard/send";

export function abi_version(): i32 {
  return ABI_VERSION;
}

export function features(): i32 {
  return (FEATURE_RAW ? <i32>Feature.Raw : 0) | (FEATURE_ATTRIBUTES ? <i32>Feature.Attributes : 0);
}

export function configure(json: usize, length: i32, memoryEnd: usize): i32 {
  return device.configureDevice(json, length, __heap_base, memoryEnd);
}

export { start, disconnect, stop, deadlineMs as deadline_ms, wants, release as event_release } from "../client/connection";
export { poll } from "../thingsboard/device";

export function stats(): usize {
  return STATS;
}

export function event_address(): usize {
  return EVENT;
}

export function error_address(): usize {
  return ERROR_RECORD;
}

export function json_address(): usize {
  return JSON_VALUE;
}

export function staging_address(): usize {
  return staging.address;
}

export function staging_capacity(): i32 {
  return staging.capacity;
}

export { sendTelemetry as send_telemetry, sendAttributes as send_attributes, sendRpcReply as send_rpc_reply };
export { find as json_find, putUnescapedTo as json_text };
