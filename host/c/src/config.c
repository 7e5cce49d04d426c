// The host's view of the configuration text: finds members, and leaves out what must not enter linear memory. It only
// walks; whether the text is valid JSON is the module's to say.
#include "client.h"

typedef struct walk {
    const char *text;
    size_t length;
    size_t at;
    mote_span_t key; // without the quotes
    mote_span_t value;
} walk_t;

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(walk_t *walk, char extra) {
    while (walk->at < walk->length && (is_space(walk->text[walk->at]) || walk->text[walk->at] == extra)) walk->at++;
}

static void skip_text(walk_t *walk) {
    for (walk->at++; walk->at < walk->length && walk->text[walk->at] != '"'; walk->at++) {
        if (walk->text[walk->at] == '\\') walk->at++;
    }
    walk->at = walk->at < walk->length ? walk->at + 1 : walk->length;
}

// Passes one value: until a comma, a closing bracket or white space outside of it.
static void skip_value(walk_t *walk) {
    uint32_t depth = 0;
    while (walk->at < walk->length) {
        char c = walk->text[walk->at];
        if (c == '"') {
            skip_text(walk);
            if (depth == 0) return;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']' || is_space(c))) return;
        walk->at++;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return;
    }
}

static bool begin(walk_t *walk, const char *text, size_t length) {
    *walk = (walk_t){.text = text, .length = length};
    skip(walk, ' ');
    return walk->at < length && text[walk->at++] == '{';
}

static bool next(walk_t *walk) {
    skip(walk, ',');
    if (walk->at >= walk->length || walk->text[walk->at] != '"') return false;
    size_t start = walk->at;
    skip_text(walk);
    if (walk->at < start + 2) return false;
    walk->key = (mote_span_t){walk->text + start + 1, (uint32_t)(walk->at - start - 2)};
    skip(walk, ':');
    start = walk->at;
    skip_value(walk);
    walk->value = (mote_span_t){walk->text + start, (uint32_t)(walk->at - start)};
    return walk->at > start;
}

bool mote_config_find(const char *json, size_t length, const char *key, mote_span_t *out_value) {
    walk_t walk;
    if (!begin(&walk, json, length)) return false;
    while (next(&walk)) {
        if (!mote_span_equals(walk.key, key)) continue;
        *out_value = walk.value;
        return true;
    }
    return false;
}

uint32_t mote_config_unsigned(const char *config, size_t length, const char *key, uint32_t fallback) {
    mote_span_t value;
    if (!mote_config_find(config, length, key, &value) || value.length == 0 || value.length > 9) return fallback;
    uint32_t number = 0;
    for (uint32_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') return fallback;
        number = number * 10 + (uint32_t)(value.data[i] - '0');
    }
    return number;
}

// Objects that belong to the host go into linear memory as {}: they hold keys and passwords.
static bool is_withheld(const walk_t *walk) {
    if (walk->value.length < 2 || walk->value.data[0] != '{') return false;
    return mote_span_equals(walk->key, "tls") || mote_span_equals(walk->key, "link") || mote_span_equals(walk->key, "host");
}

uint32_t mote_config_length(const char *config, size_t length) {
    walk_t walk;
    size_t withheld = 0;
    if (begin(&walk, config, length)) {
        while (next(&walk)) {
            if (is_withheld(&walk)) withheld += walk.value.length - 2;
        }
    }
    size_t result = length - withheld;
    return result > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)result;
}

void mote_config_copy(const char *config, size_t length, char *to) {
    walk_t walk;
    const char *from = config;
    if (begin(&walk, config, length)) {
        while (next(&walk)) {
            if (!is_withheld(&walk)) continue;
            size_t before = (size_t)(walk.value.data - from);
            memcpy(to, from, before);
            memcpy(to + before, "{}", 2);
            to += before + 2;
            from = walk.value.data + walk.value.length;
        }
    }
    memcpy(to, from, (size_t)(config + length - from));
}
