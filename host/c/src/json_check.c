// Checks that bytes are one JSON text, strictly as RFC 8259 has it, where the module does not see them: what is the host's in the configuration.
#include "client.h"

typedef struct reader {
    const char *at, *end;
} reader_t;

static bool take(reader_t *reader, char c) {
    if (reader->at == reader->end || *reader->at != c) return false;
    reader->at++;
    return true;
}

static void skip_space(reader_t *reader) {
    while (take(reader, ' ') || take(reader, '\t') || take(reader, '\n') || take(reader, '\r')) {
    }
}

static bool take_between(reader_t *reader, char least, char most) {
    if (reader->at == reader->end || *reader->at < least || *reader->at > most) return false;
    reader->at++;
    return true;
}

static bool take_hex(reader_t *reader) {
    return take_between(reader, '0', '9') || take_between(reader, 'a', 'f') || take_between(reader, 'A', 'F');
}

static bool take_escape(reader_t *reader) {
    if (take(reader, 'u')) return take_hex(reader) && take_hex(reader) && take_hex(reader) && take_hex(reader);
    static const char letters[] = {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'};
    for (size_t i = 0; i < sizeof letters; i++) {
        if (take(reader, letters[i])) return true;
    }
    return false;
}

static bool take_text(reader_t *reader) {
    if (!take(reader, '"')) return false;
    while (!take(reader, '"')) {
        if (take(reader, '\\') ? !take_escape(reader) : reader->at == reader->end || (uint8_t)*reader->at++ < 0x20) return false;
    }
    return true;
}

static bool take_digits(reader_t *reader) {
    const char *begin = reader->at;
    while (take_between(reader, '0', '9')) {
    }
    return reader->at != begin;
}

static bool take_number(reader_t *reader) {
    take(reader, '-');
    if (!take(reader, '0') && !take_digits(reader)) return false;
    if (take(reader, '.') && !take_digits(reader)) return false;
    if (!take(reader, 'e') && !take(reader, 'E')) return true;
    if (!take(reader, '+')) take(reader, '-');
    return take_digits(reader);
}

static bool take_word(reader_t *reader, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0) return false;
    reader->at += length;
    return true;
}

static bool take_scalar(reader_t *reader) {
    switch (reader->at != reader->end ? *reader->at : 0) {
    case '"': return take_text(reader);
    case 't': return take_word(reader, "true");
    case 'f': return take_word(reader, "false");
    case 'n': return take_word(reader, "null");
    default: return take_number(reader);
    }
}

static bool take_key(reader_t *reader) {
    skip_space(reader);
    if (!take_text(reader)) return false;
    skip_space(reader);
    return take(reader, ':');
}

int32_t mote_json_check(const char *text, size_t length, uint32_t depth) {
    if (!mote_is_utf8(text, length)) return MOTE_STATUS_INVALID_UTF8;
    reader_t reader = {text, text + length};
    uint64_t nesting = 1; // one bit for each open object (0) or array (1), the innermost lowest, behind a one
    for (bool wants_value = true; wants_value || nesting != 1;) {
        skip_space(&reader);
        bool is_array = (nesting & 1) != 0;
        if (!wants_value) {
            if (take(&reader, is_array ? ']' : '}')) {
                nesting >>= 1;
            } else {
                if (!take(&reader, ',') || (!is_array && !take_key(&reader))) return MOTE_STATUS_MALFORMED;
                wants_value = true;
            }
            continue;
        }
        is_array = take(&reader, '[');
        if (!is_array && !take(&reader, '{')) {
            if (!take_scalar(&reader)) return MOTE_STATUS_MALFORMED;
            wants_value = false;
            continue;
        }
        if (nesting >> (MOTE_JSON_DEPTH_MAX - depth) != 0) return MOTE_STATUS_TOO_DEEP;
        skip_space(&reader);
        wants_value = !take(&reader, is_array ? ']' : '}');
        if (wants_value) {
            nesting = nesting << 1 | is_array;
            if (!is_array && !take_key(&reader)) return MOTE_STATUS_MALFORMED;
        }
    }
    skip_space(&reader);
    return reader.at == reader.end ? MOTE_STATUS_OK : MOTE_STATUS_MALFORMED;
}
