// The profile `gateway`: `device` and the Gateway API for children that have no connection of their own.
export * from "./device";
export { connectChild as gateway_connect, disconnectChild as gateway_disconnect } from "../thingsboard/gateway/children";
export {
  sendChildTelemetry as gateway_telemetry, sendChildAttributes as gateway_attributes, claimChildren as gateway_claim, sendChildRpcReply as gateway_rpc_reply,
  requestChildAttributes as gateway_request_attributes,
} from "../thingsboard/gateway/send";
