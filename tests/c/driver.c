// Runs a client over the real POSIX port, for the suite that checks its behaviour against a broker. A twin in Node takes the
// same commands. The first argument is the profile, of those that the program carries.
//
// Reads commands from the standard input, as verbs.h cuts them, and writes one JSON object a line. Besides the verbs of
// verbs.h:
//
//   init JSON [MEMORY_SIZE]   builds the client
//   decline N                 the next N messages from the peer, or parts of one, are answered by mote_release(false)
//   clock 0 or 1              whether the port knows the time of day from now on
//   stats                     writes {"stats":{"Connects":1,...},"state":"Connected","traps":0,"arena_used":N,"arena_allocations":N}
//   quit                      ends the program
//
// Every command is answered by {"command":"NAME","result":N,"status":"Ok"}; below zero with "text" and "value", what belongs
// to the status. Events come at any time between the answers:
//
//   {"event":"RpcRequest","id":1,"reason":0,"reason_name":"Ok","flags":18,"topic":"...","payload":"...","total":9,"offset":0,
//    "name":"setLed","value":"{\"on\":true}"}
//
// All members are always there. A payload that is not UTF-8 stands as "payload_hex" instead.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "module.h"
#include "mote_posix.h"
#include "verbs.h"

#define LINE_MAX_BYTES 400000
#define CONFIG_MAX 65536
#define MEMORY_SIZE 65536
#define RUN_MS 1000

static mote_t mote;
static mote_posix_t port;
static uint64_t arena[1024 * 1024 / 8];
static const char *profile = MOTE_MODULE_DEFAULT;
static char config[CONFIG_MAX];
static const char *fault = ""; // of the port's part of the configuration
static bool live;
static mote_port_functions_t functions; // those of the port, with a clock that can be lost
static bool has_clock = true;
static int declines; // messages that are still to be declined; only inside the event can a message be answered

// One line at a time goes from the reading thread to the client's task.
static char line[LINE_MAX_BYTES];
static bool pending, ended;
// The client is being taken apart and must not be woken.
static bool leaving;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

// --------------------------------------------------------------------- output

static uint32_t sequence_length(const uint8_t *at, uint32_t left) {
    uint8_t lead = at[0];
    uint32_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || length > left) return 0;
    for (uint32_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
    }
    return length;
}

static bool is_utf8(mote_span_t span) {
    for (uint32_t i = 0; i < span.length;) {
        uint32_t length = sequence_length((const uint8_t *)span.data + i, span.length - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

static void print_text(const char *name, mote_span_t span) {
    bool text = is_utf8(span);
    printf(",\"%s%s\":\"", name, text ? "" : "_hex");
    for (uint32_t i = 0; i < span.length; i++) {
        uint8_t c = (uint8_t)span.data[i];
        if (!text) printf("%02x", c);
        else if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 0x20) printf("\\u%04x", c);
        else putchar(c);
    }
    putchar('"');
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (declines > 0 && mote_release(client, false) == MOTE_STATUS_OK) declines--;
    printf("{\"event\":\"%s\",\"id\":%d,\"reason\":%d,\"reason_name\":\"%s\",\"flags\":%u", mote_event_name(event->kind), event->id,
           event->reason, mote_status_name(event->reason), event->flags);
    print_text("topic", event->topic);
    print_text("payload", event->payload);
    printf(",\"total\":%u,\"offset\":%u", event->total, event->offset);
    print_text("name", event->name);
    print_text("value", event->value);
    printf("}\n");
    fflush(stdout);
}

static void print_stats(void) {
    static const struct {
        const char *name;
        mote_stat_t which;
    } stats[] = {
        {"Connects", MOTE_STAT_CONNECTS},
        {"Disconnects", MOTE_STAT_DISCONNECTS},
        {"ConnectFailures", MOTE_STAT_CONNECT_FAILURES},
        {"MessagesQueued", MOTE_STAT_MESSAGES_QUEUED},
        {"MessagesSent", MOTE_STAT_MESSAGES_SENT},
        {"MessagesResent", MOTE_STAT_MESSAGES_RESENT},
        {"MessagesDelivered", MOTE_STAT_MESSAGES_DELIVERED},
        {"MessagesReceived", MOTE_STAT_MESSAGES_RECEIVED},
        {"MessagesRefused", MOTE_STAT_MESSAGES_REFUSED},
        {"MessagesDropped", MOTE_STAT_MESSAGES_DROPPED},
        {"MessagesRejected", MOTE_STAT_MESSAGES_REJECTED},
        {"InboundDropped", MOTE_STAT_INBOUND_DROPPED},
        {"InboundRedelivered", MOTE_STAT_INBOUND_REDELIVERED},
        {"InboundTooLarge", MOTE_STAT_INBOUND_TOO_LARGE},
        {"InboundAborted", MOTE_STAT_INBOUND_ABORTED},
        {"InboundInvalid", MOTE_STAT_INBOUND_INVALID},
        {"AcknowledgementsUnknown", MOTE_STAT_ACKNOWLEDGEMENTS_UNKNOWN},
        {"RequestTimeouts", MOTE_STAT_REQUEST_TIMEOUTS},
        {"ProtocolErrors", MOTE_STAT_PROTOCOL_ERRORS},
        {"BytesSent", MOTE_STAT_BYTES_SENT},
        {"BytesReceived", MOTE_STAT_BYTES_RECEIVED},
        {"ConfigurationIgnored", MOTE_STAT_CONFIGURATION_IGNORED},
    };
    printf("{\"stats\":{");
    for (size_t i = 0; i < sizeof stats / sizeof stats[0]; i++) {
        printf("%s\"%s\":%u", i == 0 ? "" : ",", stats[i].name, mote_stat(&mote, stats[i].which));
    }
    printf("},\"state\":\"%s\",\"traps\":%u,\"arena_used\":%zu,\"arena_allocations\":%u}\n", mote_state_name((int32_t)mote_state(&mote)),
           mote_traps(&mote), mote_arena_used(&mote), mote_arena_allocations(&mote));
}

// ------------------------------------------------------------------- commands

static int64_t unix_ms(mote_port_t *from) {
    (void)from;
    return has_clock ? (int64_t)time(NULL) * 1000 : 0;
}

static int32_t run_init(const command_t *command) {
    if (live) return MOTE_STATUS_BAD_STATE;
    if (command->lengths[1] >= sizeof config) return MOTE_STATUS_TOO_LARGE;
    memcpy(config, command->fields[1], command->lengths[1]);
    uint32_t memory_size = (uint32_t)strtoul(command->fields[2], NULL, 0);
    mote_options_t options = {
        .config = config, .config_length = command->lengths[1], .port = &port.port, .arena = arena, .arena_size = sizeof arena,
        .memory_size = memory_size != 0 ? memory_size : MEMORY_SIZE, .subscriptions_size = 4096, .on_event = on_event,
    };
    if (!mote_module_find(profile, &options)) return MOTE_STATUS_NOT_FOUND;
    // A configuration may have opened files before it was refused.
    mote_posix_free(&port);
    int32_t status = mote_posix_init(&port);
    if (status >= 0) status = mote_posix_configure(&port, config, command->lengths[1], ".");
    fault = mote_posix_fault(&port);
    functions = *port.port.functions;
    functions.unix_ms = unix_ms;
    port.port.functions = &functions;
    if (status >= 0) status = mote_init(&mote, &options);
    live = status >= 0;
    return status;
}

static void run(const command_t *command) {
    const char *verb = command->fields[0];
    int32_t result = MOTE_STATUS_OK;
    if (strcmp(verb, "init") == 0) result = run_init(command);
    else if (strcmp(verb, "stats") == 0) print_stats();
    else if (strcmp(verb, "clock") == 0) has_clock = atoi(command->fields[1]) != 0;
    else if (strcmp(verb, "decline") == 0) declines = atoi(command->fields[1]);
    else if (!live) result = MOTE_STATUS_BAD_STATE;
    else if (!verb_run(&mote, command, &result)) result = MOTE_STATUS_NOT_FOUND;
    printf("{\"command\":\"%s\",\"result\":%d,\"status\":\"%s\"", verb, result, mote_status_name(result));
    if (result < 0) {
        mote_span_t text = {fault, (uint32_t)strlen(fault)};
        print_text("text", text.length > 0 ? text : mote_error_text(&mote));
        printf(",\"value\":%d", mote_error_value(&mote));
    }
    printf("}\n");
    fflush(stdout);
}

static void *read_lines(void *unused) {
    (void)unused;
    static char next[LINE_MAX_BYTES];
    bool more = true;
    while (more) {
        more = fgets(next, sizeof next, stdin) != NULL;
        pthread_mutex_lock(&mutex);
        while (pending) pthread_cond_wait(&changed, &mutex);
        if (more) memcpy(line, next, strlen(next) + 1);
        pending = more;
        ended = !more;
        pthread_cond_signal(&changed);
        if (!leaving) mote_wake(&mote);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

// Runs the command that waits. False when there will be no more.
static bool take_command(bool block) {
    pthread_mutex_lock(&mutex);
    while (block && !pending && !ended) pthread_cond_wait(&changed, &mutex);
    bool taken = pending;
    bool more = taken || !ended;
    if (taken) {
        command_t command;
        command_cut(line, &command);
        more = strcmp(command.fields[0], "quit") != 0;
        if (more && command.lengths[0] > 0) run(&command);
        pending = false;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&mutex);
    return more;
}

int main(int count, char **arguments) {
    if (count > 1) profile = arguments[1];
    if (mote_posix_init(&port) < 0) return 1;
    pthread_t reader;
    if (pthread_create(&reader, NULL, read_lines, NULL) != 0) return 1;
    pthread_detach(reader);
    while (take_command(!live)) {
        if (live) mote_run(&mote, RUN_MS);
    }
    pthread_mutex_lock(&mutex);
    leaving = true;
    pthread_mutex_unlock(&mutex);
    mote_free(&mote);
    mote_posix_free(&port);
    return 0;
}
