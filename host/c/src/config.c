// The host's view of the configuration text: finds members, and leaves out what must not enter linear memory. It only
// walks; whether the text is valid JSON is the module's to say, and json_check.c's of what is left out.
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

static int32_t unescape(const char **ref_from, const char *end, char *out);

bool mote_config_is_key(mote_span_t key, const char *name) {
    const char *from = key.data;
    const char *end = key.data + key.length;
    size_t left = strlen(name);
    while (from < end) {
        char bytes[4]; // the longest character
        int32_t count = 1;
        if (*from != '\\') bytes[0] = *from++;
        else count = ++from < end ? unescape(&from, end, bytes) : 0;
        if (count <= 0 || (size_t)count > left || memcmp(name, bytes, (size_t)count) != 0) return false;
        name += count;
        left -= (size_t)count;
    }
    return left == 0;
}

bool mote_config_find(const char *json, size_t length, const char *key, mote_span_t *out_value) {
    walk_t walk;
    mote_span_t found = {NULL, 0};
    if (!begin(&walk, json, length)) return false;
    while (next(&walk)) {
        if (mote_config_is_key(walk.key, key)) found = walk.value; // of a key that stands twice the last one counts, as in JSON.parse
    }
    if (found.data == NULL) return false;
    *out_value = found;
    return true;
}

bool mote_config_next(const char *json, size_t length, size_t *ref_at, mote_span_t *out_key, mote_span_t *out_value) {
    walk_t walk = {.text = json, .length = length};
    skip(&walk, ' ');
    bool is_list = walk.at < length && json[walk.at] == '[';
    if (walk.at == length || (!is_list && json[walk.at] != '{')) return false;
    walk.at = *ref_at != 0 ? *ref_at : walk.at + 1;
    if (is_list) {
        skip(&walk, ',');
        size_t start = walk.at;
        skip_value(&walk);
        walk.key = (mote_span_t){"", 0};
        walk.value = (mote_span_t){json + start, (uint32_t)(walk.at - start)};
        if (walk.at == start) return false;
    } else if (!next(&walk)) {
        return false;
    }
    *ref_at = walk.at;
    *out_key = walk.key;
    *out_value = walk.value;
    return true;
}

bool mote_config_member(const char *json, size_t length, uint32_t index, mote_span_t *out_key, mote_span_t *out_value) {
    walk_t walk;
    if (!begin(&walk, json, length)) return false;
    do {
        if (!next(&walk)) return false;
    } while (index-- > 0);
    *out_key = walk.key;
    *out_value = walk.value;
    return true;
}

static int32_t hex_of(const char *digits) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

// The number of `\uXXXX`, whose letter is at `from`, or Malformed.
static int32_t unit_of(const char *from, const char *end) {
    int32_t unit = end - from >= 5 && *from == 'u' ? hex_of(from + 1) : -1;
    return unit >= 0 ? unit : MOTE_STATUS_MALFORMED;
}

// One escape, whose letter is at `*ref_from`, as UTF-8; bytes written, or a status.
static int32_t unescape(const char **ref_from, const char *end, char *out) {
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *from = *ref_from;
    const char *found = *from != 0 ? strchr(letters, *from) : NULL;
    if (found != NULL) {
        *out = meanings[found - letters];
        *ref_from = from + 1;
        return 1;
    }
    int32_t code = unit_of(from, end);
    if (code < 0) return code;
    if (code == 0) return MOTE_STATUS_INVALID_VALUE; // would end the text
    from += 5;
    if (code >= 0xd800 && code <= 0xdfff) {
        int32_t low = code < 0xdc00 && end - from >= 6 && *from == '\\' ? unit_of(from + 1, end) : -1;
        if (low < 0xdc00 || low > 0xdfff) return MOTE_STATUS_INVALID_UTF8; // half of a pair
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        from += 6;
    }
    *ref_from = from;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    static const uint8_t leads[] = {0xc0, 0xe0, 0xf0};
    int32_t tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (int32_t i = tail; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(leads[tail - 1] | code);
    return tail + 1;
}

int32_t mote_config_text(mote_span_t value, char *out_text, size_t capacity) {
    if (value.length < 2 || value.data[0] != '"') return MOTE_STATUS_WRONG_TYPE;
    if (!mote_is_utf8(value.data, value.length)) return MOTE_STATUS_INVALID_UTF8;
    const char *from = value.data + 1;
    const char *end = value.data + value.length - 1;
    size_t length = 0;
    while (from < end) {
        char bytes[4]; // the longest character
        int32_t count = 1;
        if ((uint8_t)*from < 0x20) count = MOTE_STATUS_MALFORMED; // nobody else looks at what is the host's
        else if (*from != '\\') bytes[0] = *from++;
        else count = ++from < end ? unescape(&from, end, bytes) : MOTE_STATUS_MALFORMED;
        if (count < 0) return count;
        if (length + (size_t)count >= capacity) return MOTE_STATUS_TOO_LARGE;
        memcpy(out_text + length, bytes, (size_t)count);
        length += (size_t)count;
    }
    if (length >= capacity) return MOTE_STATUS_TOO_LARGE;
    out_text[length] = 0;
    return (int32_t)length;
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

// The key of an object that belongs to the host, else NULL. Those go into linear memory as {}: they hold keys and passwords.
static const char *withheld_key(const walk_t *walk) {
    static const char *const keys[] = {"tls", "link", "host"};
    if (walk->value.length < 2 || walk->value.data[0] != '{') return NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (mote_config_is_key(walk->key, keys[i])) return keys[i];
    }
    return NULL;
}

int32_t mote_config_check(const char *config, size_t length, const char **out_key) {
    walk_t walk;
    if (!begin(&walk, config, length)) return MOTE_STATUS_OK;
    while (next(&walk)) {
        *out_key = withheld_key(&walk);
        int32_t status = *out_key != NULL ? mote_json_check(walk.value.data, walk.value.length, 1) : MOTE_STATUS_OK;
        if (status < 0) return status;
    }
    return MOTE_STATUS_OK;
}

uint32_t mote_config_length(const char *config, size_t length) {
    walk_t walk;
    size_t withheld = 0;
    if (begin(&walk, config, length)) {
        while (next(&walk)) {
            if (withheld_key(&walk) != NULL) withheld += walk.value.length - 2;
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
            if (withheld_key(&walk) == NULL) continue;
            size_t before = (size_t)(walk.value.data - from);
            memcpy(to, from, before);
            memcpy(to + before, "{}", 2);
            to += before + 2;
            from = walk.value.data + walk.value.length;
        }
    }
    memcpy(to, from, (size_t)(config + length - from));
}
