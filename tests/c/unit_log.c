// What people read: lines of the log, names of refusals.
#include "harness.h"

static client_t client;

static uint32_t lines;

static void on_log(mote_t *mote, mote_log_level_t level, mote_span_t text, void *user) {
    (void)mote;
    CHECK(user == &client && text.length > 0);
    CHECK_EQUAL(level, MOTE_LOG_LEVEL_WARNING);
    lines++;
}

static void the_log_has_levels(void) {
    static mote_port_functions_t functions;
    for (int level = MOTE_LOG_LEVEL_ERROR; level <= MOTE_LOG_LEVEL_WARNING; level++) {
        client_prepare(&client, "{\"mqtt_host\":\"broker\",\"tls\":{\"verify\":false}}");
        functions = *client.port.port.functions;
        functions.capabilities = MOTE_PORT_TLS;
        client.port.port.functions = &functions;
        client.options.on_log = on_log;
        client.options.log_level = (mote_log_level_t)level;
        CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
        CHECK_EQUAL(lines, level == MOTE_LOG_LEVEL_WARNING);
        mote_free(&client.mote);
    }
}

static void refusals_have_names(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client.port.open_at_once = true;
    CHECK_EQUAL(mote_start(&client.mote), MOTE_STATUS_OK);
    for (int i = 0; i < 4; i++) mote_poll(&client.mote);
    CHECK(memory_port_receive(&client.port, "\x20\x02\x00\x04", 4));
    for (int i = 0; i < 4 && client.event_counts[MOTE_EVENT_REFUSED] == 0; i++) mote_poll(&client.mote);
    CHECK_EQUAL(client.last_event.reason, MOTE_RETURN_CODE_BAD_CREDENTIALS);
    CHECK_EQUAL(strcmp(mote_return_code_name(client.last_event.reason), "BadCredentials"), 0);
    CHECK_EQUAL(strcmp(mote_return_code_text(client.last_event.reason), "bad user name or password"), 0);
    mote_free(&client.mote);
}

void test_log(void) {
    the_log_has_levels();
    refusals_have_names();
}
