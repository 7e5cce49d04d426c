// Runs a client over a network that is always ready, for a number of messages: bench telemetry|rpc COUNT [PROFILE]
//
// Counted from outside (valgrind --tool=callgrind), as the difference between two run lengths, so that set-up falls
// out: everything from the values to net_send, and from net_recv to the reply. With `ram` in place of a mode it prints
// what a client takes that has reported telemetry and attributes and answered RPCs: arena, records, stack. `lazy-ram` is the
// same with functions compiled when they are first called. `app` prints the same of an app beside a client.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "mote_app.h"

#define STACK_SIZE (256 * 1024)
#define STACK_PATTERN 0xa5

typedef struct bench_port {
    mote_port_t base;
    const uint8_t *inbound;
    uint32_t inbound_length;
    uint32_t sends;
} bench_port_t;

static void step(mote_port_t *port) { (void)port; }
static void wait_for(mote_port_t *port, uint32_t timeout_ms, uint32_t wants) { (void)port, (void)timeout_ms, (void)wants; }
static void wake(mote_port_t *port) { (void)port; }

static int32_t net_open(mote_port_t *port, const char *host, uint32_t host_length, uint32_t port_number, uint32_t flags) {
    (void)port, (void)host, (void)host_length, (void)port_number, (void)flags;
    return 1;
}

static int32_t net_state(mote_port_t *port, int32_t handle) {
    (void)port, (void)handle;
    return MOTE_NET_STATE_OPEN;
}

static int32_t net_send(mote_port_t *port, int32_t handle, const uint8_t *from, uint32_t length) {
    (void)handle, (void)from;
    ((bench_port_t *)port)->sends++;
    return (int32_t)length;
}

static int32_t net_recv(mote_port_t *port, int32_t handle, uint8_t *to, uint32_t capacity) {
    bench_port_t *bench = (bench_port_t *)port;
    (void)handle;
    if (bench->inbound_length == 0) return 0;
    uint32_t length = bench->inbound_length < capacity ? bench->inbound_length : capacity;
    memcpy(to, bench->inbound, length);
    bench->inbound += length;
    bench->inbound_length -= length;
    return (int32_t)length;
}

static void net_close(mote_port_t *port, int32_t handle) { (void)port, (void)handle; }
static int64_t clock_ms = 1000;
static int64_t now_ms(mote_port_t *port) { (void)port; return clock_ms; }
static int64_t unix_ms(mote_port_t *port) { (void)port; return 0; }
static uint32_t random_u32(mote_port_t *port) { (void)port; return 0; }

static const mote_port_functions_t functions = {
    .step = step, .wait = wait_for, .wake = wake, .net_open = net_open, .net_state = net_state, .net_send = net_send,
    .net_recv = net_recv, .net_close = net_close, .now_ms = now_ms, .unix_ms = unix_ms, .random_u32 = random_u32,
};

static uint64_t arena[256 * 1024 / 8];
static bench_port_t port = {.base = {.functions = &functions}};
static mote_t mote;
static uint32_t replies;

// QoS 0, as every row of the table that this is compared with; the buffers that the memory goals name.
static const char config_minimal[] =
    "{\"mqtt_host\":\"h\",\"access_token\":\"TOKEN\",\"qos\":0,\"receive_buffer\":256,\"send_buffer\":256,\"staging_buffer\":256}";
static const char config_device[] =
    "{\"mqtt_host\":\"h\",\"access_token\":\"TOKEN\",\"qos\":0,\"receive_buffer\":512,\"send_buffer\":512,\"staging_buffer\":512}";
static const uint8_t connack[] = {0x20, 2, 0, 0};
// The first subscription is that of RPC requests; the profile device has two more.
static const uint8_t subacks[] = {0x90, 3, 0x80, 1, 1, 0x90, 3, 0x80, 2, 1, 0x90, 3, 0x80, 3, 1};
#define SUBACK_LENGTH 5
// What a fresh ThingsBoard answers to getSessionLimits: PUBLISH QoS 0 to v1/devices/me/rpc/response/0
static const char limits[] = "\x30\xa3\x01\x00\x1c" "v1/devices/me/rpc/response/0"
                             "{\"maxPayloadSize\":65536,\"maxInflightMessages\":100,\"rateLimits\":{\"messages\":null,\"telemetryMessages\":null,\"telemetryDataPoints\":null}}";
_Static_assert(sizeof limits - 1 == 3 + 163, "the remaining length of the answer is wrong");
// PUBLISH QoS 0 to v1/devices/me/rpc/request/7
static const char rpc[] = "\x30\x45\x00\x1bv1/devices/me/rpc/request/7{\"method\":\"setLed\",\"params\":{\"on\":true}}";
_Static_assert(sizeof rpc - 1 == 2 + 0x45, "the remaining length of the request is wrong");

static void give(const void *bytes, uint32_t length) {
    port.inbound = bytes;
    port.inbound_length = length;
}

// A client that does not get there has failed, and would be polled for ever.
static void reach(mote_state_t state) {
    for (int polls = 0; mote_state(&mote) != state; polls++) {
        if (polls == 1000) {
            fprintf(stderr, "bench: the client is in state %d, not %d\n", (int)mote_state(&mote), (int)state);
            exit(1);
        }
        mote_poll(&mote);
    }
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind != MOTE_EVENT_RPC_REQUEST || !mote_span_equals(event->name, "setLed")) return;
    mote_begin(client);
    mote_add_boolean(client, "ok", true);
    if (mote_send_rpc_reply(client, event->id, NULL) >= 0) replies++;
}

static void telemetry(void) {
    mote_begin(&mote);
    mote_add_decimal(&mote, "temperature", 255, 1);
    mote_add_integer(&mote, "humidity", 60);
    mote_add_boolean(&mote, "enabled", true);
    mote_add_text(&mote, "fw", "v1.2.2");
    if (mote_send_telemetry(&mote, NULL) < 0) exit(3);
    mote_poll(&mote);
}

static void attributes(void) {
    mote_begin(&mote);
    mote_add_text(&mote, "model", "T1");
    mote_add_boolean(&mote, "charging", false);
    if (mote_send_attributes(&mote, NULL) < 0) exit(3);
    mote_poll(&mote);
}

static void round_trip(void) {
    give(rpc, sizeof rpc - 1);
    mote_poll(&mote); // the request comes and is answered
    mote_poll(&mote); // the answer leaves
}

static bool compiles_on_first_call;

static int connect_device(const char *profile) {
    bool is_minimal = strcmp(profile, "minimal") == 0;
    const char *config = is_minimal ? config_minimal : config_device;
    mote_options_t options = {
        .config = config, .config_length = strlen(config), .port = &port.base, .arena = arena, .arena_size = sizeof arena,
        .memory_size = is_minimal ? 4096 : 8192, .subscriptions_size = is_minimal ? -1 : 0, .on_event = on_event,
        .compile_on_first_call = compiles_on_first_call,
    };
    if (!mote_module_find(profile, &options)) return 2;
    int32_t status = mote_init(&mote, &options);
    if (status < 0) {
        fprintf(stderr, "%s %.*s %d\n", mote_status_name(status), (int)mote_error_text(&mote).length, mote_error_text(&mote).data,
                (int)mote_error_value(&mote));
        return 3;
    }
    mote_start(&mote);
    reach(MOTE_STATE_CONNECTING);
    mote_poll(&mote);
    give(connack, sizeof connack);
    reach(MOTE_STATE_CONNECTED);
    give(subacks, is_minimal ? SUBACK_LENGTH : sizeof subacks);
    while (mote_poll(&mote) != MOTE_EVENT_NONE || mote_deadline_ms(&mote) == 0) {
    }
    if (!is_minimal) give(limits, sizeof limits - 1);
    while (mote_poll(&mote) != MOTE_EVENT_NONE || mote_deadline_ms(&mote) == 0) {
    }
    return mote_stat(&mote, MOTE_STAT_ACKNOWLEDGEMENTS_UNKNOWN) == 0 ? 0 : 7;
}

static const char *ram_profile;

static void *use_everything(void *result) {
    *(int *)result = connect_device(ram_profile);
    for (int i = 0; i < 20 && *(int *)result == 0; i++) {
        telemetry();
        attributes();
        round_trip();
        if (mote_deadline_ms(&mote) < 0 || mote_wants(&mote) < 0) exit(3); // as a loop asks before it waits
    }
    return NULL;
}

static void *use_nothing(void *result) { return result; }

// Runs on a stack full of a pattern; what was overwritten is what was taken.
static size_t stack_taken(void *(*run)(void *), int *out_result) {
    static uint8_t stack[STACK_SIZE] __attribute__((aligned(4096)));
    memset(stack, STACK_PATTERN, sizeof stack);
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, sizeof stack);
    if (pthread_create(&thread, &attributes, run, out_result) != 0) exit(4);
    pthread_join(thread, NULL);
    size_t untouched = 0;
    while (untouched < sizeof stack && stack[untouched] == STACK_PATTERN) untouched++;
    return sizeof stack - untouched;
}

static int print_ram(const char *profile) {
    int result = 1;
    ram_profile = profile;
    // What a thread itself keeps on its stack is no part of the client.
    size_t thread = stack_taken(use_nothing, &result);
    size_t stack = stack_taken(use_everything, &result) - thread;
    if (result != 0 || replies != 20) return 5;
    printf("{\"arena\":%zu,\"records\":%zu,\"stack\":%zu}\n", mote_arena_used(&mote), sizeof mote, stack);
    return 0;
}

static mote_app_t app;
static uint64_t app_arena[64 * 1024 / 8];
static uint8_t app_module[64 * 1024];
static size_t app_module_length;

static int32_t io(void *user, int32_t op, uint8_t *bytes, uint32_t length) {
    (void)user, (void)op;
    memset(bytes, 1, length);
    return (int32_t)length;
}

static void to_app(mote_t *client, const mote_event_t *event, void *user) {
    (void)client, (void)user;
    mote_app_event(&app, event);
}

// Everything that the app does: setup, its timer, and two RPCs.
static void *use_app(void *result) {
    static const char set[] = "{\"value\":21.5}";
    const mote_app_options_t options = {
        .mote = &mote, .module = app_module, .module_length = app_module_length, .arena = app_arena, .arena_size = sizeof app_arena, .io = io,
    };
    int32_t status = mote_app_init(&app, &options);
    for (int i = 0; i < 3 && status >= 0; i++) {
        mote_app_poll(&app);
        mote_poll(&mote);
        clock_ms += 1000;
    }
    const mote_event_t events[] = {
        {.kind = MOTE_EVENT_RPC_REQUEST, .id = 1, .name = {"getState", 8}},
        {.kind = MOTE_EVENT_RPC_REQUEST, .id = 2, .name = {"setSetpoint", 11}, .value = {set, sizeof set - 1}},
        {.kind = MOTE_EVENT_CONNECTED},
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0] && status >= 0; i++) {
        mote_app_event(&app, &events[i]);
        mote_poll(&mote);
    }
    *(int *)result = status < 0 || mote_app_failures(&app) != 0;
    return NULL;
}

// The stack of the client beneath is not the app's: it is measured with verbs that answer without running one.
static int print_app_ram(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return 2;
    app_module_length = fread(app_module, 1, sizeof app_module, file);
    fclose(file);
    int result = connect_device("device");
    if (result != 0) return result;
    mote.options.on_event = to_app;
    uint32_t before = port.sends;
    use_app(&result);
    if (result != 0 || port.sends - before < 4) return 5; // a measurement, two replies, a request
    size_t used = mote_app_arena_used(&app);
    mote_app_free(&app);
    mote_free(&mote);
    size_t thread = stack_taken(use_nothing, &result);
    size_t stack = stack_taken(use_app, &result) - thread;
    if (result != 0) return 5;
    printf("{\"arena\":%zu,\"records\":%zu,\"stack\":%zu}\n", used, sizeof app, stack);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: bench telemetry|rpc COUNT [PROFILE] | bench ram|lazy-ram PROFILE | bench app FILE\n");
        return 2;
    }
    compiles_on_first_call = strcmp(argv[1], "lazy-ram") == 0;
    if (compiles_on_first_call || strcmp(argv[1], "ram") == 0) return print_ram(argv[2]);
    if (strcmp(argv[1], "app") == 0) return print_app_ram(argv[2]);
    int status = connect_device(argc > 3 ? argv[3] : "device");
    if (status != 0) return status;
    uint32_t before = port.sends;
    uint32_t count = (uint32_t)strtoul(argv[2], NULL, 10);
    bool is_rpc = strcmp(argv[1], "rpc") == 0; // once: what is counted for each message is the client
    for (uint32_t i = 0; i < count; i++) {
        if (is_rpc) round_trip();
        else telemetry();
    }
    return port.sends - before == count ? 0 : 6; // each message left, and in one piece
}
