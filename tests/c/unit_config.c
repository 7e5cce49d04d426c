// The host's walk over the configuration: what it finds, and what it keeps out of linear memory.
#include "client.h"
#include "harness.h"

#include <stdlib.h>

static client_t client;

static void finds_members(void) {
    static const char text[] = " { \"a\" : 1, \"b\":{\"a\":[2,{\"x\":\"}\"}]} ,\"c\":\"q\\\"uote\",\"d\":true}";
    mote_span_t value;
    CHECK(mote_config_find(text, strlen(text), "a", &value) && mote_span_equals(value, "1"));
    CHECK(mote_config_find(text, strlen(text), "b", &value) && mote_span_equals(value, "{\"a\":[2,{\"x\":\"}\"}]}"));
    CHECK(mote_config_find(value.data, value.length, "a", &value) && mote_span_equals(value, "[2,{\"x\":\"}\"}]"));
    CHECK(mote_config_find(text, strlen(text), "c", &value) && mote_span_equals(value, "\"q\\\"uote\""));
    CHECK(mote_config_find(text, strlen(text), "d", &value) && mote_span_equals(value, "true"));
    CHECK(!mote_config_find(text, strlen(text), "x", &value));
    CHECK_EQUAL(mote_config_unsigned(text, strlen(text), "a", 7), 1);
    CHECK_EQUAL(mote_config_unsigned(text, strlen(text), "d", 7), 7);
}

// A key may be written with escapes, which mean what they do in any JSON.
static void reads_escaped_keys(void) {
    static const char text[] = "{\"\\u0061b\":1,\"q\\\"\\\\\":{\"\\u00E9\\u20ac\":2},\"c\\u\":3,\"\\ud83d\":4,\"d\\n\":5,\"\\ud83d\\ude00\":6,\"ab\":7}";
    mote_span_t key;
    mote_span_t value;
    CHECK(mote_config_find(text, strlen(text), "ab", &value) && mote_span_equals(value, "7")); // the last one, as JSON.parse has it
    CHECK(mote_config_find(text, strlen(text), "\U0001f600", &value) && mote_span_equals(value, "6"));
    CHECK(!mote_config_find(text, strlen(text), "\xed\xa0\xbd", &value)); // half a pair is no character
    CHECK(mote_config_find(text, strlen(text), "q\"\\", &value) && mote_config_find(value.data, value.length, "\u00e9\u20ac", &value));
    CHECK(mote_span_equals(value, "2"));
    CHECK(mote_config_find(text, strlen(text), "d\n", &value) && mote_span_equals(value, "5"));
    CHECK(!mote_config_find(text, strlen(text), "a", &value) && !mote_config_find(text, strlen(text), "abc", &value));
    CHECK(!mote_config_find(text, strlen(text), "c", &value) && !mote_config_find(text, strlen(text), "\\u0061b", &value));
    CHECK(mote_config_member(text, strlen(text), 0, &key, &value) && mote_span_equals(key, "\\u0061b"));
    CHECK(mote_config_is_key(key, "ab") && !mote_config_is_key(key, "a") && !mote_config_is_key(key, ""));
    CHECK_EQUAL(mote_config_unsigned(text, strlen(text), "ab", 1), 7);
}

// No text may hold it, but this text comes from anybody: a name ends before a zero, and is not read behind its own.
static void a_zero_ends_no_key(void) {
    char name[] = {'t', 's', 0};
    CHECK(!mote_config_is_key((mote_span_t){"ts\0", 3}, name) && !mote_config_is_key((mote_span_t){"ts\0\0\0", 5}, name));
    CHECK(!mote_config_is_key((mote_span_t){"t\0", 2}, name) && !mote_config_is_key((mote_span_t){"\0", 1}, ""));
    CHECK(mote_config_is_key((mote_span_t){"ts\0", 2}, name) && mote_config_is_key((mote_span_t){"\0", 0}, ""));
    char out[8];
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"a\0b\"", 5}, out, sizeof out), MOTE_STATUS_MALFORMED);
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"a\nb\"", 5}, out, sizeof out), MOTE_STATUS_MALFORMED);
}

// Broken text must never be read past its end; the sanitizers watch.
static void survives_broken_text(void) {
    static const char text[] = "{\"a\":{\"b\":[1,\"\\\"\"]},\"ho\\u0073t\":{\"k\":\"v\"},\"z\":1}";
    mote_span_t value;
    for (size_t length = 0; length <= strlen(text); length++) {
        char *exact = malloc(length > 0 ? length : 1); // of its very length: a byte behind it would be another's
        CHECK(exact != NULL);
        memcpy(exact, text, length);
        mote_config_find(exact, length, "z", &value);
        uint32_t needed = mote_config_length(exact, length);
        char copy[sizeof text];
        CHECK(needed <= length);
        mote_config_copy(exact, length, copy);
        free(exact);
    }
}

typedef struct text_case {
    const char *json, *text;
    int32_t status; // 0 = the length of the text
} text_case_t;

// The letters are those of RFC 8259, the bytes those of RFC 3629.
static const text_case_t texts[] = {
    {"\"\"", "", 0},
    {"\"a b\"", "a b", 0},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 0},
    {"\"\\u0041\\u007F\"", "A\x7f", 0},
    {"\"\\u0080\\u00fc\\u07ff\"", "\xc2\x80\xc3\xbc\xdf\xbf", 0},
    {"\"\\u0800\\u20aC\\uffff\"", "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf", 0},
    {"\"\xc3\xbc\"", "\xc3\xbc", 0},
    {"\"\\u0000\"", NULL, MOTE_STATUS_INVALID_VALUE},
    {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 0},
    {"\"\\uD800\\uDC00\\uDBFF\\uDFFF.\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf.", 0},
    {"\"\\ud83d\"", NULL, MOTE_STATUS_INVALID_UTF8},
    {"\"\\ude00\"", NULL, MOTE_STATUS_INVALID_UTF8},
    {"\"\\ude00\\ud83d\"", NULL, MOTE_STATUS_INVALID_UTF8},
    {"\"\\ud83d\\ud83d\"", NULL, MOTE_STATUS_INVALID_UTF8},
    {"\"\\ud83dude00\"", NULL, MOTE_STATUS_INVALID_UTF8},
    {"\"\\ud83d\\u00e9\"", NULL, MOTE_STATUS_INVALID_UTF8},
    {"\"\\ud83d\\ude0\"", NULL, MOTE_STATUS_INVALID_UTF8},
    {"\"\\u00g0\"", NULL, MOTE_STATUS_MALFORMED},
    {"\"\\u00\"", NULL, MOTE_STATUS_MALFORMED},
    {"\"\\x41\"", NULL, MOTE_STATUS_MALFORMED},
    {"17", NULL, MOTE_STATUS_WRONG_TYPE},
    {"\"", NULL, MOTE_STATUS_WRONG_TYPE},
    {"", NULL, MOTE_STATUS_WRONG_TYPE},
};

static void reads_texts(void) {
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const text_case_t *each = &texts[i];
        char text[32];
        int32_t length = mote_config_text((mote_span_t){each->json, (uint32_t)strlen(each->json)}, text, sizeof text);
        CHECK_EQUAL(length, each->text != NULL ? (int32_t)strlen(each->text) : each->status);
        CHECK(length < 0 || strcmp(text, each->text) == 0);
    }
    char small[8];
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"abcd\"", 6}, small, sizeof small), 4);
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"abcd\"", 6}, small, 5), 4);
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"abcd\"", 6}, small, 4), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"\\ud83d\\ude00\"", 14}, small, 5), 4);
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"\\ud83d\\ude00\"", 14}, small, 4), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_config_text((mote_span_t){"\"abcdefgh\"", 10}, small, sizeof small), MOTE_STATUS_TOO_LARGE);
}

static void keeps_secrets_out_of_memory(void) {
    static const char text[] =
        "{\"mqtt_host\":\"broker\",\"link\":{\"password\":\"hush-wifi\"},\"host\":{\"key\":\"hush-host\"},\"keep_alive_s\":30}";
    char copy[sizeof text];
    uint32_t length = mote_config_length(text, strlen(text));
    mote_config_copy(text, strlen(text), copy);
    CHECK(mote_span_equals((mote_span_t){copy, length}, "{\"mqtt_host\":\"broker\",\"link\":{},\"host\":{},\"keep_alive_s\":30}"));
    CHECK_EQUAL(client_init(&client, text), MOTE_STATUS_OK);
    bool found = false;
    for (uint32_t at = 0; at + 4 <= client.mote.memory_length; at++) found |= memcmp(client.mote.memory + at, "hush", 4) == 0;
    CHECK(!found);
    mote_free(&client.mote);
}

// The module knows no key that is written so, and refuses it by name; what an object of the host holds has not come near it even then.
static void refuses_escaped_keys(void) {
    static const char text[] = "{\"mqtt_host\":\"broker\",\"\\u0068ost\":{\"key\":\"hush-host\"}}";
    CHECK_EQUAL(client_init(&client, text), MOTE_STATUS_UNKNOWN_KEY);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "\\u0068ost"));
    bool found = false;
    for (size_t at = 0; at + 4 <= sizeof client.arena; at++) found |= memcmp(client.arena + at, "hush", 4) == 0;
    CHECK(!found);
}

// The module does not see what is the host's; tests/json holds the check itself to JSON.parse.
static void refuses_what_is_no_json_of_the_host(void) {
    static const struct { const char *text, *key; int32_t status; } refused[] = {
        {"{\"mqtt_host\":\"b\",\"host\":{\"a\":}}", "host", MOTE_STATUS_MALFORMED},
        {"{\"link\":{\"a\":[1,]},\"mqtt_host\":\"b\"}", "link", MOTE_STATUS_MALFORMED},
        {"{\"mqtt_host\":\"b\",\"host\":{},\"link\":{\"a\" 1}}", "link", MOTE_STATUS_MALFORMED},
        // 32 within each other, and 33.
        {"{\"host\":{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},\"mqtt_host\":\"b\"}", NULL, MOTE_STATUS_OK},
        {"{\"host\":{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},\"mqtt_host\":\"b\"}", "host", MOTE_STATUS_TOO_DEEP},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_EQUAL(client_init(&client, refused[i].text), refused[i].status);
        if (refused[i].key != NULL) CHECK(mote_span_equals(mote_error_text(&client.mote), refused[i].key));
        else mote_free(&client.mote);
    }
}

static int32_t supply(const char *key, char *out_secret, size_t capacity, void *user) {
    (void)user;
    if (strcmp(key, "user_name") == 0) return 0;
    const char *secret = strcmp(key, "access_token") == 0 ? "to\"k\\en" : "pass";
    CHECK(capacity >= 8);
    memcpy(out_secret, secret, strlen(secret));
    return (int32_t)strlen(secret);
}

static int32_t refuse(const char *key, char *out_secret, size_t capacity, void *user) {
    (void)key;
    (void)out_secret;
    (void)user;
    return (int32_t)capacity + 1;
}

static void secrets_need_not_stand_in_the_text(void) {
    client_prepare(&client, " {\"mqtt_host\":\"broker\",\"client_id\":\"c\"}");
    client.options.secret = supply;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    // CONNECT [MQTT-3.1]: flags user name, password, clean session; then client id, user name and password, each with its length.
    CHECK(client.sent_length > 9 && client.sent[9] == 0xc2);
    CHECK(memcmp(client.sent + 12, "\0\1c\0\7to\"k\\en\0\4pass", 18) == 0);
    mote_free(&client.mote);

    client_prepare(&client, "{\"mqtt_host\":\"broker\",\"access_token\":\"T\"}"); // the text wins
    client.options.secret = supply;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK(client_sent(&client, "T") && !client_sent(&client, "to\"k"));
    mote_free(&client.mote);

    client_prepare(&client, "{\"mqtt_host\":\"broker\"}");
    client.options.secret = refuse;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_TOO_LARGE);
    client_prepare(&client, "{}");
    client.options.secret = supply;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_MISSING_KEY);
}

void test_config(void) {
    finds_members();
    reads_escaped_keys();
    a_zero_ends_no_key();
    refuses_escaped_keys();
    refuses_what_is_no_json_of_the_host();
    survives_broken_text();
    reads_texts();
    keeps_secrets_out_of_memory();
    secrets_need_not_stand_in_the_text();
}
