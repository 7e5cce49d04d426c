// The gateway's verbs: what was built for a child is wrapped in the document of its topic when it is sent.
#include "client.h"
#include "record.h"

int32_t mote_gateway_connect(mote_t *mote, const char *device, const char *type, const mote_publish_options_t *options) {
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    mote_add_text(mote, "device", device);
    if (type != NULL) mote_add_text(mote, "type", type);
    return mote_message_send(mote, MOTE_EXPORT_GATEWAY_CONNECT, options);
}

int32_t mote_gateway_disconnect(mote_t *mote, const char *device, const mote_publish_options_t *options) {
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    mote_add_text(mote, "device", device);
    return mote_message_send(mote, MOTE_EXPORT_GATEWAY_DISCONNECT, options);
}

static uint8_t *start_of(const mote_t *mote) {
    return mote->memory + mote->staging_address;
}

// Whether a frame of so many bytes and the name of a child still fit around the message.
static int32_t check_frame(mote_t *mote, const char *device, uint32_t frame) {
    size_t length = strlen(device);
    if (length > UINT16_MAX) return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "device", (int32_t)(length < INT32_MAX ? length : INT32_MAX));
    uint32_t needed = mote->message_length + mote_padded((uint32_t)length) + frame;
    if (needed > mote->staging_capacity) return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", (int32_t)needed);
    return MOTE_STATUS_OK;
}

static void open_gap(mote_t *mote, uint32_t at, uint32_t size) {
    memmove(start_of(mote) + at + size, start_of(mote) + at, mote->message_length - at);
    mote->message_length += size;
}

// Returns where it ends.
static uint32_t insert(mote_t *mote, uint32_t at, mote_member_t type, const char *key, int64_t number, const char *text) {
    size_t key_length = strlen(key);
    size_t text_length = text != NULL ? strlen(text) : 0;
    uint32_t size = mote_member_size(key_length, text_length);
    open_gap(mote, at, size);
    mote_member_write(start_of(mote) + at, type, 0, key, key_length, number, text, text_length);
    return at + size;
}

// Names the value that the message is: the outermost value has a key too, which is empty.
static void name_value(mote_t *mote, const char *key) {
    size_t length = strlen(key);
    open_gap(mote, MOTE_MEMBER_FIELD_KEY, mote_padded((uint32_t)length));
    uint8_t *head = start_of(mote);
    head[MOTE_MEMBER_FIELD_KEY_LENGTH] = (uint8_t)length;
    head[MOTE_MEMBER_FIELD_KEY_LENGTH + 1] = (uint8_t)(length >> 8);
    memcpy(head + MOTE_MEMBER_FIELD_KEY, key, length);
}

static void end(mote_t *mote) {
    insert(mote, mote->message_length, MOTE_MEMBER_END, "", 0, NULL);
}

// True when the message is a list already: laid out as one, or ready text that begins so.
static bool is_list(const mote_t *mote) {
    const uint8_t *head = start_of(mote);
    if (head[MOTE_MEMBER_FIELD_TYPE] != MOTE_MEMBER_JSON) return head[MOTE_MEMBER_FIELD_TYPE] == MOTE_MEMBER_ARRAY_BEGIN;
    const uint8_t *text = head + MOTE_MEMBER_FIELD_KEY;
    while (text < head + mote->message_length && (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')) text++;
    return text < head + mote->message_length && *text == '[';
}

// {device: value}, or for telemetry {device: [value, ...]}.
static int32_t send_wrapped(mote_t *mote, mote_export_t verb, const char *device, bool listed, const mote_publish_options_t *options) {
    int32_t status = mote_message_end(mote);
    if (status < 0) return status;
    bool add_list = listed && !is_list(mote);
    status = check_frame(mote, device, (add_list ? 4 : 2) * MOTE_MEMBER_FIELD_KEY);
    if (status < 0) return status;
    if (add_list) {
        insert(mote, 0, MOTE_MEMBER_ARRAY_BEGIN, device, 0, NULL);
        end(mote);
    } else {
        name_value(mote, device);
    }
    insert(mote, 0, MOTE_MEMBER_OBJECT_BEGIN, "", 0, NULL);
    end(mote);
    return mote_message_publish(mote, verb, options);
}

int32_t mote_gateway_telemetry(mote_t *mote, const char *device, const mote_publish_options_t *options) {
    return send_wrapped(mote, MOTE_EXPORT_GATEWAY_TELEMETRY, device, true, options);
}

int32_t mote_gateway_attributes(mote_t *mote, const char *device, const mote_publish_options_t *options) {
    return send_wrapped(mote, MOTE_EXPORT_GATEWAY_ATTRIBUTES, device, false, options);
}

int32_t mote_gateway_rpc_reply(mote_t *mote, const char *device, int32_t request_id, const mote_publish_options_t *options) {
    const uint32_t keys = mote_padded(sizeof "data" - 1) + mote_padded(sizeof "device" - 1) + mote_padded(sizeof "id" - 1);
    int32_t status = mote_message_end(mote);
    if (status >= 0) status = check_frame(mote, device, keys + 4 * MOTE_MEMBER_FIELD_KEY);
    if (status < 0) return status;
    name_value(mote, "data");
    uint32_t at = insert(mote, 0, MOTE_MEMBER_OBJECT_BEGIN, "", 0, NULL);
    at = insert(mote, at, MOTE_MEMBER_TEXT, "device", (int64_t)strlen(device), device);
    insert(mote, at, MOTE_MEMBER_INTEGER, "id", request_id, NULL);
    end(mote);
    return mote_message_publish(mote, MOTE_EXPORT_GATEWAY_RPC_REPLY, options);
}

int32_t mote_gateway_claim(mote_t *mote, const char *device, const char *secret_key, int64_t duration_ms,
                           const mote_publish_options_t *options) {
    if (duration_ms < 0) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "duration_ms", 0);
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    mote_object_begin(mote, device);
    if (secret_key != NULL) mote_add_text(mote, "secretKey", secret_key);
    if (duration_ms > 0) mote_add_integer(mote, "durationMs", duration_ms);
    mote_object_end(mote);
    return mote_message_send(mote, MOTE_EXPORT_GATEWAY_CLAIM, options);
}

// The module writes the request id into the first member. Without keys the server would answer with everything of both scopes.
int32_t mote_gateway_request_attributes(mote_t *mote, const char *device, mote_scope_t scope, const char *keys, uint32_t timeout_ms) {
    if (keys == NULL || mote_keys_are_empty(keys)) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "keys", 0);
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    mote_add_integer(mote, "id", 0);
    mote_add_text(mote, "device", device);
    mote_add_boolean(mote, "client", scope == MOTE_SCOPE_CLIENT);
    mote_array_begin(mote, "keys");
    while (*keys != 0) {
        uint32_t length = (uint32_t)strcspn(keys, ",");
        if (length > 0) mote_add_text_span(mote, NULL, (mote_span_t){keys, length});
        keys += length + (keys[length] == ',');
    }
    mote_array_end(mote);
    return mote_message_request(mote, MOTE_EXPORT_GATEWAY_REQUEST_ATTRIBUTES, timeout_ms);
}
