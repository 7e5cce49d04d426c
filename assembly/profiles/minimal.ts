// The profile `minimal`: telemetry, client attributes and server-side RPC.
import { ABI_VERSION, Feature } from "../abi";
import * as device from "../thingsboard/device";
import { sendAttributes, sendRpcReply, sendTelemetry } from "../thingsboard/send";

export function abi_version(): i32 {
  return ABI_VERSION;
}

export function features(): i32 {
  let features: i32 = (FEATURE_RAW ? <i32>Feature.Raw : 0) | (FEATURE_ATTRIBUTES ? <i32>Feature.Attributes : 0) | (FEATURE_REQUESTS ? <i32>Feature.Requests : 0);
  features |= (FEATURE_OTA ? <i32>Feature.Ota : 0) | (FEATURE_GATEWAY ? <i32>Feature.Gateway : 0) | (FEATURE_STORE ? <i32>Feature.Store : 0) | (FEATURE_PROVISIONING ? <i32>Feature.Provisioning : 0);
  return features;
}

export function configure(json: usize, length: i32, memoryEnd: usize): i32 {
  return device.configureDevice(json, length, __heap_base, memoryEnd);
}

export { start, disconnect, stop, deadlineMs as deadline_ms, wants, release as event_release } from "../client/connection";
export { poll } from "../thingsboard/device";

export { records } from "../client/records";
export { sendTelemetry as send_telemetry, sendAttributes as send_attributes, sendRpcReply as send_rpc_reply };
