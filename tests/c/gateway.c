// The gateway's verbs through the C face: the documents are those of ThingsBoard's Gateway API page.
#include "harness.h"

static client_t client;
static uint32_t children;

static void on_event(mote_t *mote, const mote_event_t *event, void *user) {
    ((client_t *)user)->event_counts[event->kind]++;
    if (event->kind != MOTE_EVENT_CHILD_RPC_REQUEST) return;
    int64_t seconds = 0;
    CHECK(mote_span_equals(event->topic, "Boiler 7") && mote_span_equals(event->name, "purge"));
    CHECK_EQUAL(event->id, 0);
    CHECK_EQUAL(mote_json_integer(mote, event->value, "s", &seconds), MOTE_STATUS_OK);
    CHECK_EQUAL(seconds, 5);
    mote_begin(mote);
    mote_add_boolean(mote, "done", true);
    CHECK(mote_gateway_rpc_reply(mote, "Boiler 7", event->id, NULL) > 0);
    children++;
}

static void receive(const char *topic, const char *payload) {
    uint8_t packet[256] = {0x30};
    size_t topic_length = strlen(topic);
    size_t length = 2 + topic_length + strlen(payload);
    packet[1] = (uint8_t)length;
    packet[3] = (uint8_t)topic_length;
    memcpy(packet + 4, topic, topic_length);
    memcpy(packet + 4 + topic_length, payload, strlen(payload));
    CHECK(length < 128 && memory_port_receive(&client.port, packet, (uint32_t)length + 2));
}

// Each call queues, and this is what leaves.
static void leaves(int32_t result, const char *topic, const char *payload) {
    CHECK(result > 0);
    client.sent_length = 0;
    client_serve(&client);
    bool sent = client_sent(&client, topic) && client_sent(&client, payload);
    if (!sent) printf("%s %s did not leave\n", topic, payload);
    CHECK(sent);
}

static void children_come_and_go(mote_t *mote) {
    leaves(mote_gateway_connect(mote, "Boiler 7", "boiler", NULL), "v1/gateway/connect", "{\"device\":\"Boiler 7\",\"type\":\"boiler\"}");
    leaves(mote_gateway_connect(mote, "Boiler 8", NULL, NULL), "v1/gateway/connect", "{\"device\":\"Boiler 8\"}");
    leaves(mote_gateway_disconnect(mote, "Boiler 8", NULL), "v1/gateway/disconnect", "{\"device\":\"Boiler 8\"}");
}

static void messages_are_wrapped(mote_t *mote) {
    mote_begin(mote);
    mote_add_decimal(mote, "p", 22, 1);
    leaves(mote_gateway_telemetry(mote, "Boiler 8", NULL), "v1/gateway/telemetry", "{\"Boiler 8\":[{\"p\":2.2}]}");
    mote_begin(mote);
    mote_timestamp(mote, 1760000000000);
    mote_add_decimal(mote, "p", 21, 1);
    leaves(mote_gateway_telemetry(mote, "Boiler 7", NULL), "v1/gateway/telemetry", "{\"Boiler 7\":[{\"ts\":1760000000000,\"values\":{\"p\":2.1}}]}");
    mote_begin(mote);
    mote_timestamp(mote, 1);
    mote_add_integer(mote, "a", 1);
    mote_timestamp(mote, 2);
    mote_add_integer(mote, "a", 2);
    leaves(mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", "{\"B\":[{\"ts\":1,\"values\":{\"a\":1}},{\"ts\":2,\"values\":{\"a\":2}}]}");
    mote_begin(mote);
    mote_document(mote, " [{\"r\":1}]", 10);
    leaves(mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", "{\"B\": [{\"r\":1}]}");
    mote_begin(mote);
    mote_document(mote, "{\"r\":1}", 7);
    leaves(mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", "{\"B\":[{\"r\":1}]}");
    mote_begin(mote);
    mote_add_text(mote, "sn", "77");
    leaves(mote_gateway_attributes(mote, "Boiler 7", NULL), "v1/gateway/attributes", "{\"Boiler 7\":{\"sn\":\"77\"}}");
    leaves(mote_gateway_claim(mote, "Boiler 7", "k", 60000, NULL), "v1/gateway/claim", "{\"Boiler 7\":{\"secretKey\":\"k\",\"durationMs\":60000}}");
}

static uint32_t count_sent(const char *text) {
    uint32_t count = 0;
    size_t length = strlen(text);
    for (uint32_t at = 0; at + length <= client.sent_length; at++) count += memcmp(client.sent + at, text, length) == 0;
    return count;
}

// Does a step of a message in pieces again, once the outbox has emptied.
#define WITH_ROOM(step)                   \
    do {                                  \
        int32_t result = (step);          \
        if (result == MOTE_STATUS_FULL) { \
            client_serve(&client);        \
            result = (step);              \
        }                                 \
        CHECK(result >= 0);               \
    } while (0)

// What is too much for one message leaves in several, each of them whole and for the same child; every value once.
static void large_messages_are_split(mote_t *mote) {
    char text[64];
    uint32_t wrong = 0;
    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_begin_telemetry(mote, "Boiler \"7\"", NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 60; i++) {
        if (i % 20 == 0) WITH_ROOM(mote_timestamp(mote, 1760000000000 + i));
        snprintf(text, sizeof text, "key%02d", i);
        WITH_ROOM(mote_add_integer(mote, text, i));
    }
    WITH_ROOM(mote_end(mote));
    client_serve(&client);
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof text, "\"key%02d\":%d", i, i);
        if (count_sent(text) != 1) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
    uint32_t messages = count_sent("v1/gateway/telemetry");
    CHECK(messages > 2);
    CHECK_EQUAL(count_sent("{\"Boiler \\\"7\\\"\":[{\"ts\":17600000000"), messages);
    CHECK_EQUAL(count_sent("}}]}"), messages);
    CHECK_EQUAL(count_sent("[]") + count_sent("\"values\":{}"), 0);

    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_begin_attributes(mote, "B", NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof text, "key%02d", i);
        WITH_ROOM(mote_add_integer(mote, text, i));
    }
    WITH_ROOM(mote_end(mote));
    client_serve(&client);
    CHECK(count_sent("{\"B\":{\"key") > 1 && count_sent("\"key59\":59}}") == 1);
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
    CHECK_EQUAL(count_sent("v1/gateway/telemetry"), 2);

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
            WITH_ROOM(mote_gateway_child(mote, name));
            snprintf(text, sizeof text, "k%02d", i);
            WITH_ROOM(mote_add_integer(mote, text, i));
        }
        WITH_ROOM(mote_end(mote));
        client_serve(&client);
        uint32_t wrong = 0;
        for (int i = 0; i < 60; i++) {
            snprintf(text, sizeof text, attributes ? "\"sensor number %02d\":{\"k%02d\":%d}" : "\"sensor number %02d\":[{\"k%02d\":%d}]", i, i, i);
            if (count_sent(text) != 1) wrong++;
        }
        CHECK_EQUAL(wrong, 0);
        uint32_t messages = count_sent(attributes ? "v1/gateway/attributes" : "v1/gateway/telemetry");
        CHECK(messages > 2 && messages < 20);
        CHECK_EQUAL(count_sent("[]") + count_sent("{}") + count_sent("first"), 0);
    }
    mote_gateway_begin_telemetry(mote, "A", NULL);
    mote_add_integer(mote, "a", 1);
    char endless[512];
    memset(endless, 'n', sizeof endless - 1);
    endless[sizeof endless - 1] = 0;
    CHECK_EQUAL(mote_gateway_child(mote, endless), MOTE_STATUS_TOO_LARGE);
    mote_add_integer(mote, "b", 2);
    leaves(mote_end(mote), "v1/gateway/telemetry", "{\"A\":[{\"a\":1,\"b\":2}]}");
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
        CHECK_EQUAL(count_sent(text), 1);
    }
    return count_sent("v1/gateway/telemetry");
}

// What is about more children than a bucket of the server ever holds would be acknowledged and lost: each costs a message of telemetry,
// and one that is not known yet two messages.
static void messages_are_cut_by_children(mote_t *mote) {
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"access_token\":\"T\",\"staging_buffer\":512,\"telemetry_rate_limit\":\"40:60;4:1\"}"), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK_EQUAL(messages_of_seven(mote), 2); // 4 and 3
    receive("v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"telemetryMessages\":\"30:1,3:1\",\"messages\":\"9:1\"}}");
    client_serve(&client);
    CHECK_EQUAL(messages_of_seven(mote), 3);
    mote_free(mote);
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"b\",\"access_token\":\"T\",\"staging_buffer\":1024}"), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK_EQUAL(messages_of_seven(mote), 1);
    receive("v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"messages\":\"5:1\"}}");
    client_serve(&client);
    CHECK_EQUAL(messages_of_seven(mote), 4); // 2, 2, 2 and 1
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
    leaves(mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", text);

    client.sent_length = 0;
    CHECK_EQUAL(mote_gateway_begin_telemetry(mote, "B", NULL), MOTE_STATUS_OK);
    for (int i = 0; i < 80; i++) {
        if (i % 20 == 0) WITH_ROOM(mote_timestamp(mote, i)); // stays empty
        if (i % 20 == 0) WITH_ROOM(mote_connector_timestamp(mote, i, &modbus));
        snprintf(text, sizeof text, "key%02d", i);
        WITH_ROOM(mote_add_integer(mote, text, i));
    }
    WITH_ROOM(mote_timestamp(mote, 99));
    WITH_ROOM(mote_add_integer(mote, "plain", 1));
    WITH_ROOM(mote_end(mote));
    client_serve(&client);
    uint32_t parts = count_sent(metadata);
    CHECK(parts > 4);
    CHECK_EQUAL(count_sent("\"ts\":"), parts + 1);
    CHECK_EQUAL(count_sent("\"values\":{}"), 0);
    CHECK_EQUAL(count_sent("{\"ts\":99,\"values\":{\"plain\":1}}"), 1);
    uint32_t wrong = 0;
    for (int i = 0; i < 80; i++) {
        snprintf(text, sizeof text, "\"key%02d\":%d", i, i);
        if (count_sent(text) != 1) wrong++;
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
    receive("v1/devices/me/rpc/response/0", "{\"gatewayRateLimits\":{\"telemetryDataPoints\":\"9:1,2:1\"}}");
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

static void attributes_are_requested(mote_t *mote) {
    int32_t id = mote_gateway_request_attributes(mote, "Boiler 7", MOTE_SCOPE_SHARED, "setpoint,mode", 5000);
    char expected[128];
    snprintf(expected, sizeof expected, "{\"id\":%d,\"device\":\"Boiler 7\",\"client\":false,\"keys\":[\"setpoint\",\"mode\"]}", id);
    leaves(id, "v1/gateway/attributes/request", expected);
    snprintf(expected, sizeof expected, "{\"id\":%d,\"device\":\"Boiler 7\",\"values\":{\"setpoint\":60}}", id);
    receive("v1/gateway/attributes/response", expected);
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_CHILD_ATTRIBUTES_RESPONSE], 1);
    CHECK_EQUAL(mote_gateway_request_attributes(mote, "Boiler 7", MOTE_SCOPE_CLIENT, "", 5000), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(mote_gateway_request_attributes(mote, "Boiler 7", MOTE_SCOPE_CLIENT, ",,", 5000), MOTE_STATUS_INVALID_VALUE);
}

static void rpc_is_answered(void) {
    client.sent_length = 0;
    receive("v1/gateway/rpc", "{\"device\":\"Boiler 7\",\"data\":{\"id\":0,\"method\":\"purge\",\"params\":{\"s\":5}}}");
    client_serve(&client);
    CHECK_EQUAL(children, 1);
    CHECK(client_sent(&client, "{\"device\":\"Boiler 7\",\"id\":0,\"data\":{\"done\":true}}"));
}

static void what_does_not_fit_is_refused(mote_t *mote) {
    char text[512];
    memset(text, 'x', sizeof text);
    text[480] = 0;
    mote_begin(mote);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_OK); // 512 bytes of staging area hold it, but not its frame
    CHECK_EQUAL(mote_gateway_attributes(mote, "Boiler 7", NULL), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_gateway_attributes(mote, "Boiler 7", NULL), MOTE_STATUS_BAD_STATE);
    mote_begin(mote);
    CHECK_EQUAL(mote_gateway_telemetry(mote, text, NULL), MOTE_STATUS_TOO_LARGE);
}

#define CHILDREN 50
#define BOARD_CONFIG "{\"mqtt_host\":\"broker\",\"client_id\":\"c\",\"access_token\":\"T\",\"staging_buffer\":512,\"reconnect_min_ms\":1000,\"children_buffer\":2250}"

static bool serve_until_sent(const char *text, uint32_t count) {
    for (int i = 0; i < 4 * CHILDREN && count_sent(text) < count; i++) {
        client.port.now_ms += 1000;
        client_serve(&client);
    }
    return count_sent(text) == count;
}

// In the memory of a board: 16 KiB, and outboxes far smaller than what announces all of them.
static void fifty_children_live_on_a_board(mote_t *mote) {
    char name[32];
    CHECK_EQUAL(client_init(&client, BOARD_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    client.sent_length = 0;
    for (int i = 0; i < CHILDREN; i++) {
        snprintf(name, sizeof name, "sensor %02d", i);
        WITH_ROOM(mote_gateway_connect(mote, name, "thermometer", NULL));
    }
    CHECK_EQUAL(mote_gateway_connect(mote, "one too many", "thermometer", NULL), MOTE_STATUS_FULL);
    CHECK(serve_until_sent("{\"device\":\"sensor ", CHILDREN));
    client.port.link = MOTE_STATUS_CONNECTION_RESET;
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_DISCONNECTED);
    client.port.link = LINK_OPEN;
    client.sent_length = 0;
    client.port.now_ms += 120000;
    client_connect(&client);
    CHECK(serve_until_sent("{\"device\":\"sensor ", CHILDREN));
    uint32_t wrong = 0;
    for (int i = 0; i < CHILDREN; i++) {
        snprintf(name, sizeof name, "\"sensor %02d\"", i);
        if (count_sent(name) != 1) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
    CHECK_EQUAL(mote_arena_allocations(mote), 0);
    mote_free(mote);
}

int main(void) {
    client_prepare(&client, TEST_CONFIG);
    client.options.on_event = on_event;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    children_come_and_go(&client.mote);
    messages_are_wrapped(&client.mote);
    attributes_are_requested(&client.mote);
    rpc_is_answered();
    what_does_not_fit_is_refused(&client.mote);
    large_messages_are_split(&client.mote);
    children_share_messages(&client.mote);
    connectors_are_told(&client.mote);
    limits_are_learnt(&client.mote);
    CHECK_EQUAL(mote_arena_allocations(&client.mote), 0);
    mote_free(&client.mote);
    messages_are_cut_by_children(&client.mote);
    fifty_children_live_on_a_board(&client.mote);
    test_gateway_staging();
    printf("%u passed, %u failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
