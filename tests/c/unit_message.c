// The message builder: what it lays out, what it refuses, and that the first failure sticks.
#include <math.h>

#include "harness.h"

static client_t client;

static void sends_every_member(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(mote_begin(mote), MOTE_STATUS_OK);
    mote_add_null(mote, "n");
    mote_add_boolean(mote, "t", true);
    mote_add_boolean(mote, "f", false);
    mote_add_integer(mote, "i", -9223372036854775807LL - 1);
    mote_add_decimal(mote, "d", -1234, 2);
    mote_add_text(mote, "s", "a\"b");
    mote_add_json(mote, "j", "[1,{\"x\":2}]");
    mote_object_begin(mote, "o");
    mote_add_integer(mote, "a", 1);
    mote_object_end(mote);
    mote_array_begin(mote, "l");
    mote_add_integer(mote, NULL, 1);
    mote_add_text(mote, NULL, "");
    mote_array_end(mote);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "{\"n\":null,\"t\":true,\"f\":false,\"i\":-9223372036854775808,\"d\":-12.34,\"s\":\"a\\\"b\","
                               "\"j\":[1,{\"x\":2}],\"o\":{\"a\":1},\"l\":[1,\"\"]}"));
}

// Keys and texts of each length, across those that are copied in another way: the first of the alphabet, and of its other end.
static void sends_every_length(void) {
    mote_t *mote = &client.mote;
    for (int length = 1; length <= 26; length++) {
        char key[27], text[27], expected[80];
        snprintf(key, sizeof key, "%.*s", length, "abcdefghijklmnopqrstuvwxyz");
        snprintf(text, sizeof text, "%.*s", 26 - length, "ZYXWVUTSRQPONMLKJIHGFEDCBA");
        mote_begin(mote);
        mote_add_text(mote, key, text);
        mote_add_text_span(mote, "span", (mote_span_t){key, (uint32_t)length});
        mote_add_boolean(mote, key, true);
        CHECK(mote_send_telemetry(mote, NULL) > 0);
        client.sent_length = 0;
        client_serve(&client);
        snprintf(expected, sizeof expected, "{\"%.*s\":\"%.*s\",", length, "abcdefghijklmnopqrstuvwxyz", 26 - length, "ZYXWVUTSRQPONMLKJIHGFEDCBA");
        CHECK(client_sent(&client, expected));
        snprintf(expected, sizeof expected, ",\"span\":\"%.*s\",\"%.*s\":true}", length, "abcdefghijklmnopqrstuvwxyz", length, "abcdefghijklmnopqrstuvwxyz");
        CHECK(client_sent(&client, expected));
    }
}

static void sends_entries(void) {
    mote_t *mote = &client.mote;
    mote_begin(mote);
    mote_timestamp(mote, 1700000000000);
    mote_add_integer(mote, "one", 1);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    mote_begin(mote);
    mote_timestamp(mote, 1);
    mote_add_integer(mote, "a", 1);
    mote_timestamp(mote, 2);
    mote_add_integer(mote, "b", 2);
    mote_entry(mote);
    mote_add_integer(mote, "c", 3);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    mote_begin(mote);
    mote_entry(mote);
    mote_add_integer(mote, "plain", 1);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "{\"ts\":1700000000000,\"values\":{\"one\":1}}"));
    CHECK(client_sent(&client, "[{\"ts\":1,\"values\":{\"a\":1}},{\"ts\":2,\"values\":{\"b\":2}},{\"c\":3}]"));
    CHECK(client_sent(&client, "{\"plain\":1}") && !client_sent(&client, "[{\"plain\""));
}

static void send_double(double value, uint8_t decimals, const char *expected) {
    char text[400];
    snprintf(text, sizeof text, "{\"v\":%s}", expected);
    mote_begin(&client.mote);
    CHECK_EQUAL(mote_add_double(&client.mote, "v", value, decimals), MOTE_STATUS_OK);
    CHECK(mote_send_telemetry(&client.mote, NULL) > 0);
    client.sent_length = 0;
    client_serve(&client);
    if (!client_sent(&client, text)) printf("%g with %u decimals is not %s\n", value, decimals, text);
    CHECK(client_sent(&client, text));
}

static void rounds_doubles(void) {
    send_double(21.5, 1, "21.5");
    send_double(2.5, 0, "3");
    send_double(-2.5, 0, "-3");
    send_double(0.49999999999999994, 0, "0");
    send_double(-1.25, 1, "-1.3");
    send_double(9e18, 0, "9000000000000000000");
    send_double(-0x1p63, 0, "-9223372036854775808");
    send_double(-0x1p63, 9, "-9223372036854775808");
    send_double(0x1p62, 9, "4611686018427387904");
    send_double(5e16, 9, "50000000000000000.00");
    send_double(5e16, 1, "50000000000000000.0");
    // What ThingsBoard would store as text; the digits are those of Python's int().
    send_double(NAN, 0, "\"NaN\"");
    send_double(INFINITY, 1, "\"Infinity\"");
    send_double(-INFINITY, 9, "\"-Infinity\"");
    send_double(0x1p63, 0, "\"9223372036854775808\"");
    send_double(-9.3e18, 2, "\"-9300000000000000000\"");
    send_double(1e22, 0, "\"10000000000000000000000\"");
    send_double(1e23, 0, "\"99999999999999991611392\"");
    send_double(1.7976931348623157e308, 0,
                "\"1797693134862315708145274237317043567980705675258449965989174768031572607800285387605895586327668781715"
                "4045895351438246423432132688946418276846754670353751698604991057655128207624549009038932894407586850845"
                "5133942304583236903222948165808559332123348274797826204144723168738177180919299881250404026184124858368\"");
    mote_begin(&client.mote);
    CHECK_EQUAL(mote_add_double(&client.mote, "v", 1, 10), MOTE_STATUS_INVALID_VALUE);
    mote_cancel(&client.mote);
}

static void keeps_the_first_failure(void) {
    mote_t *mote = &client.mote;
    char text[1200];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    mote_begin(mote);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_TOO_LARGE);
    CHECK(mote_error_value(mote) > 1199);
    CHECK_EQUAL(mote_add_integer(mote, "a", 1), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_send_telemetry(mote, NULL), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_send_telemetry(mote, NULL), MOTE_STATUS_BAD_STATE);
    // Filled member by member up to the last byte: never beyond.
    mote_begin(mote);
    int32_t status = 0;
    while (status >= 0) status = mote_add_integer(mote, "key", 1);
    CHECK_EQUAL(status, MOTE_STATUS_TOO_LARGE);
    CHECK(mote->message_length <= mote->staging_capacity);
    mote_cancel(mote);
}

static void guards_its_state(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(mote_add_integer(mote, "a", 1), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_begin(mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_begin(mote), MOTE_STATUS_BAD_STATE);
    mote_add_integer(mote, "a", 1);
    CHECK_EQUAL(mote_document(mote, "{}", 2), MOTE_STATUS_BAD_STATE);
    mote_cancel(mote);
    mote_begin(mote);
    mote_object_begin(mote, "o");
    CHECK(mote_send_telemetry(mote, NULL) < 0); // an object that is not ended
    mote_begin(mote);
    mote_document(mote, "{\"a\":", 5);
    CHECK(mote_send_telemetry(mote, NULL) < 0);
    mote_begin(mote);
    mote_document(mote, "{\"ready\":[]}", 12);
    const mote_publish_options_t once = {.qos = 0};
    CHECK_EQUAL(mote_send_attributes(mote, &once), 0);
    client_serve(&client);
    CHECK(client_sent(&client, "{\"ready\":[]}"));
}

// A message that was open has gone with the client.
static void ends_with_the_client(mote_t *mote) {
    CHECK_EQUAL(mote_begin(mote), MOTE_STATUS_OK);
    mote_free(mote);
    CHECK_EQUAL(mote_add_integer(mote, "a", 1), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_add_text(mote, "a", "a text that is not short"), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_send_telemetry(mote, NULL), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_end(mote), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_deadline_ms(mote), MOTE_NO_DEADLINE_MS);
}

void test_message(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    sends_every_member();
    sends_every_length();
    sends_entries();
    rounds_doubles();
    keeps_the_first_failure();
    guards_its_state();
    CHECK_EQUAL(mote_arena_allocations(&client.mote), 0);
    ends_with_the_client(&client.mote);
}
