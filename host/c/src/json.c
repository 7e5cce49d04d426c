// Looks members up in JSON that the module holds, with the module's own reader.
#include "client.h"

// A path of no more bytes needs no room of its own.
#define PATH_KEPT_MAX 64

// Where a path stands while the module reads it: behind an open message, or in place of its first bytes, which are kept meanwhile.
typedef struct {
    uint32_t address;
    size_t length;
    bool in_place;
    uint8_t kept[PATH_KEPT_MAX];
} staged_path_t;

static int32_t stage_path(mote_t *mote, const char *path, staged_path_t *out_staged) {
    size_t length = strlen(path);
    uint32_t used = mote->message_open ? mote->message_length : 0;
    out_staged->length = length;
    out_staged->in_place = length > mote->staging_capacity - used;
    if (out_staged->in_place && (length > PATH_KEPT_MAX || length > mote->staging_capacity)) {
        return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", (int32_t)(used + (uint32_t)length));
    }
    out_staged->address = mote->staging_address + (out_staged->in_place ? 0 : used);
    uint8_t *to = mote->memory + out_staged->address;
    if (out_staged->in_place) memcpy(out_staged->kept, to, length);
    if (length != 0) memcpy(to, path, length);
    return MOTE_STATUS_OK;
}

static void unstage_path(mote_t *mote, const staged_path_t *staged) {
    // A trap would have taken the memory with it.
    if (staged->in_place && mote->life == MOTE_LIFE_ALIVE) memcpy(mote->memory + staged->address, staged->kept, staged->length);
}

static int32_t address_of(mote_t *mote, mote_span_t span, uint32_t *out_address) {
    if (mote->life != MOTE_LIFE_ALIVE) return MOTE_STATUS_TRAPPED;
    uintptr_t offset = (uintptr_t)span.data - (uintptr_t)mote->memory;
    if (offset > mote->memory_length || span.length > mote->memory_length - offset) {
        return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "document", 0);
    }
    *out_address = (uint32_t)offset;
    return MOTE_STATUS_OK;
}

int32_t mote_json_find(mote_t *mote, mote_span_t document, const char *path, mote_json_t *out_value) {
    uint32_t address = 0;
    staged_path_t staged;
    int32_t status = address_of(mote, document, &address);
    if (status >= 0) status = stage_path(mote, path, &staged);
    if (status < 0) return status;
    const uint32_t values[] = {address, document.length, staged.address, (uint32_t)staged.length};
    int32_t type = mote_call(mote, MOTE_EXPORT_JSON_FIND, 4, values);
    unstage_path(mote, &staged);
    if (type < 0) return type;
    const uint8_t *record = mote->memory + mote->json_address;
    uint32_t text = mote_load_u32(record + MOTE_JSON_FIELD_TEXT);
    uint32_t length = mote_load_u32(record + MOTE_JSON_FIELD_TEXT_LENGTH);
    if (!mote_memory_holds(mote, text, length)) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "json_find", 0);
    out_value->type = (mote_json_type_t)type;
    out_value->text = (mote_span_t){(const char *)mote->memory + text, length};
    return type;
}

int32_t mote_json_boolean(mote_t *mote, mote_span_t document, const char *path, bool *out_value) {
    mote_json_t value;
    int32_t type = mote_json_find(mote, document, path, &value);
    if (type < 0) return type;
    if (type != MOTE_JSON_TYPE_TRUE && type != MOTE_JSON_TYPE_FALSE) return MOTE_STATUS_WRONG_TYPE;
    *out_value = type == MOTE_JSON_TYPE_TRUE;
    return MOTE_STATUS_OK;
}

// Beyond every number of digits that a text in the module's memory can have.
#define EXPONENT_MAX 99999999

static bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

// What stands behind the letter e, or 0.
static int32_t exponent_of(const char *text, const char *end) {
    while (text < end && (*text | 0x20) != 'e') text++;
    if (text == end) return 0;
    bool negative = *++text == '-';
    if (!is_digit(*text)) text++;
    int32_t exponent = 0;
    for (; text < end; text++) {
        if (exponent <= EXPONENT_MAX / 10) exponent = exponent * 10 + (*text - '0');
    }
    return negative ? -exponent : exponent;
}

// Appends a digit to a number that is counted below zero, where one more fits; false when it does not fit.
static bool append(int64_t *number, int digit) {
    if (*number < (INT64_MIN + digit) / 10) return false;
    *number = *number * 10 - digit;
    return true;
}

// Reads a number that the module has checked, exactly: 2.0 and 20e-1 are integers too; 2.5 is Inexact.
static int32_t read_integer(mote_span_t span, int64_t *out_value) {
    const char *text = span.data;
    const char *end = text + span.length;
    bool negative = *text == '-';
    if (negative) text++;
    // How many digits stand in front of the point once the exponent has moved it.
    int32_t whole = exponent_of(text, end);
    for (const char *digit = text; digit < end && is_digit(*digit); digit++) whole++;
    int64_t number = 0;
    for (; text < end && (is_digit(*text) || *text == '.'); text++) {
        if (*text == '.') continue;
        int digit = *text - '0';
        if (whole-- > 0 ? !append(&number, digit) : digit != 0) return MOTE_STATUS_INEXACT;
    }
    while (number != 0 && whole-- > 0) {
        if (!append(&number, 0)) return MOTE_STATUS_INEXACT;
    }
    if (!negative && number == INT64_MIN) return MOTE_STATUS_INEXACT;
    *out_value = negative ? number : -number;
    return MOTE_STATUS_OK;
}

int32_t mote_json_integer(mote_t *mote, mote_span_t document, const char *path, int64_t *out_value) {
    mote_json_t value;
    int32_t type = mote_json_find(mote, document, path, &value);
    if (type < 0) return type;
    return type == MOTE_JSON_TYPE_NUMBER ? read_integer(value.text, out_value) : MOTE_STATUS_WRONG_TYPE;
}

int32_t mote_json_text(mote_t *mote, mote_span_t document, const char *path, char *out_text, size_t capacity) {
    mote_json_t value;
    int32_t type = mote_json_find(mote, document, path, &value);
    if (type < 0) return type;
    if (type != MOTE_JSON_TYPE_TEXT) return MOTE_STATUS_WRONG_TYPE;
    uint32_t used = mote->message_open ? (mote->message_length + 3u) & ~3u : 0;
    uint32_t room = used < mote->staging_capacity ? mote->staging_capacity - used : 0;
    uint32_t text = (uint32_t)((const uint8_t *)value.text.data - mote->memory);
    uint32_t to = mote->staging_address + used;
    int32_t length = mote_call(mote, MOTE_EXPORT_JSON_TEXT, 4, (const uint32_t[]){text, value.text.length, to, room});
    if (length < 0) return length;
    if (!mote_memory_holds(mote, to, (uint32_t)length)) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "json_text", length);
    if ((size_t)length >= capacity) return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "capacity", length + 1);
    memcpy(out_text, mote->memory + to, (size_t)length);
    out_text[length] = 0;
    return length;
}
