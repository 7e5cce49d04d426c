// Messages that leave in pieces: what does not fit behind the members that are there begins a further message, with the same time
// stamp. Only whole members of the entry move, so nothing is merged and nothing is lost.
#include "client.h"
#include "record.h"

// Room that is kept for the ends of an entry and the options.
#define RESERVE ((uint32_t)(2 * MOTE_MEMBER_FIELD_KEY + MOTE_OPTION_FIELD_END + 4))

// What a packet has besides the payload, and the outbox in front of it; never less.
#define PACKET_OVERHEAD 64
#define PACKET_MAX 65536

static uint8_t *start_of(const mote_t *mote) {
    return mote->memory + mote->staging_address;
}

static void put(mote_t *mote, mote_member_t type, const char *key, int64_t number) {
    mote_member_write(start_of(mote) + mote->message_length, type, 0, key, strlen(key), number, NULL, 0);
    mote->message_length += mote_member_size(strlen(key), 0);
}

static void begin_entry(mote_t *mote) {
    mote_split_t *split = &mote->split;
    mote->message_length = 0;
    put(mote, MOTE_MEMBER_OBJECT_BEGIN, "", 0);
    if (split->stamped) {
        put(mote, MOTE_MEMBER_INTEGER, "ts", split->unix_ms);
        put(mote, MOTE_MEMBER_OBJECT_BEGIN, "values", 0);
    }
    split->head = split->member = mote->message_length;
    split->points = 0;
    split->json = split->stamped ? 40 : 2;
}

// Sends the members before `cut`; those behind it begin the next message. Nothing changes when the module does not take it.
static int32_t flush(mote_t *mote, uint32_t cut) {
    mote_split_t *split = &mote->split;
    uint8_t *start = start_of(mote);
    uint32_t tail = mote->message_length - cut;
    uint8_t *kept = start + mote->staging_capacity - tail;
    memmove(kept, start + cut, tail);
    mote->message_length = cut;
    put(mote, MOTE_MEMBER_END, "", 0);
    if (split->stamped) put(mote, MOTE_MEMBER_END, "", 0);
    int32_t result = mote_message_publish(mote, (mote_export_t)split->verb, split->has_options ? &split->options : NULL);
    if (result == MOTE_STATUS_TRAPPED) return result;
    if (result >= 0) {
        split->last_id = result;
        begin_entry(mote);
        split->points = tail > 0;
        split->json += tail > 0 ? split->member_json : 0;
        cut = mote->message_length;
    }
    memmove(start + cut, kept, tail);
    mote->message_length = cut + tail;
    return result;
}

// Bytes of JSON text that a member takes at most, its comma counted.
static uint32_t escaped_length(const char *text, size_t length) {
    uint32_t count = 2;
    for (size_t i = 0; i < length; i++) count += (uint8_t)text[i] < 0x20 ? 6 : text[i] == '"' || text[i] == '\\' ? 2 : 1;
    return count;
}

static uint32_t json_size(mote_member_t type, const char *key, const char *text, uint32_t text_length) {
    uint32_t size = 2 + (key != NULL ? escaped_length(key, strlen(key)) : 0);
    switch (type) {
    case MOTE_MEMBER_TEXT: return size + escaped_length(text, text_length);
    case MOTE_MEMBER_JSON: return size + text_length;
    case MOTE_MEMBER_INTEGER:
    case MOTE_MEMBER_DECIMAL: return size + 22;
    default: return size + 5;
    }
}

static uint32_t json_max(const mote_t *mote) {
    uint32_t buffer = mote_config_unsigned(mote->options.config, mote->options.config_length, "send_buffer", 1024);
    if (buffer > PACKET_MAX) buffer = PACKET_MAX;
    return buffer > PACKET_OVERHEAD ? buffer - PACKET_OVERHEAD : 0;
}

int32_t mote_split_room(mote_t *mote, mote_member_t type, const char *key, const char *text, uint32_t text_length) {
    mote_split_t *split = &mote->split;
    bool opens = split->depth == 0 && type != MOTE_MEMBER_END;
    uint32_t need = mote_member_size(key != NULL ? strlen(key) : 0, text_length);
    uint32_t json = need == UINT32_MAX ? need / 2 : json_size(type, key, text, text_length);
    uint32_t ends = RESERVE + split->depth * (uint32_t)MOTE_MEMBER_FIELD_KEY; // objects that are still open have to be ended
    if (type == MOTE_MEMBER_END) ends -= split->depth > 0 ? (uint32_t)MOTE_MEMBER_FIELD_KEY : 0;
    else if (type >= MOTE_MEMBER_OBJECT_BEGIN) ends += (uint32_t)MOTE_MEMBER_FIELD_KEY;
    for (bool again = true;; again = false) {
        uint32_t room = mote->staging_capacity - mote->message_length;
        bool fits = room >= ends && need <= room - ends && split->json + json <= split->json_max;
        bool counts = !opens || mote->options.split_points == 0 || split->points < mote->options.split_points;
        if (fits && counts) break;
        uint32_t cut = opens ? mote->message_length : split->member;
        if (!again || cut == split->head) {
            if (need < INT32_MAX / 8 && json + split->member_json > split->json_max) {
                return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "send_buffer", (int32_t)(json + split->json + PACKET_OVERHEAD));
            }
            int32_t bytes = need > INT32_MAX / 2 ? INT32_MAX : (int32_t)(mote->message_length - cut + split->head + need + ends);
            return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", bytes);
        }
        int32_t status = flush(mote, cut);
        if (status < 0) return status;
    }
    if (opens) {
        split->member = mote->message_length;
        split->member_json = 0;
        split->points++;
    }
    split->json += json;
    split->member_json += json;
    if (type == MOTE_MEMBER_OBJECT_BEGIN || type == MOTE_MEMBER_ARRAY_BEGIN) split->depth++;
    if (type == MOTE_MEMBER_END && split->depth > 0) split->depth--;
    return MOTE_STATUS_OK;
}

int32_t mote_split_entry(mote_t *mote, bool stamped, int64_t unix_ms) {
    mote_split_t *split = &mote->split;
    if (split->depth != 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_object_end", 0);
    int32_t status = mote->message_length > split->head ? flush(mote, mote->message_length) : MOTE_STATUS_OK;
    if (status < 0) return status;
    split->stamped = stamped;
    split->unix_ms = unix_ms;
    begin_entry(mote);
    return MOTE_STATUS_OK;
}

static int32_t begin(mote_t *mote, mote_export_t verb, const mote_publish_options_t *options) {
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    mote->split = (mote_split_t){.verb = (uint8_t)verb, .has_options = options != NULL, .json_max = json_max(mote)};
    if (options != NULL) mote->split.options = *options;
    begin_entry(mote);
    return MOTE_STATUS_OK;
}

int32_t mote_begin_telemetry(mote_t *mote, const mote_publish_options_t *options) {
    return begin(mote, MOTE_EXPORT_SEND_TELEMETRY, options);
}

int32_t mote_begin_attributes(mote_t *mote, const mote_publish_options_t *options) {
    return begin(mote, MOTE_EXPORT_SEND_ATTRIBUTES, options);
}

int32_t mote_end(mote_t *mote) {
    if (!mote->message_open || mote->split.verb == 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_begin_telemetry", 0);
    if (mote->split.depth != 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_object_end", 0);
    int32_t status = mote->message_length > mote->split.head ? flush(mote, mote->message_length) : MOTE_STATUS_OK;
    if (status < 0) return status;
    int32_t id = mote->split.last_id;
    mote_cancel(mote);
    return id;
}
