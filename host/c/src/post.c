// Messages from other tasks: whole records in a queue of the caller's memory, sent by the task that polls.
//
//   entry  u16 length of the record, u8 what it is, u8 0, then the record, padded to four
#include "client.h"
#include "record.h"

#define HEADER 4

enum { TELEMETRY, ATTRIBUTES };

static int32_t add_member(mote_post_t *post, mote_member_t type, uint8_t digits, const char *key, int64_t number, const char *text, size_t length) {
    if (post->status < 0) return post->status;
    size_t key_length = key != NULL ? strlen(key) : 0;
    // When the module says so, who posted it does not hear it any more.
    if (!mote_is_utf8(key, key_length) || !mote_is_utf8(text, length)) return post->status = MOTE_STATUS_INVALID_UTF8;
    uint32_t need = mote_member_size(key_length, length);
    if (need > post->capacity - post->length) return post->status = MOTE_STATUS_TOO_LARGE;
    mote_member_write(post->bytes + post->length, type, digits, key, key_length, number, text, length);
    post->length += need;
    return MOTE_STATUS_OK;
}

void mote_post_begin(mote_post_t *post, void *buffer, size_t capacity) {
    *post = (mote_post_t){.bytes = buffer, .capacity = capacity > UINT16_MAX ? UINT16_MAX : (uint32_t)capacity};
    add_member(post, MOTE_MEMBER_OBJECT_BEGIN, 0, NULL, 0, NULL, 0);
}

int32_t mote_post_boolean(mote_post_t *post, const char *key, bool value) {
    return add_member(post, value ? MOTE_MEMBER_TRUE : MOTE_MEMBER_FALSE, 0, key, 0, NULL, 0);
}

int32_t mote_post_integer(mote_post_t *post, const char *key, int64_t value) {
    return add_member(post, MOTE_MEMBER_INTEGER, 0, key, value, NULL, 0);
}

int32_t mote_post_decimal(mote_post_t *post, const char *key, int64_t mantissa, uint8_t decimals) {
    return add_member(post, MOTE_MEMBER_DECIMAL, decimals, key, mantissa, NULL, 0);
}

int32_t mote_post_text(mote_post_t *post, const char *key, const char *text) {
    size_t length = strlen(text);
    return add_member(post, MOTE_MEMBER_TEXT, 0, key, (int64_t)length, text, length);
}

int32_t mote_post_json(mote_post_t *post, const char *key, const char *json) {
    size_t length = strlen(json);
    return add_member(post, MOTE_MEMBER_JSON, 0, key, (int64_t)length, json, length);
}

// ---------------------------------------------------------------------- queue

static void lock(mote_t *mote) {
    mote_port_t *port = mote->options.port;
    if (port->functions->lock != NULL) port->functions->lock(port);
}

static void unlock(mote_t *mote) {
    mote_port_t *port = mote->options.port;
    if (port->functions->unlock != NULL) port->functions->unlock(port);
}

static int32_t put(mote_t *mote, const mote_post_t *post, uint8_t what) {
    uint32_t size = HEADER + post->length;
    if (size > mote->options.post_buffer_size) return MOTE_STATUS_TOO_LARGE;
    lock(mote);
    bool fits = size <= mote->options.post_buffer_size - mote->posts_length;
    if (fits) {
        uint8_t *to = (uint8_t *)mote->options.post_buffer + mote->posts_length;
        to[0] = (uint8_t)post->length;
        to[1] = (uint8_t)(post->length >> 8);
        to[2] = what;
        to[3] = 0;
        memcpy(to + HEADER, post->bytes, post->length);
        mote->posts_length += size;
    } else {
        mote->posts_refused++;
    }
    unlock(mote);
    if (fits) mote_wake(mote);
    return fits ? MOTE_STATUS_OK : MOTE_STATUS_FULL;
}

static int32_t finish(mote_t *mote, mote_post_t *post, uint8_t what) {
    int32_t status = add_member(post, MOTE_MEMBER_END, 0, NULL, 0, NULL, 0);
    if (status < 0) return status;
    status = put(mote, post, what);
    if (status == MOTE_STATUS_OK) post->status = MOTE_STATUS_BAD_STATE; // it has been posted
    else post->length -= MOTE_MEMBER_FIELD_KEY;                         // the same may be tried again
    return status;
}

int32_t mote_post_telemetry(mote_t *mote, mote_post_t *post) {
    return finish(mote, post, TELEMETRY);
}

int32_t mote_post_attributes(mote_t *mote, mote_post_t *post) {
    return finish(mote, post, ATTRIBUTES);
}

uint32_t mote_posts_refused(const mote_t *mote) {
    return mote->posts_refused;
}

// Sends the oldest one. False when it has to wait, or when there is none. Only this task takes entries away, so the first one
// stays where it is while the module reads a copy.
static bool send_first(mote_t *mote) {
    lock(mote);
    uint8_t *entry = mote->options.post_buffer;
    bool any = mote->posts_length > 0;
    uint32_t length = any ? (uint32_t)entry[0] | (uint32_t)entry[1] << 8 : 0;
    uint8_t what = any ? entry[2] : 0;
    bool fits = length <= mote->staging_capacity;
    if (any && fits) memcpy(mote->memory + mote->staging_address, entry + HEADER, length);
    unlock(mote);
    if (!any) return false;
    int32_t result = MOTE_STATUS_TOO_LARGE;
    if (fits) {
        mote->message_length = length;
        result = mote_message_publish(mote, what == TELEMETRY ? MOTE_EXPORT_SEND_TELEMETRY : MOTE_EXPORT_SEND_ATTRIBUTES, NULL);
    }
    if (result == MOTE_STATUS_FULL || result == MOTE_STATUS_TRAPPED) return false;
    lock(mote);
    mote->posts_length -= HEADER + length;
    memmove(entry, entry + HEADER + length, mote->posts_length);
    if (result < 0) mote->posts_refused++;
    unlock(mote);
    if (result < 0) mote_log(mote, MOTE_LOG_LEVEL_WARNING, "a posted message was refused");
    return true;
}

void mote_posts_send(mote_t *mote) {
    if (mote->message_open || mote->life != MOTE_LIFE_ALIVE) return;
    while (send_first(mote)) {}
}
