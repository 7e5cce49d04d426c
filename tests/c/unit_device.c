// Topics, requests and JSON of received messages through the C face.
#include "harness.h"

static client_t client;
static int32_t replies;

static void on_rpc(mote_t *mote, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind != MOTE_EVENT_RPC_REQUEST) return;
    bool on = false;
    int64_t level = 0;
    double share = 0;
    char text[16];
    CHECK_EQUAL(event->id, 7);
    CHECK(mote_span_equals(event->name, "setLed"));
    CHECK_EQUAL(mote_json_boolean(mote, event->value, "on", &on), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_json_integer(mote, event->value, "level", &level), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_json_double(mote, event->value, "share", &share), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_json_text(mote, event->value, "name", text, sizeof text), 3);
    CHECK(on && level == 20 && share == 0.5 && strcmp(text, "a\"b") == 0);
    CHECK_EQUAL(mote_json_text(mote, event->value, "name", text, 3), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_error_value(mote), 4); // the text and its zero
    CHECK_EQUAL(mote_json_integer(mote, event->value, "share", &level), MOTE_STATUS_INEXACT);
    CHECK_EQUAL(mote_json_integer(mote, event->value, "on", &level), MOTE_STATUS_WRONG_TYPE);
    CHECK_EQUAL(mote_json_integer(mote, event->value, "none", &level), MOTE_STATUS_NOT_FOUND);
    CHECK_EQUAL(mote_json_integer(mote, (mote_span_t){"{}", 2}, "a", &level), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(mote_poll(mote), MOTE_STATUS_BAD_STATE);
    // A look-up may happen while the reply is open.
    mote_begin(mote);
    mote_add_boolean(mote, "ok", true);
    CHECK_EQUAL(mote_json_integer(mote, event->value, "level", &level), MOTE_STATUS_OK);
    mote_add_integer(mote, "level", level);
    replies = mote_send_rpc_reply(mote, event->id, NULL);
}

typedef struct number_case {
    const char *text;
    int64_t expected;
    int32_t status;
} number_case_t;

// What 64 bits hold exactly is read however it is written; anything else is refused.
static const number_case_t numbers[] = {
    {"0", 0, MOTE_STATUS_OK},
    {"-0.00e-7", 0, MOTE_STATUS_OK},
    {"0e999999999999", 0, MOTE_STATUS_OK},
    {"9223372036854775807", INT64_MAX, MOTE_STATUS_OK},
    {"-9223372036854775808", INT64_MIN, MOTE_STATUS_OK},
    {"9223372036854775808", 0, MOTE_STATUS_INEXACT},
    {"-9223372036854775809", 0, MOTE_STATUS_INEXACT},
    {"92233720368547758070", 0, MOTE_STATUS_INEXACT},
    {"1e18", INT64_C(1000000000000000000), MOTE_STATUS_OK},
    {"1e19", 0, MOTE_STATUS_INEXACT},
    {"1e999999999999", 0, MOTE_STATUS_INEXACT},
    {"-1.25E+2", -125, MOTE_STATUS_OK},
    {"12300e-2", 123, MOTE_STATUS_OK},
    {"12345e-2", 0, MOTE_STATUS_INEXACT},
    {"700000000000000000000e-20", 7, MOTE_STATUS_OK},
    {"5e-999999999999", 0, MOTE_STATUS_INEXACT},
    {"0.5", 0, MOTE_STATUS_INEXACT},
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])
static size_t numbers_read;

static void on_numbers(mote_t *mote, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind != MOTE_EVENT_RPC_REQUEST) return;
    const number_case_t *number = &numbers[numbers_read++];
    int64_t value = 0;
    CHECK_EQUAL(mote_json_integer(mote, event->value, "", &value), number->status);
    CHECK(value == number->expected);
}

static void reads_integers(void) {
    client_prepare(&client, TEST_CONFIG);
    client.options.on_event = on_numbers;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    for (size_t index = 0; index < NUMBERS; index++) {
        char payload[80];
        (void)snprintf(payload, sizeof payload, "{\"method\":\"m\",\"params\":%s}", numbers[index].text);
        client_receive(&client, "v1/devices/me/rpc/request/7", payload);
        client_serve(&client);
    }
    CHECK_EQUAL(numbers_read, NUMBERS);
    mote_free(&client.mote);
}

static void answers_rpc(void) {
    client_prepare(&client, TEST_CONFIG);
    client.options.on_event = on_rpc;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    client_receive(&client, "v1/devices/me/rpc/request/7", "{\"method\":\"setLed\",\"params\":{\"on\":true,\"level\":2e1,\"share\":0.5,\"name\":\"a\\\"b\"}}");
    client_serve(&client);
    CHECK(replies > 0);
    CHECK(client_sent(&client, "v1/devices/me/rpc/response/7"));
    CHECK(client_sent(&client, "{\"ok\":true,\"level\":20}"));
    mote_free(&client.mote);
}

// A client with so much staging area publishes a topic of one byte and a payload, its QoS given or not.
static int32_t publish_with(uint32_t staging, uint32_t payload_length, bool has_options, int32_t *out_needed) {
    static const uint8_t payload[256];
    const mote_publish_options_t options = {.qos = 1};
    char config[128];
    snprintf(config, sizeof config, "{\"mqtt_host\":\"broker\",\"client_id\":\"c\",\"staging_buffer\":%u}", (unsigned)staging);
    CHECK_EQUAL(client_init(&client, config), MOTE_STATUS_OK);
    int32_t result = mote_publish(&client.mote, "t", payload, payload_length, has_options ? &options : NULL);
    *out_needed = mote_error_value(&client.mote);
    mote_free(&client.mote);
    return result;
}

// The bytes that TooLarge tells are enough, and four less are not.
static void tells_the_bytes_needed(void) {
    for (uint32_t payload = 118; payload <= 136; payload++) {
        for (int has_options = 0; has_options <= 1; has_options++) {
            int32_t needed = 0, ignored = 0;
            int32_t result = publish_with(128, payload, has_options, &needed);
            CHECK(result > 0 || result == MOTE_STATUS_TOO_LARGE);
            CHECK_EQUAL(result > 0, payload + 1 <= (has_options ? 124u : 128u));
            if (result > 0) continue;
            CHECK(publish_with((uint32_t)needed, payload, has_options, &ignored) > 0);
            CHECK_EQUAL(publish_with((uint32_t)needed - 4, payload, has_options, &ignored), MOTE_STATUS_TOO_LARGE);
        }
    }
}

static void publishes_and_subscribes(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    const mote_publish_options_t retained = {.qos = 1, .retain = true};
    CHECK(mote_publish(mote, "a/b", "payload", 7, &retained) > 0);
    const mote_publish_options_t as_configured = {.qos = MOTE_QOS_CONFIGURED, .retain = true};
    CHECK(mote_publish(mote, "a/c", "x", 1, &as_configured) > 0);
    const mote_publish_options_t wrong = {.qos = 2};
    CHECK_EQUAL(mote_publish(mote, "a/d", "x", 1, &wrong), MOTE_STATUS_INVALID_VALUE);
    CHECK(mote_subscribe(mote, "in/+", 1) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "a/b") && client_sent(&client, "payload") && client_sent(&client, "in/+"));
    client_receive(&client, "in/x", "hello");
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_MESSAGE], 1);
    CHECK_EQUAL(mote_unsubscribe(mote, "none"), MOTE_STATUS_NOT_FOUND);
    CHECK_EQUAL(mote_unsubscribe(mote, "in/+"), MOTE_STATUS_OK);
    CHECK_EQUAL(mote->subscriptions_length, 0);
    CHECK(mote_subscribe(mote, "", 0) < 0);
    CHECK_EQUAL(mote->subscriptions_length, 0);
    CHECK_EQUAL(mote_request_attributes(mote, ",", NULL, 5000), MOTE_STATUS_INVALID_VALUE); // would be answered with everything
    CHECK_EQUAL(mote_request_attributes(mote, "a", ",,", 5000), MOTE_STATUS_INVALID_VALUE);
    CHECK(mote_span_equals(mote_error_text(mote), "shared_keys"));
    CHECK(mote_request_attributes(mote, "a,b", NULL, 5000) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "{\"clientKeys\":\"a,b\"}"));
    CHECK(mote_request_rpc(mote, "getTime", "{\"zone\":1}", 61000) > 0);
    CHECK(mote_request_rpc(mote, "ping", NULL, 61000) > 0);
    CHECK(mote_claim(mote, "k\"", 60000, NULL) > 0);
    CHECK(mote_claim(mote, NULL, 0, NULL) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "v1/devices/me/rpc/request/2") && client_sent(&client, "{\"method\":\"getTime\",\"params\":{\"zone\":1}}"));
    CHECK(client_sent(&client, "{\"method\":\"ping\"}"));
    CHECK(client_sent(&client, "v1/devices/me/claim") && client_sent(&client, "{\"secretKey\":\"k\\\"\",\"durationMs\":60000}"));
    client_receive(&client, "v1/devices/me/rpc/response/2", "{\"time\":1}");
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_RPC_RESPONSE], 1);
    CHECK_EQUAL(mote_ota_start(mote, MOTE_OTA_KIND_SOFTWARE), MOTE_STATUS_BAD_STATE); // not configured
    CHECK_EQUAL(mote_ota_apply(mote, MOTE_OTA_KIND_FIRMWARE, true), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_forget_credentials(mote), MOTE_STATUS_BAD_STATE); // it is started
    CHECK_EQUAL(mote_gateway_connect(mote, "child", NULL, NULL), MOTE_STATUS_NOT_IN_PROFILE);
    CHECK(mote_span_equals(mote_error_text(mote), "gateway_connect"));
    mote_begin(mote);
    CHECK_EQUAL(mote_publish(mote, "a", "b", 1, NULL), MOTE_STATUS_BAD_STATE);
    mote_cancel(mote);
    CHECK_EQUAL(mote_release(mote, true), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_disconnect(mote), MOTE_STATUS_OK);
    client_serve(&client);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_STOPPED);
    CHECK_EQUAL(client.port.opens, client.port.closes);
    mote_free(mote);
}

// A disconnect that start() takes back before there is a session: its event comes, and changes nothing.
static void starts_again_before_it_is_told(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client.port.open_at_once = false;
    mote_start(mote);
    for (int i = 0; i < 10 && client.port.opens == 0; i++) mote_poll(mote);
    CHECK_EQUAL(mote_disconnect(mote), MOTE_STATUS_OK);
    client.port.open_at_once = true;
    CHECK_EQUAL(mote_start(mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_DISCONNECTED);
    CHECK(mote_state(mote) != MOTE_STATE_STOPPED);
    client_serve(&client);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_CONNECTED);
    client.mote.trap_next = true; // and what is started comes back
    for (int i = 0; i < 3 && client.mote.trap_next; i++) mote_poll(mote);
    client.port.now_ms += 60000;
    client_serve(&client);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_CONNECTED);
    CHECK_EQUAL(mote_disconnect(mote), MOTE_STATUS_OK);
    client_serve(&client);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_STOPPED);
    mote_free(mote);
}

static void runs_until_woken(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    int64_t before_ms = client.port.now_ms;
    CHECK_EQUAL(mote_run(mote, 500), MOTE_STATUS_OK);
    CHECK_EQUAL(client.port.now_ms, before_ms + 500);
    CHECK((client.port.last_wants & MOTE_WANT_READABLE) != 0);
    mote_wake(mote);
    CHECK_EQUAL(mote_run(mote, 500), MOTE_STATUS_OK);
    CHECK_EQUAL(client.port.now_ms, before_ms + 500);
    mote_free(mote);
}

// A device that was stopped while it waited for its next attempt must sleep, not spin on the deadline of that attempt.
static void sleeps_when_stopped(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client.port.open_at_once = false;
    mote_start(mote);
    for (int i = 0; i < 10 && client.port.opens == 0; i++) mote_poll(mote);
    client.port.link = MOTE_STATUS_CONNECTION_REFUSED;
    for (int i = 0; i < 10 && client.event_counts[MOTE_EVENT_DISCONNECTED] == 0; i++) mote_poll(mote);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_WAITING);
    CHECK_EQUAL(mote_stop(mote), MOTE_STATUS_OK);
    client.port.now_ms += 3600000;
    mote_poll(mote);
    CHECK_EQUAL(mote_deadline_ms(mote), MOTE_NO_DEADLINE_MS);
    mote_free(mote);
}

static void asks_for_other_credentials(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"broker\",\"client_id\":\"c\","
        "\"provision\":{\"provisionDeviceKey\":\"key\",\"provisionDeviceSecret\":\"secret\"}}"), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_start(mote), MOTE_STATUS_OK);
    client_serve(&client);
    CHECK_EQUAL(mote_forget_credentials(mote), MOTE_STATUS_BAD_STATE);
    client_receive(&client, "/provision/response", "{\"credentialsValue\":\"FIRST\",\"credentialsType\":\"ACCESS_TOKEN\",\"status\":\"SUCCESS\"}");
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_PROVISIONED], 1);
    CHECK_EQUAL(mote_stop(mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_forget_credentials(mote), MOTE_STATUS_OK);
    client.sent_length = 0;
    CHECK_EQUAL(mote_start(mote), MOTE_STATUS_OK);
    client_serve(&client);
    CHECK(client_sent(&client, "/provision/request") && !client_sent(&client, "FIRST"));
    mote_free(mote);
}

void test_device(void) {
    asks_for_other_credentials();
    sleeps_when_stopped();
    answers_rpc();
    reads_integers();
    starts_again_before_it_is_told();
    runs_until_woken();
    publishes_and_subscribes();
    tells_the_bytes_needed();
}
