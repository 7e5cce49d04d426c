// Requests, claims and updates: what a device asks of the server.
#include "client.h"

// For nothing but commas the server would answer with everything.
bool mote_keys_are_empty(const char *keys) {
    return keys[strspn(keys, ",")] == 0;
}

// The module takes the keys as a message, so this one is built like any other.
int32_t mote_request_attributes(mote_t *mote, const char *client_keys, const char *shared_keys, uint32_t timeout_ms) {
    if (client_keys != NULL && *client_keys != 0 && mote_keys_are_empty(client_keys)) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "client_keys", 0);
    if (shared_keys != NULL && *shared_keys != 0 && mote_keys_are_empty(shared_keys)) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "shared_keys", 0);
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    if (client_keys != NULL && *client_keys != 0) mote_add_text(mote, "clientKeys", client_keys);
    if (shared_keys != NULL && *shared_keys != 0) mote_add_text(mote, "sharedKeys", shared_keys);
    return mote_message_request(mote, MOTE_EXPORT_REQUEST_ATTRIBUTES, timeout_ms);
}

int32_t mote_request_rpc(mote_t *mote, const char *method, const char *params, uint32_t timeout_ms) {
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    mote_add_text(mote, "method", method);
    if (params != NULL) mote_add_json(mote, "params", params);
    return mote_message_request(mote, MOTE_EXPORT_REQUEST_RPC, timeout_ms);
}

int32_t mote_claim(mote_t *mote, const char *secret_key, int64_t duration_ms, const mote_publish_options_t *options) {
    if (duration_ms < 0) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "duration_ms", 0);
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    if (secret_key != NULL) mote_add_text(mote, "secretKey", secret_key);
    if (duration_ms > 0) mote_add_integer(mote, "durationMs", duration_ms);
    return mote_message_send(mote, MOTE_EXPORT_CLAIM, options);
}

int32_t mote_forget_credentials(mote_t *mote) {
    return mote_call(mote, MOTE_EXPORT_FORGET_CREDENTIALS, 0, NULL);
}

int32_t mote_ota_start(mote_t *mote, mote_ota_kind_t kind) {
    return mote_call(mote, MOTE_EXPORT_OTA_START, 1, (const uint32_t[]){(uint32_t)kind});
}

int32_t mote_ota_apply(mote_t *mote, mote_ota_kind_t kind, bool accepted) {
    return mote_call(mote, MOTE_EXPORT_OTA_APPLY, 2, (const uint32_t[]){(uint32_t)kind, accepted});
}

int32_t mote_ota_stop(mote_t *mote, mote_ota_kind_t kind) {
    return mote_call(mote, MOTE_EXPORT_OTA_STOP, 1, (const uint32_t[]){(uint32_t)kind});
}
