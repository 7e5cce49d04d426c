// A trap ends the instance, never the program: ABI.md section 8.
#include "harness.h"

static client_t client;

static void trap_once(void) {
    client.mote.trap_next = true;
    for (int i = 0; i < 3 && client.mote.trap_next; i++) mote_poll(&client.mote);
    CHECK(!client.mote.trap_next);
}

// The connection ended with the instance, and that is told before anything else.
static void tells_the_end(void) {
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_EVENT_DISCONNECTED);
    CHECK_EQUAL(client.last_event.reason, MOTE_STATUS_TRAPPED);
}

static void comes_back(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK(mote_subscribe(mote, "declared/#", 1) > 0);
    client_serve(&client);
    mote_begin(mote);
    mote_add_integer(mote, "lost", 1);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    mote_begin(mote);
    mote_add_integer(mote, "lost", 2);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    mote_begin(mote);

    trap_once();
    CHECK_EQUAL(mote_traps(mote), 1);
    CHECK(mote_error_text(mote).length > 0);
    CHECK_EQUAL(client.port.closes, 1);
    CHECK_EQUAL(mote_add_integer(mote, "a", 1), MOTE_STATUS_TRAPPED);
    CHECK_EQUAL(mote_send_telemetry(mote, NULL), MOTE_STATUS_TRAPPED);
    CHECK_EQUAL(mote_deadline_ms(mote), 0);
    tells_the_end();
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_RESTARTED);
    CHECK_EQUAL(client.last_event.total, 2);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_WAITING);
    CHECK(mote_deadline_ms(mote) <= 1000);

    client.sent_length = 0;
    client.port.now_ms += 1001;
    client_serve(&client);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_CONNECTED);
    CHECK(client_sent(&client, "declared/#"));
    CHECK_EQUAL(mote_arena_allocations(mote), 0);
    mote_begin(mote);
    mote_add_integer(mote, "again", 1);
    CHECK(mote_send_telemetry(mote, NULL) > 0);
    client_serve(&client);
    CHECK(client_sent(&client, "{\"again\":1}"));
}

static void gives_up_after_five(void) {
    mote_t *mote = &client.mote;
    for (uint32_t i = 2; i <= MOTE_TRAPS_MAX; i++) {
        trap_once();
        CHECK_EQUAL(mote_traps(mote), i);
        tells_the_end();
        CHECK_EQUAL(mote_poll(mote), i < MOTE_TRAPS_MAX ? MOTE_EVENT_RESTARTED : MOTE_EVENT_FAILED);
        client.port.now_ms += 60000;
        client_serve(&client);
    }
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_STOPPED);
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_NONE);
    CHECK_EQUAL(mote_begin(mote), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_deadline_ms(mote), MOTE_NO_DEADLINE_MS);
    CHECK_EQUAL(mote_run(mote, 10), MOTE_STATUS_TRAPPED);
    CHECK_EQUAL(mote_stop(mote), MOTE_STATUS_OK);
    CHECK_EQUAL(client.port.opens, client.port.closes);
}

// Whoever starts it after that means it: the client is built again with what was declared, and the five traps are forgotten.
static void starts_again(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(mote_start(mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_start(mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_deadline_ms(mote), 0);
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_RESTARTED);
    CHECK_EQUAL(client.last_event.total, 0);
    client.sent_length = 0;
    client.port.now_ms += 1001;
    client_serve(&client);
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_CONNECTED);
    CHECK(client_sent(&client, "declared/#"));
    CHECK_EQUAL(mote_traps(mote), MOTE_TRAPS_MAX);
    for (uint32_t i = 1; i <= MOTE_TRAPS_MAX; i++) {
        trap_once();
        tells_the_end();
        CHECK_EQUAL(mote_poll(mote), i < MOTE_TRAPS_MAX ? MOTE_EVENT_RESTARTED : MOTE_EVENT_FAILED);
        client.port.now_ms += 60000;
        client_serve(&client);
    }
    CHECK_EQUAL(mote_traps(mote), 2 * MOTE_TRAPS_MAX);
    mote_free(mote);
}

// What made room for others was counted when it was dropped.
static void dropped_is_not_lost(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"broker\",\"rpc\":false,\"shared_attributes\":false,\"send_buffer\":700,\"outbox_drop_oldest\":true}"), MOTE_STATUS_OK);
    uint32_t queued = 0;
    while (mote_stat(mote, MOTE_STAT_MESSAGES_DROPPED) < 5 && queued < 100) {
        mote_begin(mote);
        mote_add_integer(mote, "n", queued++);
        CHECK(mote_send_telemetry(mote, NULL) > 0);
    }
    uint32_t dropped = mote_stat(mote, MOTE_STAT_MESSAGES_DROPPED);
    CHECK(dropped >= 5);
    trap_once();
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_RESTARTED);
    CHECK_EQUAL(client.last_event.total, queued - dropped);
    mote_free(mote);
}

// Where nothing was connected there is no end to tell.
static void traps_unconnected(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_start(&client.mote), MOTE_STATUS_OK);
    trap_once();
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_EVENT_RESTARTED);
    mote_free(&client.mote);
}

static void forgives_with_time(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    for (uint32_t i = 1; i <= 8; i++) {
        trap_once();
        tells_the_end();
        CHECK_EQUAL(mote_poll(&client.mote), MOTE_EVENT_RESTARTED);
        client.port.now_ms += 200000;
        client_serve(&client);
    }
    CHECK_EQUAL(mote_state(&client.mote), MOTE_STATE_CONNECTED);
    mote_free(&client.mote);
}

static void stops_while_it_waits(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    trap_once();
    CHECK_EQUAL(mote_stop(&client.mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_EVENT_RESTARTED);
    client.port.now_ms += 60000;
    client_serve(&client);
    CHECK_EQUAL(client.port.opens, 1);
    CHECK_EQUAL(mote_state(&client.mote), MOTE_STATE_STOPPED);
    client_connect(&client);
    mote_free(&client.mote);
}

// Nobody polls a client that is stopped: the 32-bit clock has gone more than half its range when it is started again.
static void starts_after_a_month(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    trap_once();
    CHECK_EQUAL(mote_stop(&client.mote), MOTE_STATUS_OK);
    client.port.now_ms += 30ll * 86400 * 1000;
    CHECK_EQUAL(mote_start(&client.mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_deadline_ms(&client.mote), 0);
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_EVENT_RESTARTED);
    CHECK(mote_deadline_ms(&client.mote) <= 1000);
    mote_free(&client.mote);
}

// A program that leaves polls until the client is stopped.
static void disconnects_while_it_waits(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client_connect(&client);
    trap_once();
    mote_disconnect(&client.mote);
    CHECK_EQUAL(mote_state(&client.mote), MOTE_STATE_STOPPED);
    tells_the_end();
    client.port.now_ms += 60000;
    client_serve(&client);
    CHECK_EQUAL(client.port.opens, 1);
    CHECK_EQUAL(mote_state(&client.mote), MOTE_STATE_STOPPED);
    client_connect(&client);
    CHECK_EQUAL(mote_stop(&client.mote), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_start(&client.mote), MOTE_STATUS_OK);
    trap_once();
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_EVENT_RESTARTED);
    CHECK_EQUAL(mote_disconnect(&client.mote), MOTE_STATUS_OK);
    client_serve(&client);
    CHECK_EQUAL(mote_state(&client.mote), MOTE_STATE_STOPPED);
    mote_free(&client.mote);
}

void test_trap(void) {
    comes_back();
    gives_up_after_five();
    starts_again();
    dropped_is_not_lost();
    traps_unconnected();
    forgives_with_time();
    stops_while_it_waits();
    starts_after_a_month();
    disconnects_while_it_waits();
}
