// What the face does by itself: handlers by verb, secrets, the log, messages from other tasks.
#include <pthread.h>
#include <sched.h>

#include "harness.h"
#include "mote_posix.h"

static client_t client;

static void receive(const char *topic, const char *payload) {
    uint8_t packet[256] = {0x30};
    size_t topic_length = strlen(topic);
    size_t length = 2 + topic_length + strlen(payload);
    packet[1] = (uint8_t)length;
    packet[3] = (uint8_t)topic_length;
    memcpy(packet + 4, topic, topic_length);
    memcpy(packet + 4 + topic_length, payload, strlen(payload));
    CHECK(length < 128 && memory_port_receive(&client.port, packet, (uint32_t)length + 2));
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

typedef void guard_t(mote_port_t *port);

// A client with a queue of posts, which these guard.
static void prepare_posts(guard_t *lock_queue, guard_t *unlock_queue, void *buffer, uint32_t size) {
    static mote_port_functions_t functions;
    client_prepare(&client, TEST_CONFIG);
    functions = *client.port.port.functions;
    functions.lock = lock_queue;
    functions.unlock = unlock_queue;
    client.port.port.functions = &functions;
    client.options.post_buffer = buffer;
    client.options.post_buffer_size = size;
}

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
    prepare_posts(hold, let_go, one_post, sizeof one_post);
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

// -------------------------------------------------------------------- secrets

static int32_t supply(const char *key, char *out_secret, size_t capacity, void *user) {
    (void)user;
    if (strcmp(key, "user_name") == 0) return 0;
    const char *secret = strcmp(key, "access_token") == 0 ? "to\"k\\en" : "pass";
    CHECK(capacity >= 8);
    memcpy(out_secret, secret, strlen(secret));
    return (int32_t)strlen(secret);
}

static int32_t refuse(const char *key, char *out_secret, size_t capacity, void *user) {
    (void)key;
    (void)out_secret;
    (void)user;
    return (int32_t)capacity + 1;
}

static void secrets_need_not_stand_in_the_text(void) {
    client_prepare(&client, " {\"mqtt_host\":\"broker\",\"client_id\":\"c\"}");
    client.options.secret = supply;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    // CONNECT [MQTT-3.1]: flags user name, password, clean session; then client id, user name and password, each with its length.
    CHECK(client.sent_length > 9 && client.sent[9] == 0xc2);
    CHECK(memcmp(client.sent + 12, "\0\1c\0\7to\"k\\en\0\4pass", 18) == 0);
    mote_free(&client.mote);

    client_prepare(&client, "{\"mqtt_host\":\"broker\",\"access_token\":\"T\"}"); // the text wins
    client.options.secret = supply;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    CHECK(client_sent(&client, "T") && !client_sent(&client, "to\"k"));
    mote_free(&client.mote);

    client_prepare(&client, "{\"mqtt_host\":\"broker\"}");
    client.options.secret = refuse;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_TOO_LARGE);
    client_prepare(&client, "{}");
    client.options.secret = supply;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_MISSING_KEY);
}

// ------------------------------------------------------------------------ log

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

// ---------------------------------------------------------------------- posts

#define TASKS 4
#define POSTS 50

static mote_t *target;
static uint64_t post_buffer[512 / 8];

static void *post_many(void *number) {
    for (int i = 0; i < POSTS; i++) {
        mote_post_t post;
        uint32_t bytes[24];
        mote_post_begin(&post, bytes, sizeof bytes);
        mote_post_integer(&post, "task", *(const int *)number);
        mote_post_integer(&post, "i", i);
        while (mote_post_telemetry(target, &post) == MOTE_STATUS_FULL) {}
    }
    return NULL;
}

static uint32_t count_sent(const char *text) {
    uint32_t count = 0;
    size_t length = strlen(text);
    for (uint32_t at = 0; at + length <= client.sent_length; at++) count += memcmp(client.sent + at, text, length) == 0;
    return count;
}

// The lock is that of the POSIX port; the bytes go to the test.
static mote_posix_t posix;
static void lock(mote_port_t *port) {
    (void)port;
    posix.port.functions->lock(&posix.port);
}
static void unlock(mote_port_t *port) {
    (void)port;
    posix.port.functions->unlock(&posix.port);
}

static void other_tasks_post(void) {
    static const int numbers[TASKS] = {0, 1, 2, 3};
    pthread_t threads[TASKS];
    CHECK_EQUAL(mote_posix_init(&posix), MOTE_STATUS_OK);
    prepare_posts(lock, unlock, post_buffer, sizeof post_buffer);
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    target = &client.mote;
    for (int i = 0; i < TASKS; i++) CHECK_EQUAL(pthread_create(&threads[i], NULL, post_many, (void *)(uintptr_t)&numbers[i]), 0);
    // However slowly the tasks get their turn: who stopped serving would leave them before a full buffer for ever.
    while (client.event_counts[MOTE_EVENT_DELIVERED] < TASKS * POSTS) {
        client_serve(&client);
        sched_yield();
    }
    for (int i = 0; i < TASKS; i++) pthread_join(threads[i], NULL);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_DELIVERED], TASKS * POSTS);
    CHECK_EQUAL(count_sent("{\"task\":"), TASKS * POSTS);
    CHECK_EQUAL(count_sent("{\"task\":2,\"i\":49}"), 1);
    CHECK_EQUAL(client.mote.posts_length, 0);

    mote_post_t post;
    uint32_t bytes[40];
    uint32_t refused = mote_posts_refused(target);
    mote_post_begin(&post, bytes, sizeof bytes);
    mote_post_json(&post, "bad", "{");
    CHECK_EQUAL(mote_post_attributes(target, &post), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_post_attributes(target, &post), MOTE_STATUS_BAD_STATE);
    client_serve(&client);
    CHECK_EQUAL(mote_posts_refused(target), refused + 1);
    mote_post_begin(&post, bytes, sizeof bytes);
    mote_post_boolean(&post, "on", true);
    mote_post_decimal(&post, "d", -5, 1);
    mote_post_text(&post, "t", "x");
    CHECK_EQUAL(mote_post_attributes(target, &post), MOTE_STATUS_OK);
    client.sent_length = 0;
    client_serve(&client);
    CHECK(client_sent(&client, "v1/devices/me/attributes") && client_sent(&client, "{\"on\":true,\"d\":-0.5,\"t\":\"x\"}"));
    mote_post_begin(&post, bytes, 20);
    CHECK_EQUAL(mote_post_text(&post, "t", "x"), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_post_telemetry(target, &post), MOTE_STATUS_TOO_LARGE);
    mote_free(&client.mote);
    mote_posix_free(&posix);
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

static void check_foreign(int32_t result) {
    CHECK_EQUAL(result, MOTE_STATUS_BAD_STATE);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "task"));
}

static void another_task_is_told(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client.port.task = 1; // who polls owns the client, not who made it
    client_connect(&client);
    client.port.task = 2;
    check_foreign(mote_begin(mote));
    check_foreign(mote_publish(mote, "t", "x", 1, NULL));
    check_foreign(mote_poll(mote));
    client.port.task = 1;
    CHECK(mote_publish(mote, "t", "x", 1, NULL) > 0);
    mote_free(mote);
}

void test_face(void) {
    methods_have_handlers();
    what_a_handler_took_is_told_after_it();
    a_handler_may_unsubscribe();
    shared_attributes_have_handlers();
    secrets_need_not_stand_in_the_text();
    the_log_has_levels();
    other_tasks_post();
    refusals_have_names();
    another_task_is_told();
}
