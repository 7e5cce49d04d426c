// The imports that an app may have, by name, in the form of wasm3: result, then parameters; i = i32, I = i64, v = none.

export const APP_IMPORTS: Readonly<Record<string, string>> = {
  send_telemetry: "i(iii)",
  send_attributes: "i(iii)",
  send_rpc_reply: "i(iiii)",
  publish: "i(iiiii)",
  subscribe: "i(iii)",
  unsubscribe: "i(ii)",
  request_attributes: "i(iii)",
  request_rpc: "i(iii)",
  claim: "i(iii)",
  ota_start: "i(i)",
  ota_apply: "i(ii)",
  ota_stop: "i(i)",
  gateway_connect: "i(iii)",
  gateway_disconnect: "i(iii)",
  gateway_telemetry: "i(iii)",
  gateway_attributes: "i(iii)",
  gateway_rpc_reply: "i(iii)",
  gateway_claim: "i(iii)",
  gateway_request_attributes: "i(iii)",
  event_release: "i(i)",
  json_find: "i(iiiii)",
  json_text: "i(iiii)",
  timer: "i(i)",
  now_ms: "I()",
  unix_ms: "I()",
  random_u32: "i()",
  log: "v(iii)",
  io: "i(iii)",
};

/** What an app exports as functions, with their forms. */
export const APP_EXPORTS: Readonly<Record<string, string>> = {
  setup: "v()",
  on_event: "v(ii)",
  event_buffer: "i()",
  event_capacity: "i()",
};
