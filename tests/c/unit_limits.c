// Messages that leave in pieces keep what the outbox and the server allow, to a few bytes: no piece is refused when it leaves, and hardly one is
// smaller than it could be.
#include "harness.h"

static client_t client;
static char text[4096];
static uint32_t stuck; // pieces that were too large when they should have left

static int32_t send_text(uint32_t length, bool in_pieces) {
    mote_t *mote = &client.mote;
    text[length] = 0;
    client_serve(&client);
    client.sent_length = 0;
    int32_t result = in_pieces ? mote_begin_telemetry(mote, NULL) : mote_begin(mote);
    if (result == MOTE_STATUS_OK) result = mote_add_text(mote, "k", text);
    bool is_added = result == MOTE_STATUS_OK;
    if (is_added) result = in_pieces ? mote_end(mote) : mote_send_telemetry(mote, NULL);
    if (in_pieces && result == MOTE_STATUS_TOO_LARGE && is_added) stuck++; // nothing that a caller could do would let it leave
    mote_cancel(mote);
    text[length] = 'x';
    return result;
}

// The longest text that leaves. None below it is refused.
static uint32_t longest_text(bool in_pieces) {
    uint32_t longest = 0;
    uint32_t refused = 0;
    uint32_t wrong = 0;
    for (uint32_t length = 0; length < 1200; length++) {
        int32_t result = send_text(length, in_pieces);
        if (result == MOTE_STATUS_TOO_LARGE) refused++;
        else if (result <= 0) wrong++;
        if (result > 0) longest = length;
    }
    CHECK_EQUAL(wrong, 0);
    CHECK_EQUAL(refused, 1199 - longest);
    return longest;
}

static void is_as_large_as_a_whole_message(uint32_t apart_most) {
    memset(text, 'x', sizeof text);
    uint32_t whole = longest_text(false);
    stuck = 0;
    uint32_t piece = longest_text(true);
    CHECK_EQUAL(stuck, 0);
    if (piece > whole || whole - piece > apart_most) printf("a whole message has %u bytes, a piece %u\n", whole, piece);
    CHECK(piece <= whole && whole - piece <= apart_most);
}

#define BEGIN "{\"mqtt_host\":\"b\",\"client_id\":\"c\",\"staging_buffer\":2048,\"session_limits\":false"

// The subscriptions of the platform, and those of the application, stay in the outbox that the pieces leave by.
static void subscriptions_take_room(void) {
    mote_t *mote = &client.mote;
    static const char *const configurations[] = {
        BEGIN "}", BEGIN ",\"send_buffer\":256}", BEGIN ",\"send_buffer\":300,\"rpc\":false}", BEGIN ",\"shared_attributes\":false,\"rpc\":false}",
    };
    for (size_t i = 0; i < sizeof configurations / sizeof configurations[0]; i++) {
        CHECK_EQUAL(client_init(&client, configurations[i]), MOTE_STATUS_OK);
        client_connect(&client);
        is_as_large_as_a_whole_message(24);
        mote_free(mote);
    }
    CHECK_EQUAL(client_init(&client, configurations[0]), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK(mote_subscribe(mote, "a/filter/of/some/length/that/stays/in/the/outbox/+", 1) > 0);
    CHECK(mote_subscribe(mote, "b", 1) > 0);
    CHECK(mote_subscribe(mote, "c", 1) > 0);
    client_serve(&client);
    CHECK(mote_request_rpc(mote, "ping", NULL, 60000) > 0);
    client_receive(&client, "v1/devices/me/rpc/response/1", "{}");
    client_serve(&client);
    is_as_large_as_a_whole_message(36);
    mote_free(mote);
}

// The largest remaining length of what was sent.
static uint32_t largest_packet(void) {
    uint32_t largest = 0;
    for (uint32_t at = 0; at < client.sent_length;) {
        uint32_t length = 0;
        uint32_t shift = 0;
        do {
            length |= (uint32_t)(client.sent[++at] & 0x7f) << shift;
            shift += 7;
        } while ((client.sent[at] & 0x80) != 0);
        if (length > largest) largest = length;
        at += 1 + length;
    }
    return largest;
}

static void add_texts(mote_t *mote) {
    char key[32], value[32];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%03d", i);
        snprintf(value, sizeof value, "value%03d", i);
        WITH_ROOM(&client, mote_add_text(mote, key, value));
    }
    WITH_ROOM(&client, mote_end(mote));
    client_serve(&client);
    uint32_t wrong = 0;
    for (int i = 0; i < 100; i++) {
        char member[64];
        snprintf(member, sizeof member, "\"key%03d\":\"value%03d\"", i, i);
        if (client_count_sent(&client, member) != 1) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
}

// What the server tells in `maxPayloadSize` is the largest packet that it takes; it closes the connection on a larger one.
static void the_server_tells_how_large(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"client_id\":\"c\",\"staging_buffer\":2048}"), MOTE_STATUS_OK);
    client_connect(&client);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"maxPayloadSize\":700}");
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_SESSION_LIMITS], 1);
    for (int attributes = 0; attributes < 2; attributes++) {
        client.sent_length = 0;
        CHECK_EQUAL((attributes ? mote_begin_attributes : mote_begin_telemetry)(mote, NULL), MOTE_STATUS_OK);
        add_texts(mote);
        CHECK(largest_packet() <= 700 && largest_packet() > 300);
    }
    // A value that no packet of that size holds, is said by the name of the limit and with the bytes that it would take.
    memset(text, 'x', sizeof text);
    text[760] = 0;
    CHECK_EQUAL(mote_begin_telemetry(mote, NULL), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_TOO_LARGE);
    CHECK(mote_span_equals(mote_error_text(mote), "maxPayloadSize"));
    CHECK(mote_error_value(mote) > 760);
    CHECK_EQUAL(mote_end(mote), 0);
    // It holds for what is open already, from the next piece on, and ends with the answer that says otherwise.
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"maxPayloadSize\":65536}");
    client_serve(&client);
    client.sent_length = 0;
    CHECK_EQUAL(mote_begin_telemetry(mote, NULL), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_OK);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"maxPayloadSize\":1000}");
    client_serve(&client);
    CHECK_EQUAL(mote_add_integer(mote, "n", 1), MOTE_STATUS_OK);
    CHECK(mote_end(mote) > 0);
    client_serve(&client);
    CHECK_EQUAL(client_count_sent(&client, "v1/devices/me/telemetry"), 2);
    mote_free(mote);
}

// The answer is looked into by way of the staging area, of which an open message may have left nothing.
static void limits_are_learnt_beside_a_full_message(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"client_id\":\"c\",\"staging_buffer\":128}"), MOTE_STATUS_OK);
    client_connect(&client);
    client.sent_length = 0;
    CHECK_EQUAL(mote_begin(mote), MOTE_STATUS_OK);
    memset(text, 'x', sizeof text);
    text[88] = 0;
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_add_null(mote, "n"), MOTE_STATUS_TOO_LARGE);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"maxPayloadSize\":700,\"rateLimits\":{\"telemetryDataPoints\":\"2:1\"}}");
    client_serve(&client);
    CHECK_EQUAL(mote->payload_max, 700);
    CHECK_EQUAL(mote->points_own, 2);
    mote_cancel(mote);
    mote_free(mote);
}

// Whatever stands in a piece already: an object that could be begun can be ended, and what was added can leave; the limit has its name.
static void what_is_begun_can_be_ended(const char *limit, const char *config, uint32_t step) {
    mote_t *mote = &client.mote;
    uint32_t unended = 0, begun = 0, misnamed = 0;
    CHECK_EQUAL(client_init(&client, config), MOTE_STATUS_OK);
    client_connect(&client);
    memset(text, 'x', sizeof text);
    for (uint32_t length = 0; length < 256; length += step) {
        for (uint32_t depth_most = 1; depth_most <= 3; depth_most++) {
            text[length] = 0;
            uint32_t depth = 0;
            CHECK_EQUAL(mote_begin_telemetry(mote, NULL), MOTE_STATUS_OK);
            mote_object_begin(mote, "o");
            bool fits = mote_add_text(mote, "t", text) == MOTE_STATUS_OK;
            while (depth < depth_most && mote_object_begin(mote, "n") == MOTE_STATUS_OK) depth++;
            misnamed += (!fits || depth < depth_most) && !mote_span_equals(mote_error_text(mote), limit);
            begun += depth > 0;
            for (uint32_t i = 0; i < depth; i++) unended += mote_object_end(mote) != MOTE_STATUS_OK;
            unended += mote_object_end(mote) != MOTE_STATUS_OK;
            unended += mote_end(mote) <= 0;
            mote_cancel(mote);
            client.sent_length = 0;
            client_serve(&client);
            text[length] = 'x';
            if (!fits) break;
        }
    }
    CHECK_EQUAL(unended, 0);
    CHECK_EQUAL(misnamed, 0);
    CHECK(begun > 50);
    mote_free(mote);
}

// A whole message that the server would close the connection on is refused; one that leaves in pieces is cut.
static void whole_messages_are_counted(void) {
    mote_t *mote = &client.mote;
    static const char key[] = "abc";
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"client_id\":\"c\"}"), MOTE_STATUS_OK);
    client_connect(&client);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"rateLimits\":{\"telemetryDataPoints\":\"2:1\"}}");
    client_serve(&client);
    for (int points = 2; points <= 3; points++) {
        for (int attributes = 0; attributes < 2; attributes++) {
            mote_begin(mote);
            for (int i = 0; i < points; i++) mote_add_integer(mote, key + i, i);
            int32_t result = attributes ? mote_send_attributes(mote, NULL) : mote_send_telemetry(mote, NULL);
            CHECK(points == 2 ? result > 0 : result == MOTE_STATUS_TOO_LARGE && mote_span_equals(mote_error_text(mote), "telemetryDataPoints"));
            client.port.now_ms += 60000;
            client_serve(&client);
        }
    }
    client.sent_length = 0;
    mote->options.split_points = 3; // what the application says comes first
    CHECK_EQUAL(mote_begin_telemetry(mote, NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 3; i++) CHECK_EQUAL(mote_add_integer(mote, key + i, i), MOTE_STATUS_OK);
    CHECK(mote_end(mote) > 0);
    client.port.now_ms += 60000;
    client_serve(&client);
    CHECK_EQUAL(client_count_sent(&client, "v1/devices/me/telemetry"), 1);
    mote_free(mote);
}

// Servers before 3.8 answer the question with an error: what is configured holds on.
static void an_error_tells_no_limits(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"client_id\":\"c\",\"telemetry_points_rate_limit\":\"2:1\"}"), MOTE_STATUS_OK);
    client_connect(&client);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"error\":\"timeout\"}");
    client_serve(&client);
    CHECK_EQUAL(client.last_event.reason, MOTE_STATUS_REMOTE_ERROR);
    client.sent_length = 0;
    CHECK_EQUAL(mote_begin_telemetry(mote, NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 3; i++) CHECK_EQUAL(mote_add_integer(mote, i == 0 ? "a" : i == 1 ? "b" : "c", i), MOTE_STATUS_OK);
    CHECK(mote_end(mote) > 0);
    client.port.now_ms += 60000;
    client_serve(&client);
    CHECK(client_sent(&client, "{\"a\":0,\"b\":1}"));
    client.port.now_ms += 60000;
    client_serve(&client);
    CHECK(client_sent(&client, "{\"c\":2}"));
    mote_free(mote);
}

static void answer(const char *limits) {
    client_receive(&client, "v1/devices/me/rpc/response/0", limits);
    client.port.now_ms += 60000;
    client_serve(&client);
}

// How many messages three data points leave in.
static uint32_t messages_of_three(mote_t *mote) {
    client.sent_length = 0;
    CHECK_EQUAL(mote_begin_telemetry(mote, NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 3; i++) CHECK_EQUAL(mote_add_integer(mote, i == 0 ? "a" : i == 1 ? "b" : "c", i), MOTE_STATUS_OK);
    CHECK(mote_end(mote) > 0);
    for (int i = 0; i < 3; i++) {
        client.port.now_ms += 60000;
        client_serve(&client);
    }
    return client_count_sent(&client, "v1/devices/me/telemetry");
}

static int32_t send_three_whole(mote_t *mote) {
    mote_begin(mote);
    for (int i = 0; i < 3; i++) mote_add_integer(mote, i == 0 ? "a" : i == 1 ? "b" : "c", i);
    int32_t result = mote_send_telemetry(mote, NULL);
    client.port.now_ms += 60000;
    client_serve(&client);
    return result;
}

// An answer says nothing about a limit that it leaves out, as older servers do: what held holds on, for the pieces as for the pace (ABI.md,
// section 7). Null and an empty text are no limit.
static void an_absent_limit_stays(void) {
    mote_t *mote = &client.mote;
    // Nobody answers a PINGREQ here.
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"client_id\":\"c\",\"telemetry_points_rate_limit\":\"2:1\",\"ack_timeout_s\":4095}"), MOTE_STATUS_OK);
    client_connect(&client);
    answer("{\"maxPayloadSize\":700}");
    CHECK_EQUAL(messages_of_three(mote), 2);
    CHECK(send_three_whole(mote) > 0); // what is configured may be less than the server takes
    answer("{\"rateLimits\":{\"telemetryDataPoints\":\"1:1\"}}");
    CHECK_EQUAL(messages_of_three(mote), 3);
    CHECK_EQUAL(mote->payload_max, 700);
    answer("{\"maxPayloadSize\":800,\"rateLimits\":{\"messages\":\"9:1\"}}");
    CHECK_EQUAL(messages_of_three(mote), 3);
    CHECK_EQUAL(send_three_whole(mote), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote->payload_max, 800);
    answer("{\"rateLimits\":{\"telemetryDataPoints\":null}}");
    CHECK_EQUAL(messages_of_three(mote), 1);
    CHECK(send_three_whole(mote) > 0);
    answer("{\"rateLimit\":{\"telemetryDataPoints\":\"2:1\"}}");
    answer("{\"rateLimit\":{}}");
    CHECK_EQUAL(messages_of_three(mote), 2);
    answer("{\"rateLimit\":{\"telemetryDataPoints\":\"\"}}");
    CHECK_EQUAL(messages_of_three(mote), 1);
    mote_free(mote);
}

void test_limits(void) {
    an_error_tells_no_limits();
    an_absent_limit_stays();
    limits_are_learnt_beside_a_full_message();
    whole_messages_are_counted();
    what_is_begun_can_be_ended("staging_buffer", "{\"mqtt_host\":\"b\",\"client_id\":\"c\",\"staging_buffer\":256,\"session_limits\":false}", 4);
    what_is_begun_can_be_ended("send_buffer", "{\"mqtt_host\":\"b\",\"client_id\":\"c\",\"staging_buffer\":1024,\"send_buffer\":400,\"session_limits\":false}", 1);
    subscriptions_take_room();
    the_server_tells_how_large();
}
