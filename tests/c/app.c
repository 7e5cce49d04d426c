// An app (app.wat) beside a client: setup, events, timer, failures and restarts, by a clock of the test's.
#include "harness.h"
#include "mote_app.h"

static client_t client;
static mote_app_t app;
static uint64_t arena[32 * 1024 / 8];
static uint8_t module[4096];
static size_t module_length;

// What the app showed last, and how often each kind came.
static uint8_t shown[128];
static uint32_t shown_length, setups, counts[128];
static int32_t released; // the answer to event_release in `setup`

// What the client's application was told.
static uint32_t failures_told;
static int32_t reason_told;
static char name_told[64];

static int32_t io(void *user, int32_t op, uint8_t *bytes, uint32_t length) {
    CHECK(user == &app);
    if (op == 1000) {
        setups++;
        memcpy(&released, bytes, sizeof released);
        return 0;
    }
    counts[op]++;
    shown_length = length;
    CHECK(length <= sizeof shown);
    memcpy(shown, bytes, length);
    return 0;
}

static void on_event(mote_t *mote, const mote_event_t *event, void *user) {
    (void)mote, (void)user;
    if (event->kind != MOTE_EVENT_APP_FAILED) return;
    failures_told++;
    reason_told = event->reason;
    snprintf(name_told, sizeof name_told, "%.*s", (int)event->name.length, event->name.data);
}

static uint32_t u32(uint32_t at) {
    return (uint32_t)shown[at] | (uint32_t)shown[at + 1] << 8 | (uint32_t)shown[at + 2] << 16 | (uint32_t)shown[at + 3] << 24;
}

static mote_app_options_t options_of(void) {
    return (mote_app_options_t){
        .mote = &client.mote, .module = module, .module_length = module_length, .arena = arena, .arena_size = sizeof arena, .io = io, .user = &app,
    };
}

static void is_refused_by_name(void) {
    mote_app_options_t options = options_of();
    options.memory_size = 512;
    CHECK_EQUAL(mote_app_init(&app, &options), MOTE_STATUS_TOO_LARGE);
    CHECK(strcmp(mote_app_fault(&app), "memory_bytes") == 0);
    options = options_of();
    options.arena_size = 2048;
    CHECK_EQUAL(mote_app_init(&app, &options), MOTE_STATUS_TOO_LARGE);
    CHECK(strcmp(mote_app_fault(&app), "arena_size") == 0);
    options = options_of();
    options.module_length = 100;
    CHECK_EQUAL(mote_app_init(&app, &options), MOTE_STATUS_MALFORMED);
    options = options_of();
    options.mote = NULL;
    CHECK_EQUAL(mote_app_init(&app, &options), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(mote_app_poll(&app), MOTE_EVENT_NONE);
    CHECK_EQUAL(mote_app_deadline_ms(&app), MOTE_NO_DEADLINE_MS);
}

static void begins_with_setup(void) {
    mote_app_options_t options = options_of();
    CHECK_EQUAL(mote_app_init(&app, &options), MOTE_STATUS_OK);
    CHECK_EQUAL(setups, 0);
    CHECK_EQUAL(mote_app_deadline_ms(&app), 0);
    mote_app_event(&app, &(const mote_event_t){.kind = MOTE_EVENT_CONNECTED});
    CHECK_EQUAL(counts[MOTE_EVENT_CONNECTED], 0);
    // A message that came before `setup` is not the app's to refuse.
    static const uint8_t publish[] = {0x32, 0x06, 0x00, 0x01, 'a', 0x00, 0x09, 'x'};
    CHECK(memory_port_receive(&client.port, publish, sizeof publish));
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_EVENT_MESSAGE);
    CHECK_EQUAL(mote_app_poll(&app), MOTE_EVENT_NONE);
    CHECK_EQUAL(setups, 1);
    CHECK_EQUAL(released, MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_app_deadline_ms(&app), 500);
    client_serve(&client);
    CHECK(client_sent(&client, "own/+\1")); // the QoS stands behind the filter [MQTT-3.8.3-1]
}

static void shows_events(void) {
    static const char payload[] = "{\"method\":\"on\"}";
    const mote_event_t event = {
        .kind = MOTE_EVENT_RPC_REQUEST, .flags = MOTE_EVENT_FLAG_LAST, .id = 7, .reason = -3, .topic = {"topic", 5}, .payload = {payload, 15},
        .name = {payload + 11, 2}, .value = {"[1]", 3}, .total = 15,
    };
    mote_app_event(&app, &event);
    CHECK_EQUAL(counts[MOTE_EVENT_RPC_REQUEST], 1);
    CHECK_EQUAL(shown_length, MOTE_EVENT_FIELD_END + 8 + 16 + 4);
    CHECK_EQUAL(u32(0), MOTE_EVENT_FIELD_END | MOTE_EVENT_RPC_REQUEST << 16 | MOTE_EVENT_FLAG_LAST << 24);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_ID), 7);
    CHECK_EQUAL((int32_t)u32(MOTE_EVENT_FIELD_REASON), -3);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_TOTAL), 15);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_TOPIC), 256 + MOTE_EVENT_FIELD_END);
    CHECK(memcmp(shown + MOTE_EVENT_FIELD_END, "topic", 5) == 0);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_PAYLOAD), 256 + MOTE_EVENT_FIELD_END + 8);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_NAME), u32(MOTE_EVENT_FIELD_PAYLOAD) + 11); // within the payload, so not copied
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_NAME_LENGTH), 2);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_VALUE), 256 + MOTE_EVENT_FIELD_END + 24);
    CHECK(memcmp(shown + MOTE_EVENT_FIELD_END + 24, "[1]", 3) == 0);

    const mote_event_t larger = {.kind = MOTE_EVENT_SHARED_ATTRIBUTES, .id = 9, .payload = {(const char *)module, 69}};
    mote_app_event(&app, &larger);
    CHECK_EQUAL(counts[MOTE_EVENT_SHARED_ATTRIBUTES], 0);
    CHECK_EQUAL(counts[MOTE_EVENT_MESSAGE_TOO_LARGE], 1);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_ID), 9);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_TOTAL), MOTE_EVENT_FIELD_END + 72);
    CHECK_EQUAL(u32(MOTE_EVENT_FIELD_OFFSET), MOTE_EVENT_SHARED_ATTRIBUTES);
    const mote_event_t largest = {.kind = MOTE_EVENT_SHARED_ATTRIBUTES, .payload = {(const char *)module, 68}};
    mote_app_event(&app, &largest);
    CHECK_EQUAL(counts[MOTE_EVENT_SHARED_ATTRIBUTES], 1);
}

static void owns_its_filters(void) {
    mote_t *mote = &client.mote;
    CHECK(mote_subscribe(mote, "both/+", 1) > 0);
    CHECK_EQUAL(mote_unsubscribe(mote, "own/+"), MOTE_STATUS_NOT_FOUND);
    uint32_t length = mote->subscriptions_length;
    CHECK_EQUAL(mote_unsubscribe(mote, "both/+"), MOTE_STATUS_OK);
    CHECK_EQUAL(mote->subscriptions_length, length);
    CHECK_EQUAL(mote_unsubscribe(mote, "both/+"), MOTE_STATUS_NOT_FOUND);
    CHECK(mote_subscribe(mote, "both/+", 1) > 0);
}

static void is_down_until(uint32_t ceiling_ms) {
    CHECK_EQUAL(mote_app_deadline_ms(&app), 0);
    CHECK_EQUAL(mote_app_poll(&app), MOTE_EVENT_APP_FAILED);
    CHECK(mote_app_deadline_ms(&app) <= ceiling_ms);
    uint32_t before = setups;
    mote_app_event(&app, &(const mote_event_t){.kind = MOTE_EVENT_CONNECTED});
    CHECK_EQUAL(counts[MOTE_EVENT_CONNECTED], 0);
    client.port.now_ms += mote_app_deadline_ms(&app);
    CHECK_EQUAL(mote_app_poll(&app), MOTE_EVENT_NONE);
    CHECK_EQUAL(setups, before + 1);
}

static void fails_and_begins_again(void) {
    size_t used = mote_app_arena_used(&app);
    client.port.now_ms += 499;
    mote_app_poll(&app);
    CHECK_EQUAL(counts[MOTE_EVENT_APP_TIMER], 0);
    client.port.now_ms += 1;
    CHECK_EQUAL(mote_app_poll(&app), MOTE_EVENT_NONE);
    CHECK_EQUAL(counts[MOTE_EVENT_APP_TIMER], 1);
    CHECK_EQUAL(mote_app_failures(&app), 1);
    CHECK_EQUAL(failures_told, 0);
    is_down_until(1000);
    CHECK_EQUAL(failures_told, 1);
    CHECK_EQUAL(reason_told, MOTE_STATUS_TIMEOUT);
    CHECK(strcmp(name_told, "fuel") == 0);

    mote_app_event(&app, &(const mote_event_t){.kind = MOTE_EVENT_MESSAGE});
    is_down_until(2000);
    CHECK_EQUAL(reason_told, MOTE_STATUS_TRAPPED);
    CHECK(strstr(name_told, "out of bounds") != NULL);
    CHECK_EQUAL(mote_app_arena_used(&app), used);

    // The ceiling doubles up to reconnect_max_ms, and begins again after ten minutes without a failure.
    uint32_t longest_ms = 0;
    for (int i = 0; i < 12; i++) {
        mote_app_event(&app, &(const mote_event_t){.kind = MOTE_EVENT_MESSAGE});
        mote_app_poll(&app);
        if (mote_app_deadline_ms(&app) > longest_ms) longest_ms = mote_app_deadline_ms(&app);
        client.port.now_ms += mote_app_deadline_ms(&app);
        mote_app_poll(&app);
    }
    CHECK(longest_ms > 2000 && longest_ms <= 120000);
    client.port.now_ms += MOTE_TRAP_WINDOW_MS + 1;
    mote_app_event(&app, &(const mote_event_t){.kind = MOTE_EVENT_MESSAGE});
    is_down_until(1000);
    CHECK_EQUAL(mote_traps(&client.mote), 0);
    CHECK_EQUAL(mote_state(&client.mote), MOTE_STATE_CONNECTED);
    mote_app_free(&app);
    CHECK_EQUAL(mote_app_deadline_ms(&app), MOTE_NO_DEADLINE_MS);
    // What the application has declared too is all that is left.
    CHECK_EQUAL(mote_unsubscribe(&client.mote, "own/+"), MOTE_STATUS_NOT_FOUND);
    CHECK_EQUAL(mote_unsubscribe(&client.mote, "both/+"), MOTE_STATUS_OK);
    CHECK_EQUAL(client.mote.subscriptions_length, 0);
}

int main(void) {
    FILE *file = fopen(APP_MODULE, "rb");
    CHECK(file != NULL);
    if (file != NULL) {
        module_length = fread(module, 1, sizeof module, file);
        fclose(file);
    }
    client_prepare(&client, TEST_CONFIG);
    client.options.on_event = on_event;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    is_refused_by_name();
    begins_with_setup();
    shows_events();
    owns_its_filters();
    fails_and_begins_again();
    mote_free(&client.mote);
    printf("%u passed, %u failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
