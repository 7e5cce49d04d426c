// The host's walk over the configuration: what it finds, and what it keeps out of linear memory.
#include "client.h"
#include "harness.h"

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

// Broken text must never be read past its end; the sanitizers watch.
static void survives_broken_text(void) {
    static const char text[] = "{\"a\":{\"b\":[1,\"\\\"\"]},\"host\":{\"k\":\"v\"},\"z\":1}";
    mote_span_t value;
    for (size_t length = 0; length <= strlen(text); length++) {
        char exact[sizeof text];
        memcpy(exact, text, length);
        mote_config_find(exact, length, "z", &value);
        uint32_t needed = mote_config_length(exact, length);
        char copy[sizeof text];
        CHECK(needed <= length);
        mote_config_copy(exact, length, copy);
    }
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

void test_config(void) {
    finds_members();
    survives_broken_text();
    keeps_secrets_out_of_memory();
}
