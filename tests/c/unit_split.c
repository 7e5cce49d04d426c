// Messages that leave in pieces: every value once, in a message that fits.
#include "harness.h"

static client_t client;

static void add_number(int i) {
    char key[16];
    snprintf(key, sizeof key, "key%03d", i);
    WITH_ROOM(&client, mote_add_integer(&client.mote, key, i));
}

static void end_split(void) {
    int32_t id = mote_end(&client.mote);
    if (id == MOTE_STATUS_FULL) {
        client_serve(&client);
        id = mote_end(&client.mote);
    }
    CHECK(id > 0);
    client_serve(&client);
}

// Every one of the 300 values leaves exactly once.
static void check_numbers(void) {
    char text[32];
    uint32_t wrong = 0;
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "\"key%03d\":%d", i, i);
        if (client_count_sent(&client, text) != 1) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
}

static void splits_by_bytes(void) {
    client.sent_length = 0;
    CHECK_EQUAL(mote_begin_telemetry(&client.mote, NULL), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_timestamp(&client.mote, 1760000000000), MOTE_STATUS_OK);
    for (int i = 0; i < 300; i++) add_number(i);
    end_split();
    check_numbers();
    uint32_t messages = client_count_sent(&client, "{\"ts\":1760000000000,\"values\":{\"key");
    CHECK(messages > 1 && messages == client_count_sent(&client, "v1/devices/me/telemetry"));

    client.sent_length = 0;
    CHECK_EQUAL(mote_begin_attributes(&client.mote, NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 300; i++) add_number(i);
    end_split();
    check_numbers();
    CHECK(client_count_sent(&client, "v1/devices/me/attributes") > 1);
    CHECK_EQUAL(client_count_sent(&client, "{\"ts\""), 0);
}

static void splits_by_points(void) {
    mote_t *mote = &client.mote;
    mote->options.split_points = 2;
    client.sent_length = 0;
    mote_begin_telemetry(mote, NULL);
    for (int i = 0; i < 5; i++) add_number(i);
    mote_timestamp(mote, 7);
    add_number(5);
    mote_timestamp(mote, 7); // not merged with the one before
    add_number(6);
    end_split();
    CHECK(client_sent(&client, "{\"key000\":0,\"key001\":1}") && client_sent(&client, "{\"key002\":2,\"key003\":3}"));
    CHECK(client_sent(&client, "[{\"key004\":4},{\"ts\":7,\"values\":{\"key005\":5}}]"));
    CHECK(client_sent(&client, "telemetry") && client_count_sent(&client, "{\"ts\":7,\"values\":{\"key006\":6}}") == 1);
    CHECK_EQUAL(client_count_sent(&client, "v1/devices/me/telemetry"), 4);
    mote->options.split_points = 0;
}

// Entries share messages as long as they fit, and every one leaves exactly once with its own time.
static void joins_entries(void) {
    mote_t *mote = &client.mote;
    char text[64];
    client.sent_length = 0;
    mote_begin_telemetry(mote, NULL);
    for (int i = 0; i < 100; i++) {
        WITH_ROOM(&client, mote_timestamp(mote, 1000 + i));
        add_number(i);
    }
    mote_entry(mote);
    mote_timestamp(mote, 5); // takes the place of the entry that stayed empty, and stays so itself
    end_split();
    uint32_t wrong = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "{\"ts\":%d,\"values\":{\"key%03d\":%d}}", 1000 + i, i, i);
        if (client_count_sent(&client, text) != 1) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
    uint32_t messages = client_count_sent(&client, "v1/devices/me/telemetry");
    CHECK(messages > 1 && messages < 50);
    CHECK_EQUAL(client_count_sent(&client, "\"values\":{}"), 0);
    CHECK_EQUAL(client_count_sent(&client, "},]"), 0);
    client.sent_length = 0;
    mote_begin_attributes(mote, NULL);
    add_number(1);
    mote_entry(mote);
    add_number(2);
    end_split();
    CHECK(client_sent(&client, "{\"key001\":1}") && client_sent(&client, "{\"key002\":2}"));
    CHECK_EQUAL(client_count_sent(&client, "v1/devices/me/attributes"), 2);
    mote_begin_telemetry(mote, NULL);
    mote_timestamp(mote, 5);
    CHECK_EQUAL(mote_end(mote), 0); // nothing was in it
}

// A value that is still being built moves to the next message as a whole.
static void moves_what_is_nested(void) {
    mote_t *mote = &client.mote;
    char text[320];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    client.sent_length = 0;
    mote_begin_telemetry(mote, NULL);
    mote_add_text(mote, "first", text + 120);
    mote_object_begin(mote, "nested");
    mote_add_integer(mote, "a", 1);
    CHECK_EQUAL(mote_add_text(mote, "b", text + 60), MOTE_STATUS_OK);
    mote_object_end(mote);
    end_split();
    CHECK_EQUAL(client_count_sent(&client, "v1/devices/me/telemetry"), 2);
    CHECK(client_sent(&client, "{\"first\":\"aaa") && client_sent(&client, "{\"nested\":{\"a\":1,\"b\":\"aaa"));
}

static void refuses_what_can_never_fit(void) {
    mote_t *mote = &client.mote;
    char text[600];
    memset(text, 1, sizeof text - 1); // each byte is six in JSON
    text[sizeof text - 1] = 0;
    client.sent_length = 0;
    mote_begin_telemetry(mote, NULL);
    mote_add_integer(mote, "before", 1);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_TOO_LARGE);
    CHECK(mote_error_value(mote) > 599);
    CHECK_EQUAL(mote_add_text(mote, "k", text + 300), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_add_integer(mote, "after", 2), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_send_telemetry(mote, NULL), MOTE_STATUS_BAD_STATE);
    end_split();
    CHECK(client_count_sent(&client, "\"before\":1") == 1 && client_count_sent(&client, "\"after\":2") == 1);
    CHECK_EQUAL(mote_end(mote), MOTE_STATUS_BAD_STATE);
}

void test_split(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    splits_by_bytes();
    splits_by_points();
    joins_entries();
    moves_what_is_nested();
    refuses_what_can_never_fit();
    CHECK_EQUAL(mote_arena_allocations(&client.mote), 0);
    mote_free(&client.mote);
}
