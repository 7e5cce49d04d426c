// What an app may import, as one list: X(name, form of wasm3, how it is run). assembly/app/ABI.md section 3 says what each means.
#ifndef MOTE_APP_VERBS_H
#define MOTE_APP_VERBS_H

#include "mote_app.h"

#define MOTE_APP_VERBS(X)                            \
    X(send_telemetry, "i(iii)", MESSAGE)             \
    X(send_attributes, "i(iii)", MESSAGE)            \
    X(send_rpc_reply, "i(iiii)", REPLY)              \
    X(publish, "i(iiiii)", PUBLISH)                  \
    X(subscribe, "i(iii)", SUBSCRIBE)                \
    X(unsubscribe, "i(ii)", UNSUBSCRIBE)             \
    X(request_attributes, "i(iii)", REQUEST)         \
    X(request_rpc, "i(iii)", REQUEST)                \
    X(claim, "i(iii)", MESSAGE)                      \
    X(ota_start, "i(i)", NUMBER)                     \
    X(ota_apply, "i(ii)", TWO_NUMBERS)               \
    X(ota_stop, "i(i)", NUMBER)                      \
    X(gateway_connect, "i(iii)", MESSAGE)            \
    X(gateway_disconnect, "i(iii)", MESSAGE)         \
    X(gateway_telemetry, "i(iii)", MESSAGE)          \
    X(gateway_attributes, "i(iii)", MESSAGE)         \
    X(gateway_rpc_reply, "i(iii)", MESSAGE)          \
    X(gateway_claim, "i(iii)", MESSAGE)              \
    X(gateway_request_attributes, "i(iii)", REQUEST) \
    X(event_release, "i(i)", RELEASE)                \
    X(json_find, "i(iiiii)", JSON_FIND)              \
    X(json_text, "i(iiii)", JSON_TEXT)               \
    X(timer, "i(i)", TIMER)                          \
    X(now_ms, "I()", NOW)                            \
    X(unix_ms, "I()", UNIX)                          \
    X(random_u32, "i()", RANDOM)                     \
    X(log, "v(iii)", LOG)                            \
    X(io, "i(iii)", IO)                              \
    X(error_value, "i()", ERROR_VALUE)               \
    X(error_text, "i(ii)", ERROR_TEXT)               \
    X(points_max, "i(i)", POINTS_MAX)                \
    X(children_max, "i()", CHILDREN_MAX)             \
    X(state, "i()", STATE)                           \
    X(stat, "I(i)", STAT)                            \
    X(features, "i()", FEATURES)

typedef enum mote_app_verb {
#define MOTE_APP_VERB_SYMBOL(name, form, run) MOTE_APP_VERB_##name,
    MOTE_APP_VERBS(MOTE_APP_VERB_SYMBOL)
#undef MOTE_APP_VERB_SYMBOL
} mote_app_verb_t;

// Runs an import: the arguments lie in the low halves of the slots.
int64_t mote_app_verb(mote_app_t *app, mote_app_verb_t verb, const uint64_t *arguments);

#endif
