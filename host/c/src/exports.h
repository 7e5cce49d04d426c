// The exports of ABI.md as one list: X(symbol, name, arguments, required).
#ifndef MOTE_EXPORTS_H
#define MOTE_EXPORTS_H

#define MOTE_EXPORTS(X)                                 \
    X(ABI_VERSION, abi_version, 0, true)                \
    X(FEATURES, features, 0, true)                      \
    X(CONFIGURE, configure, 3, true)                    \
    X(START, start, 0, true)                            \
    X(DISCONNECT, disconnect, 0, true)                  \
    X(STOP, stop, 0, true)                              \
    X(POLL, poll, 0, true)                              \
    X(DEADLINE_MS, deadline_ms, 0, true)                \
    X(WANTS, wants, 0, true)                            \
    X(EVENT_RELEASE, event_release, 1, true)            \
    X(RECORDS, records, 0, true)                        \
    X(SEND_TELEMETRY, send_telemetry, 2, false)         \
    X(SEND_ATTRIBUTES, send_attributes, 2, false)       \
    X(SEND_RPC_REPLY, send_rpc_reply, 3, false)         \
    X(PUBLISH, publish, 5, false)                       \
    X(SUBSCRIBE, subscribe, 3, false)                   \
    X(UNSUBSCRIBE, unsubscribe, 2, false)               \
    X(REQUEST_ATTRIBUTES, request_attributes, 2, false) \
    X(REQUEST_RPC, request_rpc, 2, false)               \
    X(CLAIM, claim, 2, false)                           \
    X(FORGET_CREDENTIALS, forget_credentials, 0, false) \
    X(OTA_START, ota_start, 1, false)                   \
    X(OTA_APPLY, ota_apply, 2, false)                   \
    X(OTA_STOP, ota_stop, 1, false)                     \
    X(GATEWAY_CONNECT, gateway_connect, 2, false)       \
    X(GATEWAY_DISCONNECT, gateway_disconnect, 2, false) \
    X(GATEWAY_TELEMETRY, gateway_telemetry, 2, false)   \
    X(GATEWAY_ATTRIBUTES, gateway_attributes, 2, false) \
    X(GATEWAY_RPC_REPLY, gateway_rpc_reply, 2, false)   \
    X(GATEWAY_CLAIM, gateway_claim, 2, false)           \
    X(GATEWAY_REQUEST_ATTRIBUTES, gateway_request_attributes, 2, false) \
    X(JSON_FIND, json_find, 4, false)                   \
    X(JSON_TEXT, json_text, 4, false)

typedef enum mote_export {
#define MOTE_EXPORT_SYMBOL(symbol, name, arguments, required) MOTE_EXPORT_##symbol,
    MOTE_EXPORTS(MOTE_EXPORT_SYMBOL)
#undef MOTE_EXPORT_SYMBOL
    MOTE_EXPORT_COUNT
} mote_export_t;

#endif
