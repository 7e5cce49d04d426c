// The profile `device`: `minimal`, raw publish and subscribe, requests of the device, shared attribute updates and claiming.
export * from "./minimal";
export { publishRaw as publish } from "../client/raw";
export { subscribe, unsubscribe } from "../client/subscribe";
export { requestAttributes as request_attributes, requestRpc as request_rpc } from "../thingsboard/request";
export { claim } from "../thingsboard/send";
export { forgetCredentials as forget_credentials } from "../thingsboard/provision";
export { find as json_find } from "../json/find";
export { putUnescapedTo as json_text } from "../json/unescape";
export { otaStart as ota_start, otaApply as ota_apply, otaStop as ota_stop } from "../thingsboard/ota";
