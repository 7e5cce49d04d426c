// Messages of a gateway that leave in pieces: each for the same children, every value once, none above what the server takes.
#include "harness.h"

static client_t client;

// What is too much for one message leaves in several, each of them whole and for the same child; every value once.
static void large_messages_are_split(mote_t *mote) {
    char text[64];
    uint32_t wrong = 0;
    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_begin_telemetry(mote, "Boiler \"7\"", NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 60; i++) {
        if (i % 20 == 0) WITH_ROOM(&client, mote_timestamp(mote, 1760000000000 + i));
        snprintf(text, sizeof text, "key%02d", i);
        WITH_ROOM(&client, mote_add_integer(mote, text, i));
    }
    WITH_ROOM(&client, mote_end(mote));
    client_serve(&client);
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof text, "\"key%02d\":%d", i, i);
        if (client_count_sent(&client, text) != 1) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
    uint32_t messages = client_count_sent(&client, "v1/gateway/telemetry");
    CHECK(messages > 2);
    CHECK_EQUAL(client_count_sent(&client, "{\"Boiler \\\"7\\\"\":[{\"ts\":17600000000"), messages);
    CHECK_EQUAL(client_count_sent(&client, "}}]}"), messages);
    CHECK_EQUAL(client_count_sent(&client, "[]") + client_count_sent(&client, "\"values\":{}"), 0);

    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_begin_attributes(mote, "B", NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof text, "key%02d", i);
        WITH_ROOM(&client, mote_add_integer(mote, text, i));
    }
    WITH_ROOM(&client, mote_end(mote));
    client_serve(&client);
    CHECK(client_count_sent(&client, "{\"B\":{\"key") > 1 && client_count_sent(&client, "\"key59\":59}}") == 1);
    char name[512];
    memset(name, 'n', sizeof name);
    name[480] = 0;
    CHECK_EQUAL(mote_gateway_begin_telemetry(mote, name, NULL), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_begin(mote), MOTE_STATUS_OK);
    mote_cancel(mote);
}

// Several children share a message, each of them once and none without a value.
static void children_share_messages(mote_t *mote) {
    char name[32], text[64];
    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_child(mote, "A"), MOTE_STATUS_BAD_STATE);
    mote_begin_telemetry(mote, NULL);
    CHECK_EQUAL(mote_gateway_child(mote, "A"), MOTE_STATUS_BAD_STATE);
    mote_cancel(mote);
    CHECK_EQUAL(mote_gateway_begin_telemetry(mote, "A", NULL), MOTE_STATUS_OK);
    mote_add_integer(mote, "a", 1);
    mote_timestamp(mote, 5);
    mote_add_integer(mote, "b", 2);
    mote_timestamp(mote, 6); // stays empty
    CHECK_EQUAL(mote_gateway_child(mote, "silent"), MOTE_STATUS_OK);
    mote_object_begin(mote, "o");
    CHECK_EQUAL(mote_gateway_child(mote, "C"), MOTE_STATUS_BAD_STATE);
    mote_object_end(mote);
    CHECK_EQUAL(mote_gateway_child(mote, "C \"3\""), MOTE_STATUS_OK);
    mote_add_integer(mote, "c", 3);
    CHECK_EQUAL(mote_gateway_child(mote, "D"), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_gateway_child(mote, "A"), MOTE_STATUS_OK); // a second member of that key would take the place of the first
    mote_add_integer(mote, "d", 4);
    CHECK(mote_end(mote) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "{\"A\":[{\"a\":1},{\"ts\":5,\"values\":{\"b\":2}}],\"silent\":[{\"o\":{}}],\"C \\\"3\\\"\":[{\"c\":3}]}"));
    CHECK(client_sent(&client, "{\"A\":[{\"d\":4}]}"));
    CHECK_EQUAL(client_count_sent(&client, "v1/gateway/telemetry"), 2);

    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_begin_attributes(mote, "nothing", NULL), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_gateway_child(mote, "A"), MOTE_STATUS_OK);
    mote_add_integer(mote, "a", 1);
    CHECK_EQUAL(mote_gateway_child(mote, "B"), MOTE_STATUS_OK);
    mote_add_text(mote, "b", "2");
    CHECK_EQUAL(mote_gateway_child(mote, "nothing"), MOTE_STATUS_OK);
    CHECK(mote_end(mote) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "{\"A\":{\"a\":1},\"B\":{\"b\":\"2\"}}"));

    for (int attributes = 0; attributes < 2; attributes++) {
        client.sent_length = 0;
        CHECK_EQUAL((attributes ? mote_gateway_begin_attributes : mote_gateway_begin_telemetry)(mote, "first", NULL), MOTE_STATUS_OK);
        for (int i = 0; i < 60; i++) {
            snprintf(name, sizeof name, "sensor number %02d", i); // the same memory for every name
            WITH_ROOM(&client, mote_gateway_child(mote, name));
            snprintf(text, sizeof text, "k%02d", i);
            WITH_ROOM(&client, mote_add_integer(mote, text, i));
        }
        WITH_ROOM(&client, mote_end(mote));
        client_serve(&client);
        uint32_t wrong = 0;
        for (int i = 0; i < 60; i++) {
            snprintf(text, sizeof text, attributes ? "\"sensor number %02d\":{\"k%02d\":%d}" : "\"sensor number %02d\":[{\"k%02d\":%d}]", i, i, i);
            if (client_count_sent(&client, text) != 1) wrong++;
        }
        CHECK_EQUAL(wrong, 0);
        uint32_t messages = client_count_sent(&client, attributes ? "v1/gateway/attributes" : "v1/gateway/telemetry");
        CHECK(messages > 2 && messages < 20);
        CHECK_EQUAL(client_count_sent(&client, "[]") + client_count_sent(&client, "{}") + client_count_sent(&client, "first"), 0);
    }
    mote_gateway_begin_telemetry(mote, "A", NULL);
    mote_add_integer(mote, "a", 1);
    char endless[512];
    memset(endless, 'n', sizeof endless - 1);
    endless[sizeof endless - 1] = 0;
    CHECK_EQUAL(mote_gateway_child(mote, endless), MOTE_STATUS_TOO_LARGE);
    mote_add_integer(mote, "b", 2);
    check_leaves(&client, mote_end(mote), "v1/gateway/telemetry", "{\"A\":[{\"a\":1,\"b\":2}]}");
}

// Messages of seven children, a value for each.
static uint32_t messages_of_seven(mote_t *mote) {
    static const char *const names[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6"};
    char text[64];
    client.sent_length = 0;
    for (int i = 0; i < 7; i++) {
        CHECK_EQUAL(i == 0 ? mote_gateway_begin_telemetry(mote, names[i], NULL) : mote_gateway_child(mote, names[i]), MOTE_STATUS_OK);
        CHECK_EQUAL(mote_add_integer(mote, "v", i), MOTE_STATUS_OK);
    }
    CHECK(mote_end(mote) > 0);
    for (uint32_t i = 0; i < 600; i++) { // what each costs comes back by and by
        client.port.now_ms += 1000;
        client_serve(&client);
    }
    for (int i = 0; i < 7; i++) {
        snprintf(text, sizeof text, "\"c%d\":[{\"v\":%d}]", i, i);
        CHECK_EQUAL(client_count_sent(&client, text), 1);
    }
    return client_count_sent(&client, "v1/gateway/telemetry");
}

// What is about more children than a bucket of the server ever holds would be acknowledged and lost: each costs a message of telemetry,
// and one that is not known yet two messages.
static void messages_are_cut_by_children(mote_t *mote) {
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"access_token\":\"T\",\"staging_buffer\":512,\"telemetry_rate_limit\":\"40:60;4:1\"}"), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK_EQUAL(messages_of_seven(mote), 2); // 4 and 3
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"rateLimits\":{\"messages\":null}}"); // says nothing about children
    client_serve(&client);
    CHECK_EQUAL(messages_of_seven(mote), 2);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"telemetryMessages\":\"30:1,3:1\",\"messages\":\"9:1\"}}");
    client_serve(&client);
    CHECK_EQUAL(messages_of_seven(mote), 3);
    mote_free(mote);
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"access_token\":\"T\",\"staging_buffer\":1024}"), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK_EQUAL(messages_of_seven(mote), 1);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"messages\":\"5:1\"}}");
    client_serve(&client);
    CHECK_EQUAL(messages_of_seven(mote), 4); // 2, 2, 2 and 1
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"telemetryMessages\":\"3:1\"}}");
    client_serve(&client);
    CHECK_EQUAL(messages_of_seven(mote), 4); // the other one holds on
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"messages\":null}}");
    client_serve(&client);
    CHECK_EQUAL(messages_of_seven(mote), 3); // 3, 3 and 1
    mote_free(mote);
}

// Where the values came from stands beside them, in each part of a message that is split.
static void connectors_are_told(mote_t *mote) {
    const mote_connector_t modbus = {.name = "modbus \"1\"", .received_ms = 10, .published_ms = 1760000000005};
    static const char metadata[] = "\"metadata\":{\"connector\":\"modbus \\\"1\\\"\",\"receivedTs\":10,\"publishedTs\":1760000000005},\"values\":{\"key";
    char text[512];
    mote_begin(mote);
    mote_connector_timestamp(mote, 7, &modbus);
    mote_add_integer(mote, "key", 1);
    snprintf(text, sizeof text, "{\"B\":[{\"ts\":7,%s\":1}}]}", metadata);
    check_leaves(&client, mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", text);

    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_begin_telemetry(mote, "B", NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 80; i++) {
        if (i % 20 == 0) WITH_ROOM(&client, mote_timestamp(mote, i)); // stays empty
        if (i % 20 == 0) WITH_ROOM(&client, mote_connector_timestamp(mote, i, &modbus));
        snprintf(text, sizeof text, "key%02d", i);
        WITH_ROOM(&client, mote_add_integer(mote, text, i));
    }
    WITH_ROOM(&client, mote_timestamp(mote, 99));
    WITH_ROOM(&client, mote_add_integer(mote, "plain", 1));
    WITH_ROOM(&client, mote_end(mote));
    client_serve(&client);
    uint32_t parts = client_count_sent(&client, metadata);
    CHECK(parts > 4);
    CHECK_EQUAL(client_count_sent(&client, "\"ts\":"), parts + 1);
    CHECK_EQUAL(client_count_sent(&client, "\"values\":{}"), 0);
    CHECK_EQUAL(client_count_sent(&client, "{\"ts\":99,\"values\":{\"plain\":1}}"), 1);
    uint32_t wrong = 0;
    for (int i = 0; i < 80; i++) {
        snprintf(text, sizeof text, "\"key%02d\":%d", i, i);
        if (client_count_sent(&client, text) != 1) wrong++;
    }
    CHECK_EQUAL(wrong, 0);

    memset(text, 'n', sizeof text - 1);
    text[sizeof text - 1] = 0;
    const mote_connector_t endless = {.name = text};
    mote_gateway_begin_telemetry(mote, "B", NULL);
    CHECK_EQUAL(mote_connector_timestamp(mote, 1, &endless), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_end(mote), 0);
}

// The limit of data points that the server tells for the children of a gateway is kept without being asked for.
static void limits_are_learnt(mote_t *mote) {
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"telemetryDataPoints\":\"9:1,2:1\"}}");
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_SESSION_LIMITS], 1);
    client.sent_length = 0;
    mote_gateway_begin_telemetry(mote, "B", NULL);
    for (int i = 0; i < 3; i++) CHECK_EQUAL(mote_add_integer(mote, i == 0 ? "a" : i == 1 ? "b" : "c", i), MOTE_STATUS_OK);
    CHECK(mote_end(mote) > 0);
    mote->options.split_points = 1; // what the application says comes first
    mote_gateway_begin_telemetry(mote, "B", NULL);
    mote_add_integer(mote, "d", 3);
    mote_add_integer(mote, "e", 4);
    CHECK(mote_end(mote) > 0);
    mote->options.split_points = 0;
    for (uint32_t i = 0; i < 600; i++) { // one data point a second leaves, after those that were too many before
        client.port.now_ms += 1000;
        client_serve(&client);
    }
    CHECK(client_sent(&client, "{\"B\":[{\"a\":0,\"b\":1}]}") && client_sent(&client, "{\"B\":[{\"c\":2}]}"));
    CHECK(client_sent(&client, "{\"B\":[{\"d\":3}]}") && client_sent(&client, "{\"B\":[{\"e\":4}]}"));
}

static int32_t send_ready(mote_t *mote, const char *json, bool attributes) {
    mote_begin(mote);
    mote_document(mote, json, strlen(json));
    return (attributes ? mote_gateway_attributes : mote_gateway_telemetry)(mote, "B", NULL);
}

// What the server would acknowledge and lose, because it has more data points than it ever takes for children, is refused by that name.
static void whole_messages_are_counted(mote_t *mote) {
    static const struct {
        const char *json;
        bool taken;
    } ready[] = {
        {"{\"a\":1,\"b\":2}", true},
        {"{\"a\":1,\"b\":2,\"c\":3}", false},
        {" [ {\"a\":1} , {\"b\":[2,{\"x\":1,\"y\":2}]} ] ", true},
        {"[{\"a\":1},{\"b\":2},{\"c\":3}]", false},
        {"{\"ts\":1,\"values\":{\"a\":1,\"b\":{\"c\":1,\"d\":2,\"e\":3}}}", true},
        {"{\"ts\":1,\"metadata\":{\"connector\":\"x\",\"receivedTs\":1,\"publishedTs\":2},\"values\":{\"a\":1,\"b\":2}}", true},
        {"[{\"values\":{\"a\":1,\"b\":2},\"ts\":1},{\"c\":3}]", false},
        {"{\"values\":{\"a\":1,\"b\":2,\"c\":3},\"t\":1}", true}, // two values of their own
        {"{\"a\":\"}{[,\\\"\",\"b\":\"]\"}", true},
    };
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"access_token\":\"T\",\"staging_buffer\":512,\"send_buffer\":4096,\"telemetry_points_rate_limit\":\"1:1\"}"),
                MOTE_STATUS_OK);
    client_connect(&client);
    // What is configured may be less than the server takes.
    CHECK(send_ready(mote, "{\"a\":1,\"b\":2,\"c\":3}", false) > 0);
    client_receive(&client, "v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"telemetryDataPoints\":\"9:1,2:1\"}}");
    client_serve(&client);
    for (size_t i = 0; i < sizeof ready / sizeof ready[0]; i++) {
        int32_t result = send_ready(mote, ready[i].json, false);
        if ((result > 0) != ready[i].taken) printf("%s: %d\n", ready[i].json, result);
        CHECK(ready[i].taken ? result > 0 : result == MOTE_STATUS_TOO_LARGE);
        CHECK(ready[i].taken || mote_span_equals(mote_error_text(mote), "telemetryDataPoints"));
        client.port.now_ms += 60000;
        client_serve(&client);
    }
    CHECK_EQUAL(send_ready(mote, "{\"a\":1,\"b\":2,\"c\":3}", true), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(send_ready(mote, "{\"a\":", true), MOTE_STATUS_MORE_BYTES);
    for (int points = 2; points <= 3; points++) {
        mote_begin(mote);
        mote_timestamp(mote, 1);
        mote_object_begin(mote, "o"); // one data point, whatever is in it
        for (int i = 0; i < 4; i++) mote_add_text(mote, "values", "x");
        mote_object_end(mote);
        mote_timestamp(mote, 2);
        for (int i = 1; i < points; i++) mote_add_integer(mote, i == 1 ? "a" : "b", i);
        int32_t result = mote_gateway_telemetry(mote, "B", NULL);
        CHECK(points == 2 ? result > 0 : result == MOTE_STATUS_TOO_LARGE);
        client.port.now_ms += 60000;
        client_serve(&client);
    }
    // The device's own have another limit, of which nothing was told.
    mote_begin(mote);
    for (int i = 0; i < 3; i++) mote_add_integer(mote, i == 0 ? "a" : i == 1 ? "b" : "c", i);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    mote_free(mote);
}

// The subscriptions of a gateway stay in the outbox: what leaves in pieces is cut to what they leave.
static void pieces_fit_beside_subscriptions(mote_t *mote) {
    char text[1200];
    uint32_t stuck = 0, sent = 0;
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"access_token\":\"T\",\"staging_buffer\":2048}"), MOTE_STATUS_OK);
    client_connect(&client);
    memset(text, 'x', sizeof text);
    for (uint32_t length = 500; length < 1000; length++) {
        client.sent_length = 0;
        text[length] = 0;
        CHECK_EQUAL(mote_gateway_begin_telemetry(mote, "Boiler 7", NULL), MOTE_STATUS_OK);
        if (mote_add_text(mote, "k", text) == MOTE_STATUS_OK) {
            int32_t id = mote_end(mote);
            stuck += id == MOTE_STATUS_TOO_LARGE;
            sent += id > 0;
        }
        mote_cancel(mote);
        client_serve(&client);
        text[length] = 'x';
    }
    CHECK_EQUAL(stuck, 0);
    CHECK(sent > 100);
    mote_free(mote);
}

void test_gateway_split(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    large_messages_are_split(&client.mote);
    children_share_messages(&client.mote);
    connectors_are_told(&client.mote);
    limits_are_learnt(&client.mote);
    CHECK_EQUAL(mote_arena_allocations(&client.mote), 0);
    mote_free(&client.mote);
    messages_are_cut_by_children(&client.mote);
    pieces_fit_beside_subscriptions(&client.mote);
    whole_messages_are_counted(&client.mote);
}
