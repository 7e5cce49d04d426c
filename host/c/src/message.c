// Builds a message: packed member records, written straight into the module's staging area. ABI.md section 7.
#include "client.h"
#include "record.h"

static int32_t stick(mote_t *mote, int32_t status, const char *text, uint32_t value) {
    mote->message_status = status;
    mote->message_limit = 0;
    return mote_fail(mote, status, text, (int32_t)value);
}

// Lays any member behind the others: head, key, text. `number` is the length of a text; a NULL text is filled in by the caller.
static __attribute__((noinline)) int32_t add_any(mote_t *mote, uint32_t form, const char *key, size_t key_length, int64_t number,
                                                 const char *text) {
    mote_member_t type = (mote_member_t)(form & 0xff);
    uint32_t text_length = type == MOTE_MEMBER_TEXT || type == MOTE_MEMBER_JSON ? (uint32_t)number : 0;
    if (!mote->message_open) {
        return mote->message_status < 0 ? mote->message_status : mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_begin", 0);
    }
    if (mote->message_status < 0) return mote->message_status;
    if (mote->split.verb != 0) {
        int32_t status = mote_split_room(mote, type, key, key_length, text, text_length);
        if (status < 0) return status;
    }
    uint32_t room = mote->staging_capacity - mote->message_length;
    uint32_t need = mote_member_size(key_length, text_length);
    if (need > room) {
        uint32_t most = (uint32_t)INT32_MAX - mote->message_length;
        return stick(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", mote->message_length + (need < most ? need : most));
    }
    uint8_t *to = mote->memory + mote->staging_address + mote->message_length;
    mote_member_write(to, type, (uint8_t)(form >> 8), key, key_length, number, text, text_length);
    mote->message_length += need;
    return MOTE_STATUS_OK;
}

// The same for a short member that ends before the limit, as most do: all that there is to check is one sum.
static inline int32_t add(mote_t *mote, uint32_t form, const char *key, size_t key_length, int64_t number, const char *text,
                          size_t text_length) {
    uint32_t begin = mote->message_length;
    uint32_t end = begin + MOTE_MEMBER_FIELD_KEY + mote_padded((uint32_t)key_length) + mote_padded((uint32_t)text_length);
    if (key_length > MOTE_SHORT_MAX || text_length > MOTE_SHORT_MAX || end > mote->message_limit) {
        return add_any(mote, form, key, key_length, number, text);
    }
    uint8_t *to = mote_member_begin(mote->memory + mote->staging_address + begin, form, key_length, number);
    mote_copy_short(to, key, key_length);
    if (text != NULL) mote_copy_short(to + mote_padded((uint32_t)key_length), text, text_length);
    mote->message_length = end;
    return MOTE_STATUS_OK;
}

int32_t mote_add_member(mote_t *mote, uint32_t form, const char *key, size_t key_length, int64_t number) {
    return add(mote, form, key, key_length, number, NULL, 0);
}

int32_t mote_add_text_member(mote_t *mote, mote_member_t type, const char *key, size_t key_length, const char *text, size_t text_length) {
    uint32_t length = text_length > UINT32_MAX ? UINT32_MAX : (uint32_t)text_length;
    return add(mote, type, key, key_length, length, text, length);
}

// A text whose bytes the caller fills in; NULL when there is no room.
char *mote_add_text_room(mote_t *mote, const char *key, uint32_t length) {
    if (mote_add_text_member(mote, MOTE_MEMBER_TEXT, key, strlen(key), NULL, length) < 0) return NULL;
    return (char *)mote->memory + mote->staging_address + mote->message_length - mote_padded(length);
}

// ------------------------------------------------------------------ the frame
//
// What callers add lies in an object that the message begins with: `{...}`. A time stamp in front of all members
// makes it an entry of telemetry, `{"ts":...,"values":{...}}`, and a further entry makes a list of them:
// `[{...},{...}]`.

int32_t mote_begin(mote_t *mote) {
    if (mote_is_foreign_task(mote)) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "task", 0);
    if (mote->life != MOTE_LIFE_ALIVE || mote->message_open) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_begin", 0);
    mote->message_open = true;
    mote->message_ready = mote->message_listed = mote->message_stamped = false;
    mote->message_length = 0;
    mote->message_limit = mote->staging_capacity;
    mote->message_status = MOTE_STATUS_OK;
    mote->split.verb = 0;
    return add(mote, MOTE_MEMBER_OBJECT_BEGIN, NULL, 0, 0, NULL, 0);
}

void mote_cancel(mote_t *mote) {
    mote->message_open = false;
    mote->message_limit = 0;
    mote->split.verb = 0;
    mote->message_status = MOTE_STATUS_OK;
}

static bool is_fresh(const mote_t *mote) {
    return mote->message_length == MOTE_MEMBER_FIELD_KEY;
}

static inline int32_t add_end(mote_t *mote) {
    return add(mote, MOTE_MEMBER_END, NULL, 0, 0, NULL, 0);
}

static inline void end_entry(mote_t *mote) {
    add_end(mote);
    if (mote->message_stamped) add_end(mote);
    mote->message_stamped = false;
}

// The first further entry puts the head of the list in front of what is there already.
static int32_t begin_list(mote_t *mote) {
    if (mote->staging_capacity - mote->message_length < MOTE_MEMBER_FIELD_KEY) {
        return stick(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", mote->message_length + MOTE_MEMBER_FIELD_KEY);
    }
    uint8_t *start = mote->memory + mote->staging_address;
    memmove(start + MOTE_MEMBER_FIELD_KEY, start, mote->message_length);
    memset(start, 0, MOTE_MEMBER_FIELD_KEY);
    start[MOTE_MEMBER_FIELD_TYPE] = MOTE_MEMBER_ARRAY_BEGIN;
    mote->message_length += MOTE_MEMBER_FIELD_KEY;
    mote->message_listed = true;
    return MOTE_STATUS_OK;
}

int32_t mote_entry(mote_t *mote) {
    if (mote->message_open && mote->split.verb != 0) return mote_split_entry(mote, false, 0, NULL);
    if (!mote->message_open || mote->message_status < 0 || is_fresh(mote)) {
        return mote->message_open ? mote->message_status : mote_object_begin(mote, NULL);
    }
    if (!mote->message_listed && begin_list(mote) < 0) return mote->message_status;
    end_entry(mote);
    return mote_object_begin(mote, NULL);
}

int32_t mote_timestamp(mote_t *mote, int64_t unix_ms) {
    return mote_connector_timestamp(mote, unix_ms, NULL);
}

int32_t mote_connector_timestamp(mote_t *mote, int64_t unix_ms, const mote_connector_t *connector) {
    if (mote->message_open && mote->split.verb != 0) return mote_split_entry(mote, true, unix_ms, connector);
    int32_t status = mote_entry(mote);
    if (status < 0) return status;
    mote_add_integer(mote, "ts", unix_ms);
    mote->message_stamped = true;
    if (connector != NULL) {
        mote_object_begin(mote, "metadata");
        mote_add_text(mote, "connector", connector->name);
        mote_add_integer(mote, "receivedTs", connector->received_ms);
        mote_add_integer(mote, "publishedTs", connector->published_ms);
        add_end(mote);
    }
    return mote_object_begin(mote, "values");
}

// Ready JSON is the whole message: it takes the place of the object.
int32_t mote_document(mote_t *mote, const char *json, size_t length) {
    if (mote->message_open && mote->split.verb != 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_end", 0);
    if (mote->message_open && mote->message_status >= 0) {
        if (!is_fresh(mote)) return stick(mote, MOTE_STATUS_BAD_STATE, "mote_document", 0);
        mote->message_length = 0;
    }
    int32_t status = mote_add_text_member(mote, MOTE_MEMBER_JSON, NULL, 0, json, length);
    if (status >= 0) mote->message_ready = true;
    return status;
}

int32_t mote_message_end(mote_t *mote) {
    int32_t status = mote->message_status;
    if (!mote->message_open) {
        if (status >= 0) status = mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_begin", 0);
    } else {
        if (mote->split.verb != 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_end", 0);
        if (!mote->message_ready) {
            end_entry(mote);
            if (mote->message_listed) add_end(mote);
        }
        status = mote->message_status;
    }
    mote->message_open = mote->message_ready = false;
    mote->message_limit = 0;
    mote->message_status = MOTE_STATUS_OK;
    return status;
}

// ---------------------------------------------------------------------- verbs

static int32_t close_options(mote_t *mote, const mote_publish_options_t *options, uint32_t *out_options) {
    if (options == NULL) return MOTE_STATUS_OK;
    *out_options = mote_options_write(mote, mote->message_length, options);
    if (*out_options == 0) {
        return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", (int32_t)(mote->message_length + MOTE_OPTION_FIELD_END));
    }
    return MOTE_STATUS_OK;
}

// What leaves in pieces was cut already.
static int32_t check_points(mote_t *mote, mote_export_t verb) {
    bool of_children = verb == MOTE_EXPORT_GATEWAY_TELEMETRY || verb == MOTE_EXPORT_GATEWAY_ATTRIBUTES;
    bool counts = of_children || verb == MOTE_EXPORT_SEND_TELEMETRY || verb == MOTE_EXPORT_SEND_ATTRIBUTES;
    return counts && mote->split.verb == 0 ? mote_points_check(mote, mote->message_length, of_children) : MOTE_STATUS_OK;
}

// Queues a message that is closed already.
int32_t mote_message_publish(mote_t *mote, mote_export_t verb, const mote_publish_options_t *options) {
    uint32_t record = 0;
    int32_t status = mote->points_told != 0 ? check_points(mote, verb) : MOTE_STATUS_OK;
    if (status >= 0) status = close_options(mote, options, &record);
    if (status < 0) return status;
    return mote_queued(mote, mote_call(mote, verb, 2, (const uint32_t[]){mote->message_length, record}));
}

int32_t mote_message_send(mote_t *mote, mote_export_t verb, const mote_publish_options_t *options) {
    int32_t status = mote_message_end(mote);
    return status < 0 ? status : mote_message_publish(mote, verb, options);
}

int32_t mote_message_request(mote_t *mote, mote_export_t verb, uint32_t timeout_ms) {
    int32_t status = mote_message_end(mote);
    if (verb == MOTE_EXPORT_REQUEST_RPC) mote->has_asked_rpc = true;
    return status < 0 ? status : mote_call(mote, verb, 2, (const uint32_t[]){mote->message_length, timeout_ms});
}

int32_t mote_send_telemetry(mote_t *mote, const mote_publish_options_t *options) {
    return mote_message_send(mote, MOTE_EXPORT_SEND_TELEMETRY, options);
}

int32_t mote_send_attributes(mote_t *mote, const mote_publish_options_t *options) {
    return mote_message_send(mote, MOTE_EXPORT_SEND_ATTRIBUTES, options);
}

int32_t mote_send_rpc_reply(mote_t *mote, int32_t request_id, const mote_publish_options_t *options) {
    uint32_t record = 0;
    int32_t status = mote_message_end(mote);
    if (status >= 0) status = close_options(mote, options, &record);
    if (status < 0) return status;
    const uint32_t values[] = {(uint32_t)request_id, mote->message_length, record};
    return mote_queued(mote, mote_call(mote, MOTE_EXPORT_SEND_RPC_REPLY, 3, values));
}
