// Text that is not UTF-8 is refused by name, whichever way the application hands it over, and nothing of it leaves.
#include "client.h"
#include "harness.h"

static client_t client;

// No UTF-8 [RFC 3629, sections 3 and 10]: a byte that is never in it, half a character, an overlong zero, half of a surrogate pair, and what
// lies beyond U+10FFFF.
static const char *const broken[] = {"\xff", "a\xe2\x82", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"};
static const char *bad;

static int32_t in_text(mote_t *mote) {
    mote_begin(mote);
    mote_add_text(mote, "k", bad);
    return mote_send_telemetry(mote, NULL);
}
static int32_t in_span(mote_t *mote) {
    mote_begin(mote);
    mote_add_text_span(mote, "k", (mote_span_t){bad, (uint32_t)strlen(bad)});
    return mote_send_attributes(mote, NULL);
}
static int32_t in_key(mote_t *mote) {
    mote_begin(mote);
    mote_add_integer(mote, bad, 1);
    return mote_send_telemetry(mote, NULL);
}
static int32_t in_json(mote_t *mote) {
    char json[16];
    snprintf(json, sizeof json, "[\"%s\"]", bad);
    mote_begin(mote);
    mote_add_json(mote, "k", json);
    return mote_send_telemetry(mote, NULL);
}
static int32_t in_document(mote_t *mote) {
    char json[16];
    snprintf(json, sizeof json, "{\"%s\":1}", bad);
    mote_begin(mote);
    mote_document(mote, json, strlen(json));
    return mote_send_attributes(mote, NULL);
}
static int32_t in_reply(mote_t *mote) {
    mote_begin(mote);
    mote_add_text(mote, "k", bad);
    return mote_send_rpc_reply(mote, 1, NULL);
}
static int32_t in_connector(mote_t *mote) {
    const mote_connector_t connector = {bad, 1, 2};
    mote_begin(mote);
    mote_connector_timestamp(mote, 1, &connector);
    mote_add_integer(mote, "a", 1);
    return mote_send_telemetry(mote, NULL);
}
static int32_t in_piece(mote_t *mote) {
    mote_begin_telemetry(mote, NULL);
    int32_t status = mote_add_text(mote, "k", bad);
    if (status >= 0) status = mote_end(mote);
    mote_cancel(mote);
    return status;
}
static int32_t in_client_keys(mote_t *mote) { return mote_request_attributes(mote, bad, NULL, 1000); }
static int32_t in_shared_keys(mote_t *mote) { return mote_request_attributes(mote, NULL, bad, 1000); }
static int32_t in_method(mote_t *mote) { return mote_request_rpc(mote, bad, NULL, 1000); }
static int32_t in_params(mote_t *mote) {
    char json[16];
    snprintf(json, sizeof json, "\"%s\"", bad);
    return mote_request_rpc(mote, "m", json, 1000);
}
static int32_t in_secret_key(mote_t *mote) { return mote_claim(mote, bad, 0, NULL); }
static int32_t in_topic(mote_t *mote) { return mote_publish(mote, bad, "x", 1, NULL); }
static int32_t in_filter(mote_t *mote) { return mote_subscribe(mote, bad, 0); }

typedef struct verb_case {
    const char *name;
    int32_t (*call)(mote_t *mote);
    int32_t status;
} verb_case_t;

static const verb_case_t verbs[] = {
    {"text", in_text, MOTE_STATUS_INVALID_UTF8}, {"span", in_span, MOTE_STATUS_INVALID_UTF8}, {"key", in_key, MOTE_STATUS_INVALID_UTF8},
    {"json", in_json, MOTE_STATUS_INVALID_UTF8}, {"document", in_document, MOTE_STATUS_INVALID_UTF8}, {"reply", in_reply, MOTE_STATUS_INVALID_UTF8},
    {"connector", in_connector, MOTE_STATUS_INVALID_UTF8}, {"piece", in_piece, MOTE_STATUS_INVALID_UTF8},
    {"client keys", in_client_keys, MOTE_STATUS_INVALID_UTF8}, {"shared keys", in_shared_keys, MOTE_STATUS_INVALID_UTF8},
    {"method", in_method, MOTE_STATUS_INVALID_UTF8}, {"params", in_params, MOTE_STATUS_INVALID_UTF8},
    {"secret key", in_secret_key, MOTE_STATUS_INVALID_UTF8},
    {"topic", in_topic, MOTE_STATUS_INVALID_TOPIC}, {"filter", in_filter, MOTE_STATUS_INVALID_TOPIC},
};

static void verbs_refuse_it(void) {
    // The first one declares the filter of the answers, whatever becomes of it (ABI.md, section 7).
    CHECK(mote_request_rpc(&client.mote, "m", NULL, 1000) > 0);
    client_serve(&client);
    uint32_t length = client.sent_length;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        for (size_t each = 0; each < sizeof broken / sizeof broken[0]; each++) {
            bad = broken[each];
            int32_t status = verbs[i].call(&client.mote);
            if (status != verbs[i].status) printf("%s, text %zu\n", verbs[i].name, each);
            CHECK_EQUAL(status, verbs[i].status);
        }
    }
    client_serve(&client);
    CHECK_EQUAL(client.sent_length, length);
}

static int32_t supply(const char *key, char *out_secret, size_t capacity, void *user) {
    (void)user;
    if (strcmp(key, "access_token") != 0) return 0;
    return snprintf(out_secret, capacity, "%s", bad);
}

static void check_refused(const char *config, mote_secret_t *secret, const char *key) {
    client_prepare(&client, config);
    client.options.secret = secret;
    int32_t status = mote_init(&client.mote, &client.options);
    CHECK_EQUAL(status, MOTE_STATUS_INVALID_UTF8);
    CHECK(mote_span_equals(mote_error_text(&client.mote), key));
    if (status >= 0) mote_free(&client.mote);
}

// What the module is given, and what it never sees.
static void configurations_refuse_it(void) {
    for (size_t each = 0; each < sizeof broken / sizeof broken[0]; each++) {
        bad = broken[each];
        char text[128];
        snprintf(text, sizeof text, "{\"mqtt_host\":\"b\",\"client_id\":\"%s\"}", bad);
        check_refused(text, NULL, "client_id");
        snprintf(text, sizeof text, "{\"mqtt_host\":\"b\",\"host\":{\"mine\":[\"%s\"]}}", bad);
        check_refused(text, NULL, "host");
        snprintf(text, sizeof text, "{\"link\":{\"%s\":1},\"mqtt_host\":\"b\"}", bad);
        check_refused(text, NULL, "link");
        check_refused("{\"mqtt_host\":\"b\"}", supply, "access_token");
        char out[16];
        int length = snprintf(text, sizeof text, "\"%s\"", bad);
        CHECK_EQUAL(mote_config_text((mote_span_t){text, (uint32_t)length}, out, sizeof out), MOTE_STATUS_INVALID_UTF8);
    }
}

// The module would refuse it too, when nobody hears of it any more.
static void posts_refuse_it(void) {
    for (size_t each = 0; each < sizeof broken / sizeof broken[0]; each++) {
        mote_post_t post;
        uint32_t bytes[24];
        mote_post_begin(&post, bytes, sizeof bytes);
        CHECK_EQUAL(mote_post_integer(&post, broken[each], 1), MOTE_STATUS_INVALID_UTF8);
        mote_post_begin(&post, bytes, sizeof bytes);
        CHECK_EQUAL(mote_post_json(&post, "k", broken[each]), MOTE_STATUS_INVALID_UTF8);
        mote_post_begin(&post, bytes, sizeof bytes);
        CHECK_EQUAL(mote_post_text(&post, "k", broken[each]), MOTE_STATUS_INVALID_UTF8);
        CHECK_EQUAL(mote_post_telemetry(&client.mote, &post), MOTE_STATUS_INVALID_UTF8);
    }
}

static uint32_t count_characters(uint8_t lead_min, uint8_t lead_max, const uint8_t *tails, uint32_t tail_count, size_t size) {
    uint32_t count = 0;
    for (uint32_t lead = lead_min; lead <= lead_max; lead++) {
        for (uint32_t second = 0; second < 256; second++) {
            for (uint32_t i = 0; i < (size > 2 ? tail_count : 1); i++) {
                for (uint32_t j = 0; j < (size > 3 ? tail_count : 1); j++) {
                    char text[4] = {(char)lead, (char)second, (char)tails[i], (char)tails[j]};
                    count += mote_is_utf8(text, size);
                }
            }
        }
    }
    return count;
}

// As many characters as there are code points, without surrogates [RFC 3629, section 3]; each of them is in one form only.
static void every_character_is_known(void) {
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    uint8_t all[256];
    for (int i = 0; i < 256; i++) all[i] = (uint8_t)i;
    uint32_t single = 0;
    for (int i = 0; i < 256; i++) single += mote_is_utf8((const char *)&all[i], 1);
    CHECK_EQUAL(single, 0x80);
    CHECK_EQUAL(count_characters(0x80, 0xff, all, 0, 2), 0x800 - 0x80);
    CHECK_EQUAL(count_characters(0xe0, 0xff, all, 256, 3), 0x10000 - 0x800 - 0x800);
    // Two of the 64 values of each of the last two bytes.
    CHECK_EQUAL(count_characters(0xf0, 0xff, edges, sizeof edges, 4), (0x110000 - 0x10000) / 64 / 64 * 2 * 2);
    CHECK(mote_is_utf8("", 0) && mote_is_utf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z", 11));
    for (size_t length = 1; length < 4; length++) CHECK(!mote_is_utf8("\xf0\x9f\x98\x80", length));
}

void test_utf8(void) {
    every_character_is_known();
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    verbs_refuse_it();
    posts_refuse_it();
    mote_free(&client.mote);
    configurations_refuse_it();
}
