// Messages that leave in pieces: what does not fit behind the members that are there begins a further message, with the same time
// stamp. Only whole members of the entry move, so nothing is merged and nothing is lost. Further entries of telemetry join a list
// as long as it fits; what is for a child of a gateway stands under its name in each message, which further children join as long as
// they fit and the server takes so many at once.
#include "client.h"
#include "record.h"

// Room that is kept for the ends of an entry, its list and its child, for the head of a list, and for the options.
#define RESERVE ((uint32_t)(5 * MOTE_MEMBER_FIELD_KEY + MOTE_OPTION_FIELD_END + 4))

// Bytes of JSON text that an entry and its comma take, besides its members.
#define STAMPED_BYTES 40
#define PLAIN_BYTES 3
// The same of `metadata` and its members, besides the name of the connector.
#define METADATA_BYTES 96

static uint8_t *start_of(const mote_t *mote) {
    return mote->memory + mote->staging_address;
}

static void put_text(mote_t *mote, mote_member_t type, const char *key, int64_t number, const char *text, size_t length) {
    mote_member_write(start_of(mote) + mote->message_length, type, 0, key, strlen(key), number, text, length);
    mote->message_length += mote_member_size(strlen(key), length);
}

static void put(mote_t *mote, mote_member_t type, const char *key, int64_t number) {
    put_text(mote, type, key, number, NULL, 0);
}

static bool is_telemetry(const mote_split_t *split) {
    return split->verb == MOTE_EXPORT_SEND_TELEMETRY || split->verb == MOTE_EXPORT_GATEWAY_TELEMETRY;
}

// Bytes of JSON text in quotation marks, escapes included.
static uint32_t escaped_length(const char *text, size_t length) {
    uint32_t count = 2;
    for (size_t i = 0; i < length; i++) count += (uint8_t)text[i] < 0x20 ? 6 : text[i] == '"' || text[i] == '\\' ? 2 : 1;
    return count;
}

static uint32_t entry_bytes(bool stamped, const mote_connector_t *connector) {
    uint32_t metadata = connector != NULL ? METADATA_BYTES + escaped_length(connector->name, strlen(connector->name)) : 0;
    return (stamped ? STAMPED_BYTES : PLAIN_BYTES) + metadata;
}

// Bytes of the record that an entry begins with.
static uint32_t head_size(const mote_connector_t *connector) {
    uint32_t size = 3 * (uint32_t)MOTE_MEMBER_FIELD_KEY + 16;
    if (connector == NULL) return size;
    size_t name = strlen(connector->name);
    uint32_t counted = name < UINT16_MAX ? (uint32_t)name : UINT16_MAX; // more than any staging area holds already
    return size + 5 * (uint32_t)MOTE_MEMBER_FIELD_KEY + mote_padded(counted) + 44; // and the keys
}

static void put_metadata(mote_t *mote, const mote_connector_t *connector) {
    size_t length = strlen(connector->name);
    put(mote, MOTE_MEMBER_OBJECT_BEGIN, "metadata", 0);
    put_text(mote, MOTE_MEMBER_TEXT, "connector", (int64_t)length, connector->name, length);
    put(mote, MOTE_MEMBER_INTEGER, "receivedTs", connector->received_ms);
    put(mote, MOTE_MEMBER_INTEGER, "publishedTs", connector->published_ms);
    put(mote, MOTE_MEMBER_END, "", 0);
}

static void begin_entry(mote_t *mote) {
    mote_split_t *split = &mote->split;
    split->entry = mote->message_length;
    // Attributes of a child have its name as the key of the object itself.
    put(mote, MOTE_MEMBER_OBJECT_BEGIN, split->device != NULL && !is_telemetry(split) ? split->device : "", 0);
    if (split->stamped) {
        put(mote, MOTE_MEMBER_INTEGER, "ts", split->unix_ms);
        if (split->connector != NULL) put_metadata(mote, split->connector);
        put(mote, MOTE_MEMBER_OBJECT_BEGIN, "values", 0);
    }
    split->head = split->member = mote->message_length;
}

// What begins with a child: its list, and an entry.
static void begin_child(mote_t *mote) {
    mote_split_t *split = &mote->split;
    split->child = (uint16_t)mote->message_length; // all of linear memory is one page
    if (split->listed) put(mote, MOTE_MEMBER_ARRAY_BEGIN, split->device, 0);
    split->first = mote->message_length;
    begin_entry(mote);
}

static void begin_message(mote_t *mote) {
    mote_split_t *split = &mote->split;
    mote->message_length = 0;
    split->points = split->children = 0;
    split->json = split->device_json + entry_bytes(split->stamped, split->connector);
    split->json_max = mote_split_json_max(mote).most;
    split->listed = split->device != NULL && is_telemetry(split);
    if (split->device != NULL) put(mote, MOTE_MEMBER_OBJECT_BEGIN, "", 0);
    begin_child(mote);
}

static void end_entry(mote_t *mote) {
    put(mote, MOTE_MEMBER_END, "", 0);
    if (mote->split.stamped) put(mote, MOTE_MEMBER_END, "", 0);
}

// The first further entry of a device's own telemetry puts the head of the list in front of what is there already.
static void begin_list(mote_t *mote) {
    uint8_t *start = start_of(mote);
    memmove(start + MOTE_MEMBER_FIELD_KEY, start, mote->message_length);
    memset(start, 0, MOTE_MEMBER_FIELD_KEY);
    start[MOTE_MEMBER_FIELD_TYPE] = MOTE_MEMBER_ARRAY_BEGIN;
    mote->message_length += MOTE_MEMBER_FIELD_KEY;
    mote->split.first = MOTE_MEMBER_FIELD_KEY;
    mote->split.listed = true;
}

// The child, or the device itself, has nothing to say before `cut`: the entry has no member yet, and there is none before it.
static bool is_silent(const mote_split_t *split, uint32_t cut) {
    return cut == split->head && split->entry == split->first;
}

// Nothing could be sent: that is so, and there is no child before it.
static bool is_bare(const mote_split_t *split, uint32_t cut) {
    return is_silent(split, cut) && split->children == 0;
}

// The child that what follows is for; its first entry has the time of the server.
static void set_device(mote_t *mote, const char *device) {
    mote->split.device = device;
    mote->split.device_json = escaped_length(device, strlen(device)) + 5;
    mote->split.stamped = false;
    mote->split.connector = NULL;
}

// Sends the members before `cut`; those behind it begin the next message, which is for another child where one is named. Nothing
// changes when the module does not take it.
static int32_t flush(mote_t *mote, uint32_t cut, const char *next_device) {
    mote_split_t *split = &mote->split;
    uint8_t *start = start_of(mote);
    uint32_t tail = mote->message_length - cut;
    uint8_t *kept = start + mote->staging_capacity - tail;
    memmove(kept, start + cut, tail);
    bool empty = cut == split->head; // only the entries before this one leave,
    bool silent = is_silent(split, cut); // or only the children
    uint32_t end = silent ? split->child : empty ? split->entry : cut;
    uint8_t covered[RESERVE]; // by the ends and the options
    uint32_t covered_length = cut - end < RESERVE ? cut - end : RESERVE;
    memcpy(covered, start + end, covered_length);
    mote->message_length = end;
    if (!empty) end_entry(mote);
    if (split->listed && !silent) put(mote, MOTE_MEMBER_END, "", 0);
    if (split->device != NULL) put(mote, MOTE_MEMBER_END, "", 0);
    int32_t result = mote_message_publish(mote, (mote_export_t)split->verb, split->has_options ? &split->options : NULL);
    if (result == MOTE_STATUS_TRAPPED) return result;
    if (result >= 0) {
        split->last_id = result;
        if (next_device != NULL) set_device(mote, next_device);
        begin_message(mote);
        split->points = tail > 0;
        split->json += tail > 0 ? split->member_json : 0;
        cut = mote->message_length;
    } else {
        memcpy(start + end, covered, covered_length);
    }
    memmove(start + cut, kept, tail);
    mote->message_length = cut + tail;
    return result;
}

// Bytes of JSON text that a member takes at most, its comma counted.
static uint32_t json_size(mote_member_t type, const char *key, size_t key_length, const char *text, uint32_t text_length) {
    uint32_t size = 2 + (key != NULL ? escaped_length(key, key_length) : 0);
    switch (type) {
    case MOTE_MEMBER_TEXT: return size + escaped_length(text, text_length);
    case MOTE_MEMBER_JSON: return size + text_length;
    case MOTE_MEMBER_INTEGER:
    case MOTE_MEMBER_DECIMAL: return size + 22;
    case MOTE_MEMBER_END: return 1;
    default: return size + 5;
    }
}

int32_t mote_split_room(mote_t *mote, mote_member_t type, const char *key, size_t key_length, const char *text, uint32_t text_length) {
    mote_split_t *split = &mote->split;
    bool opens = split->depth == 0 && type != MOTE_MEMBER_END;
    uint32_t need = mote_member_size(key_length, text_length);
    uint32_t json = need == UINT32_MAX ? need / 2 : json_size(type, key, key_length, text, text_length);
    uint32_t open = split->depth; // behind it: these have to be ended, each by a member and a byte of JSON text
    if (type == MOTE_MEMBER_END) open -= split->depth > 0;
    else if (type >= MOTE_MEMBER_OBJECT_BEGIN) open++;
    uint32_t ends = RESERVE + open * (uint32_t)MOTE_MEMBER_FIELD_KEY;
    for (bool again = true;; again = false) {
        uint32_t room = mote->staging_capacity - mote->message_length;
        bool fits = room >= ends && need <= room - ends && split->json + json + open <= split->json_max;
        uint32_t points_max = mote_split_points_max(mote, split->device != NULL);
        bool counts = !opens || points_max == 0 || split->points < points_max;
        if (fits && counts) break;
        uint32_t cut = opens ? mote->message_length : split->member;
        if (!again || is_bare(split, cut)) {
            if (need < INT32_MAX / 8 && split->json + json + open > split->json_max) {
                mote_split_limit_t limit = mote_split_json_max(mote);
                return mote_fail(mote, MOTE_STATUS_TOO_LARGE, limit.name, (int32_t)(split->json + json + open + limit.besides));
            }
            int32_t bytes = need > INT32_MAX / 2 ? INT32_MAX : (int32_t)(mote->message_length - cut + split->head + need + ends);
            return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", bytes);
        }
        int32_t status = flush(mote, cut, NULL);
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

int32_t mote_split_entry(mote_t *mote, bool stamped, int64_t unix_ms, const mote_connector_t *connector) {
    mote_split_t *split = &mote->split;
    if (split->depth != 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_object_end", 0);
    uint32_t need = RESERVE + head_size(connector);
    // An empty message must have room for it, and for a member behind it. The name of a child stands in front of the entry or in its head.
    uint32_t before = split->first - split->child + (split->device != NULL ? (uint32_t)MOTE_MEMBER_FIELD_KEY : 0);
    before += (split->device != NULL && !is_telemetry(split) ? mote_padded((uint32_t)strlen(split->device)) : 0);
    bool fits = before + 2 * need <= mote->staging_capacity && entry_bytes(stamped, connector) <= split->json_max / 2;
    if (connector != NULL && !fits) return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "connector", (int32_t)(before + 2 * need));
    uint32_t json = entry_bytes(stamped, connector);
    // An entry that stayed empty gives its place to this one.
    bool is_empty = mote->message_length == split->head;
    uint32_t length = is_empty ? split->entry : mote->message_length;
    uint32_t used = is_empty ? split->json - entry_bytes(split->stamped, split->connector) : split->json;
    bool joins = is_telemetry(split) && mote->staging_capacity - length >= need && used + json <= split->json_max;
    if (!joins && !is_bare(split, mote->message_length)) {
        int32_t status = flush(mote, mote->message_length, NULL);
        if (status < 0) return status;
        is_empty = true;
    }
    if (is_empty) {
        mote->message_length = split->entry;
        split->json -= entry_bytes(split->stamped, split->connector);
    } else {
        end_entry(mote);
        if (!split->listed) {
            begin_list(mote);
            split->json += 2;
        }
    }
    split->stamped = stamped;
    split->unix_ms = unix_ms;
    split->connector = connector;
    split->json += json;
    begin_entry(mote);
    return MOTE_STATUS_OK;
}

// A name has to leave room for something to say.
static int32_t check_device(mote_t *mote, const char *device) {
    size_t length = strlen(device);
    if (length <= UINT16_MAX && mote_member_size(length, 0) + 2 * RESERVE <= mote->staging_capacity) return MOTE_STATUS_OK;
    return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "device", (int32_t)(length < INT32_MAX ? length : INT32_MAX));
}

static int32_t begin(mote_t *mote, mote_export_t verb, const char *device, const mote_publish_options_t *options) {
    int32_t status = mote_begin(mote);
    if (status < 0) return status;
    mote->split = (mote_split_t){.verb = (uint8_t)verb, .has_options = options != NULL};
    mote->message_limit = 0; // each member is looked at, whether it ends a piece
    if (options != NULL) mote->split.options = *options;
    if (device != NULL) {
        status = check_device(mote, device);
        if (status < 0) {
            mote_cancel(mote);
            return status;
        }
        set_device(mote, device);
    }
    begin_message(mote);
    return MOTE_STATUS_OK;
}

int32_t mote_begin_telemetry(mote_t *mote, const mote_publish_options_t *options) {
    return begin(mote, MOTE_EXPORT_SEND_TELEMETRY, NULL, options);
}

int32_t mote_begin_attributes(mote_t *mote, const mote_publish_options_t *options) {
    return begin(mote, MOTE_EXPORT_SEND_ATTRIBUTES, NULL, options);
}

int32_t mote_gateway_begin_telemetry(mote_t *mote, const char *device, const mote_publish_options_t *options) {
    return begin(mote, MOTE_EXPORT_GATEWAY_TELEMETRY, device, options);
}

int32_t mote_gateway_begin_attributes(mote_t *mote, const char *device, const mote_publish_options_t *options) {
    return begin(mote, MOTE_EXPORT_GATEWAY_ATTRIBUTES, device, options);
}

// The message has a child of this name before: a second member of the same key would take the place of the first.
static bool is_named(const mote_t *mote, const char *device) {
    const uint8_t *start = start_of(mote);
    size_t length = strlen(device);
    uint32_t depth = 0;
    for (uint32_t at = MOTE_MEMBER_FIELD_KEY; at < mote->message_length;) {
        const uint8_t *member = start + at;
        uint8_t type = member[MOTE_MEMBER_FIELD_TYPE];
        uint32_t key = (uint32_t)member[MOTE_MEMBER_FIELD_KEY_LENGTH] | (uint32_t)member[MOTE_MEMBER_FIELD_KEY_LENGTH + 1] << 8;
        bool is_text = type == MOTE_MEMBER_TEXT || type == MOTE_MEMBER_JSON;
        if (depth == 0 && key == length && memcmp(member + MOTE_MEMBER_FIELD_KEY, device, length) == 0) return true;
        depth += type == MOTE_MEMBER_END ? UINT32_MAX : type >= MOTE_MEMBER_OBJECT_BEGIN;
        at += mote_member_size(key, is_text ? mote_load_u32(member + MOTE_MEMBER_FIELD_NUMBER) : 0);
    }
    return false;
}

// Ends the child, or takes it out of the message when it has nothing to say.
static void end_child(mote_t *mote) {
    mote_split_t *split = &mote->split;
    bool empty = mote->message_length == split->head;
    if (empty) split->json -= entry_bytes(split->stamped, split->connector);
    if (is_silent(split, mote->message_length)) {
        split->json -= split->device_json;
        mote->message_length = split->child;
        return;
    }
    if (empty) mote->message_length = split->entry;
    else end_entry(mote);
    if (split->listed) put(mote, MOTE_MEMBER_END, "", 0);
    split->children++;
}

int32_t mote_gateway_child(mote_t *mote, const char *device) {
    mote_split_t *split = &mote->split;
    if (!mote->message_open || split->verb == 0 || split->device == NULL) {
        return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_gateway_begin_telemetry", 0);
    }
    if (split->depth != 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_object_end", 0);
    int32_t status = check_device(mote, device);
    if (status < 0) return status;
    uint32_t length = (uint32_t)strlen(device);
    uint32_t need = mote_member_size(length, 0) + 3 * RESERVE; // the ends of the child before it, too
    uint32_t json = escaped_length(device, length) + 5 + PLAIN_BYTES;
    uint32_t told = split->children + !is_silent(split, mote->message_length);
    uint32_t children_max = mote_split_children_max(mote);
    bool joins = mote->staging_capacity - mote->message_length >= need && split->json + json <= split->json_max &&
                 told < (children_max != 0 ? children_max : UINT8_MAX) && !is_named(mote, device);
    if (!joins && !is_bare(split, mote->message_length)) {
        status = flush(mote, mote->message_length, device);
        return status < 0 ? status : MOTE_STATUS_OK;
    }
    end_child(mote);
    set_device(mote, device);
    split->json += json;
    begin_child(mote);
    return MOTE_STATUS_OK;
}

int32_t mote_end(mote_t *mote) {
    if (!mote->message_open || mote->split.verb == 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_begin_telemetry", 0);
    if (mote->split.depth != 0) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_object_end", 0);
    int32_t status = is_bare(&mote->split, mote->message_length) ? MOTE_STATUS_OK : flush(mote, mote->message_length, NULL);
    if (status < 0) return status;
    int32_t id = mote->split.last_id;
    mote_cancel(mote);
    return id;
}
