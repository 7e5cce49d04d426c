// The profile `device`: `minimal`, raw publish and subscribe, attribute requests and shared attribute updates.
export * from "./minimal";
export { publishRaw as publish } from "../client/raw";
export { subscribe, unsubscribe } from "../client/subscribe";
export { requestAttributes as request_attributes } from "../thingsboard/request";
export { find as json_find } from "../json/find";
export { putUnescapedTo as json_text } from "../json/unescape";
