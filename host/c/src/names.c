// Names and descriptions of the ABI's numbers, from the one table in assembly/abi.ts.
#include "mote.h"

#define NAME_CASE(symbol, name, text) \
    case symbol: return name;
#define TEXT_CASE(symbol, name, text) \
    case symbol: return text;

const char *mote_status_name(int32_t status) {
    switch (status) {
        MOTE_STATUS_LIST(NAME_CASE)
    default: return status > 0 ? "Ok" : "Unknown";
    }
}

const char *mote_status_text(int32_t status) {
    switch (status) {
        MOTE_STATUS_LIST(TEXT_CASE)
    default: return status > 0 ? "done" : "a status that this host does not know";
    }
}

const char *mote_event_name(int32_t kind) {
    switch (kind) {
        MOTE_EVENT_KIND_LIST(NAME_CASE)
    default: return "Unknown";
    }
}

const char *mote_return_code_name(int32_t code) {
    switch (code) {
        MOTE_RETURN_CODE_LIST(NAME_CASE)
    default: return "Unknown";
    }
}

const char *mote_return_code_text(int32_t code) {
    switch (code) {
        MOTE_RETURN_CODE_LIST(TEXT_CASE)
    default: return "a return code that MQTT 3.1.1 does not have";
    }
}

const char *mote_state_name(int32_t state) {
    switch (state) {
        MOTE_STATE_LIST(NAME_CASE)
    default: return "Unknown";
    }
}
