// What handlers are called for, in which order, and what they may do.
#include "harness.h"

static client_t client;

// What the device sends for it is what was sent.
static void receive(const char *topic, const char *payload) {
    client_receive(&client, topic, payload);
    client.sent_length = 0;
    client_serve(&client);
}

// ------------------------------------------------------------------------ RPC

static int32_t add(mote_t *mote, const mote_event_t *request, void *user) {
    int64_t a = 0;
    CHECK(user == &client);
    if (mote_json_integer(mote, request->value, "a", &a) < 0) return MOTE_STATUS_MISSING_KEY;
    mote_add_integer(mote, "sum", a + 1);
    return MOTE_STATUS_OK;
}

static int32_t later(mote_t *mote, const mote_event_t *request, void *user) {
    (void)mote;
    (void)request;
    (void)user;
    return MOTE_RPC_LATER;
}

static void methods_have_handlers(void) {
    static const mote_rpc_method_t methods[] = {{"add", add}, {"later", later}};
    client_prepare(&client, TEST_CONFIG);
    client.options.rpc_methods = methods;
    client.options.rpc_method_count = 2;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    receive("v1/devices/me/rpc/request/3", "{\"method\":\"add\",\"params\":{\"a\":41}}");
    CHECK(client_sent(&client, "v1/devices/me/rpc/response/3") && client_sent(&client, "{\"sum\":42}"));
    receive("v1/devices/me/rpc/request/4", "{\"method\":\"add\",\"params\":{}}");
    CHECK(client_sent(&client, "v1/devices/me/rpc/response/4") && client_sent(&client, "{\"error\":\"MissingKey\"}"));
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_RPC_REQUEST], 0);
    receive("v1/devices/me/rpc/request/5", "{\"method\":\"later\"}");
    CHECK_EQUAL(client.sent_length, 0);
    mote_begin(&client.mote);
    mote_add_boolean(&client.mote, "ok", true);
    CHECK(mote_send_rpc_reply(&client.mote, 5, NULL) > 0);
    receive("v1/devices/me/rpc/request/6", "{\"method\":\"added\"}");
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_RPC_REQUEST], 1);
    mote_free(&client.mote);
}

// ---------------------------------------------------------- told, in which order

static char told[64];

static int32_t note_method(mote_t *mote, const mote_event_t *request, void *user) {
    (void)user;
    strcat(told, "m");
    return mote_span_equals(request->name, "later") ? MOTE_RPC_LATER : mote_add_boolean(mote, "ok", true);
}

static void note_attribute(mote_t *mote, const char *key, const mote_json_t *value, void *user) {
    (void)mote;
    (void)key;
    (void)user;
    strcat(told, value != NULL ? "v" : "-");
}

static void note_taken(mote_t *mote, const mote_event_t *event, void *user) {
    CHECK(user == &client && mote_event(mote) == event);
    strcat(told, event->kind == MOTE_EVENT_RPC_REQUEST ? "R" : event->kind == MOTE_EVENT_ATTRIBUTES_RESPONSE ? "A" : "?");
    if (event->kind == MOTE_EVENT_RPC_REQUEST) CHECK(mote_span_equals(event->value, "[1]")); // the reply has not overwritten it
}

static void note_event(mote_t *mote, const mote_event_t *event, void *user) {
    (void)mote;
    (void)user;
    if (event->kind == MOTE_EVENT_RPC_REQUEST || event->kind == MOTE_EVENT_SHARED_ATTRIBUTES) strcat(told, "e");
}

static void what_a_handler_took_is_told_after_it(void) {
    static const mote_rpc_method_t methods[] = {{"now", note_method}, {"later", note_method}};
    static const mote_shared_attribute_t attributes[] = {{"setpoint", note_attribute}};
    client_prepare(&client, TEST_CONFIG);
    client.options.rpc_methods = methods;
    client.options.rpc_method_count = 2;
    client.options.shared_attributes = attributes;
    client.options.shared_attribute_count = 1;
    client.options.on_taken = note_taken;
    client.options.on_event = note_event;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    receive("v1/devices/me/attributes/response/1", "{\"shared\":{\"setpoint\":1}}");
    receive("v1/devices/me/rpc/request/1", "{\"method\":\"now\",\"params\":[1]}");
    receive("v1/devices/me/rpc/request/2", "{\"method\":\"later\",\"params\":[1]}");
    receive("v1/devices/me/rpc/request/3", "{\"method\":\"none\"}");
    receive("v1/devices/me/attributes", "{\"setpoint\":2}"); // attributes have handlers and are an event too
    if (strcmp(told, "vAmRmReve") != 0) printf("told: %s\n", told);
    CHECK(strcmp(told, "vAmRmReve") == 0);
    mote_free(&client.mote);
}

// -------------------------------------------------------- verbs inside a handler

static bool is_locked;
static uint64_t one_post[64 / 8];

static void hold(mote_port_t *port) {
    (void)port;
    CHECK(!is_locked);
    is_locked = true;
}

static void let_go(mote_port_t *port) {
    (void)port;
    CHECK(is_locked);
    is_locked = false;
}

// Ends the subscription by which the message came, and makes others; what the event lent is still there.
static void on_message(mote_t *mote, const mote_event_t *event, void *user) {
    (void)user;
    CHECK(!is_locked);
    if (event->kind != MOTE_EVENT_MESSAGE) return;
    client.event_counts[MOTE_EVENT_MESSAGE]++;
    if (!mote_span_equals(event->topic, "in/1")) return;
    CHECK_EQUAL(mote_unsubscribe(mote, "in/+"), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_unsubscribe(mote, "in/+"), MOTE_STATUS_NOT_FOUND);
    CHECK(mote_subscribe(mote, "out/+", 1) > 0);
    CHECK_EQUAL(mote_unsubscribe(mote, "out/+"), MOTE_STATUS_OK);
    CHECK(mote_subscribe(mote, "last/+", 1) > 0);
    CHECK(mote_span_equals(event->topic, "in/1") && mote_span_equals(event->payload, "first"));
    mote_post_t post;
    uint32_t bytes[12];
    mote_post_begin(&post, bytes, sizeof bytes);
    mote_post_integer(&post, "posted", 1);
    CHECK_EQUAL(mote_post_telemetry(mote, &post), MOTE_STATUS_OK);
}

static void a_handler_may_unsubscribe(void) {
    client_prepare_posts(&client, hold, let_go, one_post, sizeof one_post);
    client.options.on_event = on_message;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK(mote_subscribe(&client.mote, "in/+", 1) > 0);
    client_serve(&client);
    // Both were on the way when the first one's handler unsubscribed.
    static const char two[] = "\x30\x0b\0\4in/1first" "\x30\x0c\0\4in/2second";
    CHECK(memory_port_receive(&client.port, two, sizeof two - 1));
    client.sent_length = 0;
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_MESSAGE], 2);
    CHECK(client_sent(&client, "in/+") && client_sent(&client, "last/+") && client_sent(&client, "{\"posted\":1}"));
    // The next session asserts what is left.
    client.port.link = MOTE_STATUS_CONNECTION_RESET;
    client.sent_length = 0;
    client_serve(&client);
    client.port.now_ms += 1001;
    client_serve(&client);
    CHECK(client_sent(&client, "last/+") && !client_sent(&client, "in/+") && !client_sent(&client, "out/+"));
    mote_free(&client.mote);
}

// ----------------------------------------------------------------- attributes

static struct {
    uint32_t calls, absent;
    char text[32];
} seen[2];

static void on_attribute(mote_t *mote, const char *key, const mote_json_t *value, void *user) {
    (void)mote;
    (void)user;
    int index = strcmp(key, "mode") == 0;
    seen[index].calls++;
    if (value == NULL) seen[index].absent++;
    else snprintf(seen[index].text, sizeof seen[index].text, "%.*s", (int)value->text.length, value->text.data);
}

static void shared_attributes_have_handlers(void) {
    static const mote_shared_attribute_t attributes[] = {{"setpoint", on_attribute}, {"mode", on_attribute}};
    client_prepare(&client, TEST_CONFIG);
    client.options.shared_attributes = attributes;
    client.options.shared_attribute_count = 2;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK(client_sent(&client, "v1/devices/me/attributes/request/1") && client_sent(&client, "{\"sharedKeys\":\"setpoint,mode\"}"));
    receive("v1/devices/me/attributes/response/1", "{\"shared\":{\"mode\":\"eco\"}}");
    CHECK_EQUAL(seen[0].absent, 1);
    CHECK(strcmp(seen[1].text, "eco") == 0);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_ATTRIBUTES_RESPONSE], 0);
    receive("v1/devices/me/attributes", "{\"setpoint\":21.5,\"other\":1}");
    CHECK(strcmp(seen[0].text, "21.5") == 0);
    CHECK_EQUAL(seen[1].calls, 1);
    receive("v1/devices/me/attributes", "{\"deleted\":[\"other\",\"mode\"]}");
    CHECK_EQUAL(seen[1].absent, 1);
    CHECK_EQUAL(seen[0].calls, 2);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_SHARED_ATTRIBUTES], 2);

    // What changed while the link was down is asked for when it is back, and an answer that does not come is asked for again.
    client.port.link = MOTE_STATUS_CONNECTION_RESET;
    client.sent_length = 0;
    client_serve(&client);
    client.port.now_ms += 1001;
    client_serve(&client);
    CHECK(client_sent(&client, "v1/devices/me/attributes/request/2"));
    client.port.now_ms += 20001;
    client_serve(&client);
    CHECK(client_sent(&client, "v1/devices/me/attributes/request/3"));
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_REQUEST_TIMEOUT], 0);
    receive("v1/devices/me/attributes/response/3", "{}");
    CHECK_EQUAL(seen[0].absent, 2);
    CHECK_EQUAL(mote_arena_allocations(&client.mote), 0);
    mote_free(&client.mote);
}

static enum { STOPS, TRAPS } ending;
static uint32_t told_after;

static void end_client(mote_t *mote, const char *key, const mote_json_t *value, void *user) {
    (void)user;
    if (strcmp(key, "first") != 0) told_after++;
    else if (ending == STOPS) CHECK_EQUAL(mote_stop(mote), MOTE_STATUS_OK);
    else {
        CHECK(value != NULL);
        mote->trap_next = true;
        CHECK_EQUAL(mote_request_attributes(mote, "a", NULL, 1000), MOTE_STATUS_TRAPPED);
    }
}

static void note_kind(mote_t *mote, const mote_event_t *event, void *user) {
    (void)mote;
    (void)user;
    client.event_counts[event->kind]++;
}

// A handler may end the client. What it was told of is over then: nobody hears that an attribute does not exist, for which nobody looked, nor of no event.
static void a_handler_may_end_the_client(int how, const char *topic, const char *payload, uint32_t events) {
    static const mote_shared_attribute_t attributes[] = {{"first", end_client}, {"second", end_client}};
    client_prepare(&client, TEST_CONFIG);
    client.options.shared_attributes = attributes;
    client.options.shared_attribute_count = 2;
    client.options.on_event = client.options.on_taken = note_kind;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    ending = how;
    told_after = 0;
    memset(client.event_counts, 0, sizeof client.event_counts);
    client_receive(&client, topic, payload);
    for (int i = 0; i < 3 && !client.mote.end_untold && mote_state(&client.mote) == MOTE_STATE_CONNECTED; i++) mote_poll(&client.mote);
    CHECK(mote_state(&client.mote) != MOTE_STATE_CONNECTED);
    CHECK_EQUAL(told_after, 0);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_NONE], 0);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_SHARED_ATTRIBUTES] + client.event_counts[MOTE_EVENT_ATTRIBUTES_RESPONSE], events);
    mote_free(&client.mote);
}

void test_handlers(void) {
    methods_have_handlers();
    what_a_handler_took_is_told_after_it();
    a_handler_may_unsubscribe();
    shared_attributes_have_handlers();
    for (int how = STOPS; how <= TRAPS; how++) {
        a_handler_may_end_the_client(how, "v1/devices/me/attributes/response/1", "{\"shared\":{\"first\":1,\"second\":2}}", how == TRAPS);
        a_handler_may_end_the_client(how, "v1/devices/me/attributes", "{\"first\":1,\"second\":2}", how == TRAPS);
    }
    a_handler_may_end_the_client(STOPS, "v1/devices/me/attributes/response/1", "{}", 0);
    a_handler_may_end_the_client(STOPS, "v1/devices/me/attributes", "{\"deleted\":[\"first\",\"second\"]}", 0);
}
