// The one home of the ThingsBoard topics (Device API).
import { utf8 } from "../base/text";

export const TELEMETRY = utf8("v1/devices/me/telemetry");
export const ATTRIBUTES = utf8("v1/devices/me/attributes");
export const ATTRIBUTES_REQUEST = utf8("v1/devices/me/attributes/request/");
export const ATTRIBUTES_RESPONSE = utf8("v1/devices/me/attributes/response/");
export const ATTRIBUTES_RESPONSE_FILTER = utf8("v1/devices/me/attributes/response/+");
export const RPC_REQUEST = utf8("v1/devices/me/rpc/request/");
export const RPC_REQUEST_FILTER = utf8("v1/devices/me/rpc/request/+");
export const RPC_RESPONSE = utf8("v1/devices/me/rpc/response/");
