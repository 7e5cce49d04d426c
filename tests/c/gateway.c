// The gateway's verbs through the C face: the documents are those of ThingsBoard's Gateway API page.
#include "harness.h"

static client_t client;
static uint32_t children, setpoints;

static void on_event(mote_t *mote, const mote_event_t *event, void *user) {
    ((client_t *)user)->event_counts[event->kind]++;
    mote_json_t value;
    if (event->kind == MOTE_EVENT_CHILD_ATTRIBUTES && mote_json_find(mote, event->value, "setpoint", &value) > 0) {
        CHECK(mote_span_equals(event->topic, "Boiler 7") && mote_span_equals(value.text, "62.5"));
        setpoints++;
    }
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

static void children_come_and_go(mote_t *mote) {
    check_leaves(&client, mote_gateway_connect(mote, "Boiler 7", "boiler", NULL), "v1/gateway/connect", "{\"device\":\"Boiler 7\",\"type\":\"boiler\"}");
    check_leaves(&client, mote_gateway_connect(mote, "Boiler 8", NULL, NULL), "v1/gateway/connect", "{\"device\":\"Boiler 8\"}");
    check_leaves(&client, mote_gateway_disconnect(mote, "Boiler 8", NULL), "v1/gateway/disconnect", "{\"device\":\"Boiler 8\"}");
}

static void a_gateway_speaks_for_itself(mote_t *mote) {
    mote_begin(mote);
    mote_add_integer(mote, "own", 1);
    check_leaves(&client, mote_send_attributes(mote, NULL), "v1/devices/me/attributes", "{\"own\":1}");
}

static void messages_are_wrapped(mote_t *mote) {
    mote_begin(mote);
    mote_add_decimal(mote, "p", 22, 1);
    check_leaves(&client, mote_gateway_telemetry(mote, "Boiler 8", NULL), "v1/gateway/telemetry", "{\"Boiler 8\":[{\"p\":2.2}]}");
    mote_begin(mote);
    mote_timestamp(mote, 1760000000000);
    mote_add_decimal(mote, "p", 21, 1);
    check_leaves(&client, mote_gateway_telemetry(mote, "Boiler 7", NULL), "v1/gateway/telemetry", "{\"Boiler 7\":[{\"ts\":1760000000000,\"values\":{\"p\":2.1}}]}");
    mote_begin(mote);
    mote_timestamp(mote, 1);
    mote_add_integer(mote, "a", 1);
    mote_timestamp(mote, 2);
    mote_add_integer(mote, "a", 2);
    check_leaves(&client, mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", "{\"B\":[{\"ts\":1,\"values\":{\"a\":1}},{\"ts\":2,\"values\":{\"a\":2}}]}");
    mote_begin(mote);
    mote_document(mote, " [{\"r\":1}]", 10);
    check_leaves(&client, mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", "{\"B\": [{\"r\":1}]}");
    mote_begin(mote);
    mote_document(mote, "{\"r\":1}", 7);
    check_leaves(&client, mote_gateway_telemetry(mote, "B", NULL), "v1/gateway/telemetry", "{\"B\":[{\"r\":1}]}");
    mote_begin(mote);
    mote_add_text(mote, "sn", "77");
    check_leaves(&client, mote_gateway_attributes(mote, "Boiler 7", NULL), "v1/gateway/attributes", "{\"Boiler 7\":{\"sn\":\"77\"}}");
    check_leaves(&client, mote_gateway_claim(mote, "Boiler 7", "k", 60000, NULL), "v1/gateway/claim", "{\"Boiler 7\":{\"secretKey\":\"k\",\"durationMs\":60000}}");
}

static void attributes_are_requested(mote_t *mote) {
    int32_t id = mote_gateway_request_attributes(mote, "Boiler 7", MOTE_SCOPE_SHARED, "setpoint,mode", 5000);
    char expected[128];
    snprintf(expected, sizeof expected, "{\"id\":%d,\"device\":\"Boiler 7\",\"client\":false,\"keys\":[\"setpoint\",\"mode\"]}", id);
    check_leaves(&client, id, "v1/gateway/attributes/request", expected);
    snprintf(expected, sizeof expected, "{\"id\":%d,\"device\":\"Boiler 7\",\"values\":{\"setpoint\":60}}", id);
    client_receive(&client, "v1/gateway/attributes/response", expected);
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_CHILD_ATTRIBUTES_RESPONSE], 1);
    CHECK_EQUAL(mote_gateway_request_attributes(mote, "Boiler 7", MOTE_SCOPE_CLIENT, "", 5000), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(mote_gateway_request_attributes(mote, "Boiler 7", MOTE_SCOPE_CLIENT, ",,", 5000), MOTE_STATUS_INVALID_VALUE);
}

static void new_attributes_are_told(void) {
    client_receive(&client, "v1/gateway/attributes", "{\"device\":\"Boiler 7\",\"data\":{\"mode\":\"eco\"}}");
    client_serve(&client);
    client_receive(&client, "v1/gateway/attributes", "{\"device\":\"Boiler 7\",\"data\":{\"mode\":\"x\",\"setpoint\":62.5}}");
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_CHILD_ATTRIBUTES], 2);
    CHECK_EQUAL(setpoints, 1);
}

static void rpc_is_answered(void) {
    client.sent_length = 0;
    client_receive(&client, "v1/gateway/rpc", "{\"device\":\"Boiler 7\",\"data\":{\"id\":0,\"method\":\"purge\",\"params\":{\"s\":5}}}");
    client_serve(&client);
    CHECK_EQUAL(children, 1);
    CHECK(client_sent(&client, "{\"device\":\"Boiler 7\",\"id\":0,\"data\":{\"done\":true}}"));
}

static void what_does_not_fit_is_refused(mote_t *mote) {
    // Members of a record (ABI.md section 7): 12 bytes, and their key and text in words. 512 bytes of staging area hold the message, but not its frame.
    const int32_t message = 12 + (12 + 4 + 472) + 12;
    static char text[65537];
    memset(text, 'x', sizeof text - 1);
    text[472] = 0;
    mote_begin(mote);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_gateway_attributes(mote, "Boiler 7", NULL), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_error_value(mote), 12 + 8 + message + 12);
    CHECK_EQUAL(mote_gateway_attributes(mote, "Boiler 7", NULL), MOTE_STATUS_BAD_STATE);
    mote_begin(mote);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_gateway_telemetry(mote, "Boiler 7", NULL), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_error_value(mote), 12 + (12 + 8) + message + 12 + 12);
    mote_begin(mote);
    CHECK_EQUAL(mote_add_text(mote, "k", text), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_gateway_rpc_reply(mote, "Boiler 7", 1, NULL), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_error_value(mote), 12 + (12 + 8 + 8) + (12 + 4) + 4 + message + 12);
    // No key of a record is longer than 16 bits count.
    text[472] = 'x';
    mote_begin(mote);
    CHECK_EQUAL(mote_gateway_telemetry(mote, text, NULL), MOTE_STATUS_TOO_LARGE);
    CHECK(mote_span_equals(mote_error_text(mote), "device") && mote_error_value(mote) == 65536);
    mote_begin(mote);
    CHECK_EQUAL(mote_gateway_attributes(mote, text, NULL), MOTE_STATUS_TOO_LARGE);
    CHECK(mote_span_equals(mote_error_text(mote), "device") && mote_error_value(mote) == 65536);
}

static void what_is_no_utf8_is_refused(mote_t *mote) {
    static const char bad[] = "B\xe2\x82";
    uint32_t length = client.sent_length;
    CHECK_EQUAL(mote_gateway_connect(mote, bad, NULL, NULL), MOTE_STATUS_INVALID_UTF8);
    CHECK_EQUAL(mote_gateway_connect(mote, "B", bad, NULL), MOTE_STATUS_INVALID_UTF8);
    CHECK_EQUAL(mote_gateway_disconnect(mote, bad, NULL), MOTE_STATUS_INVALID_UTF8);
    CHECK_EQUAL(mote_gateway_claim(mote, bad, NULL, 0, NULL), MOTE_STATUS_INVALID_UTF8);
    CHECK_EQUAL(mote_gateway_claim(mote, "B", bad, 0, NULL), MOTE_STATUS_INVALID_UTF8);
    CHECK_EQUAL(mote_gateway_request_attributes(mote, bad, MOTE_SCOPE_SHARED, "a", 5000), MOTE_STATUS_INVALID_UTF8);
    CHECK_EQUAL(mote_gateway_request_attributes(mote, "B", MOTE_SCOPE_SHARED, bad, 5000), MOTE_STATUS_INVALID_UTF8);
    mote_begin(mote);
    CHECK_EQUAL(mote_gateway_telemetry(mote, bad, NULL), MOTE_STATUS_INVALID_UTF8);
    mote_begin(mote);
    CHECK_EQUAL(mote_gateway_attributes(mote, bad, NULL), MOTE_STATUS_INVALID_UTF8);
    mote_begin(mote);
    CHECK_EQUAL(mote_gateway_rpc_reply(mote, bad, 1, NULL), MOTE_STATUS_INVALID_UTF8);
    CHECK_EQUAL(mote_gateway_begin_telemetry(mote, bad, NULL), MOTE_STATUS_OK);
    mote_add_integer(mote, "a", 1);
    CHECK_EQUAL(mote_end(mote), MOTE_STATUS_INVALID_UTF8);
    mote_cancel(mote);
    client_serve(&client);
    CHECK_EQUAL(client.sent_length, length);
}

#define CHILDREN 50
#define BOARD_CONFIG "{\"mqtt_host\":\"broker\",\"client_id\":\"c\",\"access_token\":\"T\",\"staging_buffer\":512,\"reconnect_min_ms\":1000,\"children_buffer\":2250}"

static bool serve_until_sent(const char *text, uint32_t count) {
    for (int i = 0; i < 4 * CHILDREN && client_count_sent(&client, text) < count; i++) {
        client.port.now_ms += 1000;
        client_serve(&client);
    }
    return client_count_sent(&client, text) == count;
}

// In the memory of a board: 16 KiB, and outboxes far smaller than what announces all of them.
static void fifty_children_live_on_a_board(mote_t *mote) {
    char name[32];
    CHECK_EQUAL(client_init(&client, BOARD_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    client.sent_length = 0;
    for (int i = 0; i < CHILDREN; i++) {
        snprintf(name, sizeof name, "sensor %02d", i);
        WITH_ROOM(&client, mote_gateway_connect(mote, name, "thermometer", NULL));
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
        if (client_count_sent(&client, name) != 1) wrong++;
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
    a_gateway_speaks_for_itself(&client.mote);
    messages_are_wrapped(&client.mote);
    attributes_are_requested(&client.mote);
    new_attributes_are_told();
    rpc_is_answered();
    what_does_not_fit_is_refused(&client.mote);
    what_is_no_utf8_is_refused(&client.mote);
    CHECK_EQUAL(mote_arena_allocations(&client.mote), 0);
    mote_free(&client.mote);
    fifty_children_live_on_a_board(&client.mote);
    test_gateway_split();
    test_gateway_staging();
    printf("%u passed, %u failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
