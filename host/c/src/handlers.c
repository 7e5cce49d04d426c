// Handlers by verb: one for each RPC method and for each shared attribute.
#include "client.h"

#define REQUEST_TIMEOUT_MS 20000

// ------------------------------------------------------------------------ RPC

static bool answer_rpc(mote_t *mote, const mote_event_t *event) {
    const mote_rpc_method_t *method = mote->options.rpc_methods;
    const mote_rpc_method_t *end = method + mote->options.rpc_method_count;
    while (method < end && !mote_span_equals(event->name, method->method)) method++;
    if (method >= end) return false;
    int32_t id = event->id;
    int32_t status = mote_begin(mote);
    if (status < 0) return false;
    status = method->handle(mote, event, mote->options.user);
    if (status == MOTE_RPC_LATER) {
        mote_cancel(mote);
        return true;
    }
    if (status < 0) {
        mote_cancel(mote);
        mote_begin(mote);
        mote_add_text(mote, "error", mote_status_name(status));
    }
    if (mote_send_rpc_reply(mote, id, NULL) >= 0) return true;
    mote_cancel(mote);
    mote_log(mote, MOTE_LOG_LEVEL_WARNING, "a reply to an RPC was refused");
    mote_release(mote, false); // with `redeliver` the server asks again
    return true;
}

// ----------------------------------------------------------- shared attributes

// A handler may have stopped the client, or a verb in it trapped: who asks then finds nothing, and knows nothing.
static bool is_over(const mote_t *mote) {
    return mote->life != MOTE_LIFE_ALIVE || mote->event.kind == MOTE_EVENT_NONE;
}

static void tell(mote_t *mote, const mote_shared_attribute_t *attribute, const mote_json_t *value) {
    if (!is_over(mote)) attribute->handle(mote, attribute->key, value, mote->options.user);
}

// Tells of each key that stands in the object, and with `absent_too` of those that do not.
static void tell_found(mote_t *mote, mote_span_t object, bool absent_too) {
    for (uint32_t i = 0; i < mote->options.shared_attribute_count; i++) {
        const mote_shared_attribute_t *attribute = &mote->options.shared_attributes[i];
        mote_json_t value;
        int32_t type = mote_json_find(mote, object, attribute->key, &value);
        if (type >= 0) tell(mote, attribute, &value);
        else if (absent_too && type == MOTE_STATUS_NOT_FOUND) tell(mote, attribute, NULL);
    }
}

static void write_number(uint32_t number, char *out) {
    char digits[10];
    uint32_t count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) *out++ = digits[--count];
    *out = 0;
}

static void tell_deleted(mote_t *mote, mote_span_t payload) {
    mote_json_t list;
    if (mote_json_find(mote, payload, "deleted", &list) != MOTE_JSON_TYPE_ARRAY) return;
    char path[12];
    for (uint32_t index = 0; index < 65536; index++) {
        mote_json_t key;
        write_number(index, path);
        if (mote_json_find(mote, list.text, path, &key) < 0) return;
        for (uint32_t i = 0; i < mote->options.shared_attribute_count; i++) {
            const mote_shared_attribute_t *attribute = &mote->options.shared_attributes[i];
            if (mote_span_equals(key.text, attribute->key)) tell(mote, attribute, NULL);
        }
    }
}

// Asks for all keys that have a handler, joined by commas.
static int32_t request_all(mote_t *mote) {
    uint32_t length = 0;
    for (uint32_t i = 0; i < mote->options.shared_attribute_count; i++) length += (uint32_t)strlen(mote->options.shared_attributes[i].key) + 1;
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    char *to = mote_add_text_room(mote, "sharedKeys", length - 1);
    for (uint32_t i = 0; to != NULL && i < mote->options.shared_attribute_count; i++) {
        const char *key = mote->options.shared_attributes[i].key;
        size_t key_length = strlen(key);
        if (i > 0) *to++ = ',';
        memcpy(to, key, key_length);
        to += key_length;
    }
    return mote_message_request(mote, MOTE_EXPORT_REQUEST_ATTRIBUTES, REQUEST_TIMEOUT_MS);
}

void mote_handlers_request(mote_t *mote) {
    if (mote->message_open || mote->state != MOTE_STATE_CONNECTED) return;
    int32_t id = request_all(mote);
    if (id == MOTE_STATUS_FULL) return; // asked again at a later poll
    mote->attributes_wanted = false;
    mote->attributes_request = id > 0 ? id : 0;
    if (id < 0) mote_log(mote, MOTE_LOG_LEVEL_WARNING, "shared attributes could not be requested");
}

static bool is_own_request(const mote_t *mote, const mote_event_t *event) {
    return mote->attributes_request != 0 && event->id == mote->attributes_request;
}

// True when a handler took the event.
bool mote_handlers_take(mote_t *mote, const mote_event_t *event) {
    if (event->kind == MOTE_EVENT_RPC_REQUEST) return answer_rpc(mote, event);
    if (mote->options.shared_attribute_count == 0) return false;
    switch ((int)event->kind) {
    case MOTE_EVENT_RESTARTED:
        mote->attributes_request = 0; // the ids begin again
        return false;
    case MOTE_EVENT_CONNECTED:
        mote->attributes_wanted = true; // what changed meanwhile was told to nobody
        return false;
    case MOTE_EVENT_SHARED_ATTRIBUTES:
        tell_deleted(mote, event->payload);
        tell_found(mote, event->payload, false);
        return false;
    case MOTE_EVENT_ATTRIBUTES_RESPONSE: {
        if (!is_own_request(mote, event)) return false;
        mote_json_t shared = {MOTE_JSON_TYPE_OBJECT, {event->payload.data, 0}};
        mote->attributes_request = 0;
        bool any = mote_json_find(mote, event->payload, "shared", &shared) >= 0;
        if (any) tell_found(mote, shared.text, true);
        else for (uint32_t i = 0; i < mote->options.shared_attribute_count; i++) tell(mote, &mote->options.shared_attributes[i], NULL);
        return true;
    }
    case MOTE_EVENT_REQUEST_TIMEOUT:
        if (!is_own_request(mote, event)) return false;
        mote->attributes_wanted = true;
        return true;
    default: return false;
    }
}
