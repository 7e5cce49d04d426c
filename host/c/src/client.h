// What the rooms of the client face share. Nothing outside host/c/src includes it.
#ifndef MOTE_CLIENT_H
#define MOTE_CLIENT_H

#include <string.h>

#include "exports.h"
#include "mote.h"

// Lives of an instance.
enum {
    MOTE_LIFE_NONE,   // mote_init() has not succeeded
    MOTE_LIFE_ALIVE,  // calls go through
    MOTE_LIFE_BROKEN, // trapped; mote_poll() builds another
    MOTE_LIFE_FAILED, // trapped too often
};

// instance.c
int32_t mote_instance_build(mote_t *mote);
void mote_instance_discard(mote_t *mote);
int32_t mote_call(mote_t *mote, mote_export_t which, uint32_t arguments, const uint32_t values[]);

// mote.c
void mote_log(mote_t *mote, uint32_t level, const char *text);
void mote_log_span(mote_t *mote, uint32_t level, mote_span_t text);

// supervise.c
void mote_supervise_trapped(mote_t *mote, const char *fault);
void mote_supervise_again(mote_t *mote);
int32_t mote_supervise(mote_t *mote);
uint32_t mote_supervise_due_in_ms(const mote_t *mote);
void mote_connection_close(mote_t *mote);

// events.c
bool mote_event_read(mote_t *mote, int32_t kind);
void mote_event_dispatch(mote_t *mote);

// config.c
uint32_t mote_config_length(const char *config, size_t length);
void mote_config_copy(const char *config, size_t length, char *to);
uint32_t mote_config_unsigned(const char *config, size_t length, const char *key, uint32_t fallback);

// What is wrong with the first object of the host, which the module does not get to see, and its key; Ok when all are JSON.
int32_t mote_config_check(const char *config, size_t length, const char **out_key);

// Members of an object, or elements of a list, one after the other; `*ref_at` is 0 before the first.
bool mote_config_next(const char *json, size_t length, size_t *ref_at, mote_span_t *out_key, mote_span_t *out_value);

// points.c
// Of whose data points the server has told a limit.
enum { MOTE_TOLD_OWN = 1, MOTE_TOLD_CHILDREN = 2 };
// Refuses the message that is staged when it has more data points than the server ever takes, for the device or for children.
int32_t mote_points_check(mote_t *mote, uint32_t length, bool of_children);

// publish.c
// Who declared a filter: the firmware, the app beside it, or both.
enum { MOTE_OWNER_CLIENT = 1, MOTE_OWNER_APP = 2 };
int32_t mote_subscription_add(mote_t *mote, mote_span_t filter, uint8_t qos, uint8_t owner);
int32_t mote_subscription_remove(mote_t *mote, mote_span_t filter, uint8_t owner);
void mote_subscriptions_end(mote_t *mote, uint8_t owner);
void mote_subscriptions_restore(mote_t *mote);
uint32_t mote_subscriptions_size(const mote_t *mote);
uint32_t mote_options_write(mote_t *mote, uint32_t offset, const mote_publish_options_t *options);

// json_check.c
// Ok for one JSON text, or InvalidUtf8, TooDeep or Malformed; `depth` objects and arrays are open around it, fewer than MOTE_JSON_DEPTH_MAX.
int32_t mote_json_check(const char *text, size_t length, uint32_t depth);

// requests.c
bool mote_keys_are_empty(const char *keys);

// handlers.c
bool mote_handlers_take(mote_t *mote, const mote_event_t *event);
void mote_handlers_request(mote_t *mote);

// utf8.c
bool mote_is_utf8(const char *text, size_t length);

// post.c
void mote_posts_send(mote_t *mote);

// split.c, split_limits.c
// Bytes of JSON text that one message may have, by what, and the bytes that this counts besides them.
typedef struct mote_split_limit {
    const char *name;
    uint32_t most, besides;
} mote_split_limit_t;
mote_split_limit_t mote_split_json_max(const mote_t *mote);
int32_t mote_split_room(mote_t *mote, mote_member_t type, const char *key, size_t key_length, const char *text, uint32_t text_length);
void mote_split_configure(mote_t *mote);
void mote_split_learn(mote_t *mote, const mote_event_t *event);
uint32_t mote_split_points_max(const mote_t *mote, bool of_child);
uint32_t mote_split_children_max(const mote_t *mote);
int32_t mote_split_entry(mote_t *mote, bool stamped, int64_t unix_ms, const mote_connector_t *connector);

// message.c
char *mote_add_text_room(mote_t *mote, const char *key, uint32_t length);
int32_t mote_message_end(mote_t *mote);
int32_t mote_message_publish(mote_t *mote, mote_export_t verb, const mote_publish_options_t *options);
int32_t mote_message_send(mote_t *mote, mote_export_t verb, const mote_publish_options_t *options);
int32_t mote_message_request(mote_t *mote, mote_export_t verb, uint32_t timeout_ms);

// Bytes that a subscription takes in the outbox: heads, filter, QoS, padding.
static inline uint32_t mote_filter_size(uint32_t length) {
    return (length + 23) & ~3u;
}

static inline bool mote_memory_holds(const mote_t *mote, uint32_t address, uint32_t length) {
    return (uint64_t)address + length <= mote->memory_length;
}

// Linear memory is little-endian on every host.
static inline uint32_t mote_load_u32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, 4);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static inline void mote_store_u32(uint8_t *to, uint32_t value) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    memcpy(to, &value, 4);
}

static inline int64_t mote_load_i64(const uint8_t *from) {
    return (int64_t)((uint64_t)mote_load_u32(from) | (uint64_t)mote_load_u32(from + 4) << 32);
}

// Counts what must be acknowledged, so that a trap can tell how much it lost.
static inline int32_t mote_queued(mote_t *mote, int32_t result) {
    if (result > 0) mote->acknowledged_queued++;
    return result;
}

static inline uint32_t mote_now_ms(const mote_t *mote) {
    return (uint32_t)mote->options.port->functions->now_ms(mote->options.port);
}

// Remembers what belongs to a status that the host itself found.
static inline int32_t mote_fail(mote_t *mote, int32_t status, const char *text, int32_t value) {
    mote->error_text = text;
    mote->error_value = value;
    return status;
}

// True when another task than the one that polls is calling, where that is looked at.
static inline bool mote_is_foreign_task(const mote_t *mote) {
#ifdef MOTE_CHECK_TASK
    mote_port_t *port = mote->options.port;
    return mote->task != 0 && port->functions->task(port) != mote->task;
#else
    (void)mote;
    return false;
#endif
}

#endif
