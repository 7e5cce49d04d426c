// Counts the data points of a message as the server does: one with more than it ever takes is refused instead of being lost there.
#include "client.h"

typedef struct member {
    uint32_t type;
    mote_span_t key, text;
} member_t;

// The member at `*ref_at`, and where the next one begins; false at the end of the record, and of what is no record, which the module refuses.
static bool read_member(const uint8_t *record, uint32_t length, uint32_t *ref_at, member_t *out) {
    if (length - *ref_at < MOTE_MEMBER_FIELD_KEY) return false;
    const uint8_t *head = record + *ref_at;
    uint32_t left = length - *ref_at - (uint32_t)MOTE_MEMBER_FIELD_KEY;
    uint32_t key = mote_load_u32(head) >> 16;
    uint32_t key_size = (key + 3u) & ~3u;
    if (key_size > left) return false;
    out->type = head[MOTE_MEMBER_FIELD_TYPE];
    out->key = (mote_span_t){(const char *)head + MOTE_MEMBER_FIELD_KEY, key};
    bool has_text = out->type == MOTE_MEMBER_TEXT || out->type == MOTE_MEMBER_JSON;
    uint32_t text = has_text ? mote_load_u32(head + MOTE_MEMBER_FIELD_NUMBER) : 0;
    left -= key_size;
    if (text > left || ((text + 3u) & ~3u) > left) return false;
    out->text = (mote_span_t){out->key.data + key_size, text};
    *ref_at += (uint32_t)MOTE_MEMBER_FIELD_KEY + key_size + ((text + 3u) & ~3u);
    return true;
}

// An object with both `ts` and `values` is an entry with a time: its data points are those of `values`.
typedef struct entry {
    uint32_t members, values;
    bool has_time, has_values;
} entry_t;

static uint32_t points_of(const entry_t *entry) {
    return entry->has_time && entry->has_values ? entry->values : entry->members;
}

static uint32_t count_members(mote_span_t text) {
    uint32_t count = 0;
    size_t at = 0;
    mote_span_t key, value;
    while (mote_config_next(text.data, text.length, &at, &key, &value)) count++;
    return count;
}

static bool begins_with(mote_span_t text, char bracket) {
    uint32_t at = 0;
    while (at < text.length && strchr(" \t\r\n", text.data[at]) != NULL) at++;
    return at < text.length && text.data[at] == bracket;
}

static uint32_t count_entry(mote_span_t text) {
    entry_t entry = {0};
    size_t at = 0;
    mote_span_t key, value;
    if (!begins_with(text, '{')) return 0;
    while (mote_config_next(text.data, text.length, &at, &key, &value)) {
        entry.members++;
        entry.has_time |= mote_config_is_key(key, "ts");
        if (!mote_config_is_key(key, "values")) continue;
        entry.has_values = true;
        entry.values = begins_with(value, '{') ? count_members(value) : 0;
    }
    return points_of(&entry);
}

// Of ready text: an entry, or a list of them.
static uint32_t count_text(mote_span_t text) {
    if (!begins_with(text, '[')) return count_entry(text);
    uint32_t points = 0;
    size_t at = 0;
    mote_span_t key, value;
    while (mote_config_next(text.data, text.length, &at, &key, &value)) points += count_entry(value);
    return points;
}

static uint32_t count_children(mote_span_t text) {
    uint32_t points = 0;
    size_t at = 0;
    mote_span_t key, value;
    while (mote_config_next(text.data, text.length, &at, &key, &value)) points += count_text(value);
    return points;
}

static uint32_t count_record(const uint8_t *record, uint32_t length, bool of_children) {
    uint32_t points = 0;
    uint32_t depth = 0;
    uint32_t entry_depth = 0, values_depth = 0; // of the members of the entry that is open, and of its `values`; 0 = none
    entry_t entry = {0};
    member_t member;
    for (uint32_t at = 0; read_member(record, length, &at, &member);) {
        if (member.type == MOTE_MEMBER_END) {
            if (depth == 0) break;
            if (depth == values_depth) values_depth = 0;
            if (depth == entry_depth) {
                points += points_of(&entry);
                entry_depth = 0;
            }
            depth--;
            continue;
        }
        bool opens = member.type == MOTE_MEMBER_OBJECT_BEGIN;
        if (entry_depth != 0) {
            if (depth == values_depth) entry.values++;
            if (depth == entry_depth) {
                entry.members++;
                entry.has_time |= mote_span_equals(member.key, "ts");
                bool is_values = mote_span_equals(member.key, "values");
                entry.has_values |= is_values;
                if (is_values && opens) values_depth = depth + 1;
                if (is_values && member.type == MOTE_MEMBER_JSON && begins_with(member.text, '{')) entry.values += count_members(member.text);
            }
        } else if (of_children && depth == 0) {
            if (member.type == MOTE_MEMBER_JSON) points += count_children(member.text);
        } else if (opens) {
            entry = (entry_t){0};
            entry_depth = depth + 1;
        } else if (member.type == MOTE_MEMBER_JSON) {
            points += count_text(member.text);
        }
        if (member.type >= MOTE_MEMBER_OBJECT_BEGIN && member.type != MOTE_MEMBER_END) depth++;
    }
    return points;
}

int32_t mote_points_check(mote_t *mote, uint32_t length, bool of_children) {
    uint32_t most = of_children ? mote->points_children : mote->points_own;
    bool is_told = (mote->points_told & (of_children ? MOTE_TOLD_CHILDREN : MOTE_TOLD_OWN)) != 0;
    if (!is_told || most == 0) return MOTE_STATUS_OK; // what is configured may be less than the server takes
    uint32_t points = count_record(mote->memory + mote->staging_address, length, of_children);
    return points > most ? mote_fail(mote, MOTE_STATUS_TOO_LARGE, "telemetryDataPoints", 0) : MOTE_STATUS_OK;
}
