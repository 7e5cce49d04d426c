// Runs a client step by step over a memory port, for vectors that must give the same bytes on every engine.
//
// Reads commands from the standard input, as verbs.h cuts them, and answers each with zero or more lines and then one
// line `= RESULT`. Besides the verbs of verbs.h:
//
//   init MEMORY_SIZE START_MS JSON   builds the client; the clock starts at START_MS. RESULT: status
//   call EXPORT [ARGUMENT]...        calls an export of the module by its name. An argument is a number, or bytes that are laid
//                                    into the staging area, each behind the other at a multiple of four: `length:HEX` passes
//                                    their length, `address:HEX` their address, `span:HEX` both. RESULT: what it answered
//   poll                             one step. RESULT: kind of the event, 0 = none, then a tab and deadline_ms
//   rx HEX                           bytes from the server, readable at once
//   tick MS                          passes time
//   accept N|all                     bytes that the network takes from now on
//   net connecting|open|STATUS       what the link is; a new connection is connecting
//   image WHAT VALUE                 what the image slot answers from now on, as scripted_slot.h says
//   random HEX                       what random_u32 answers from now on; 0 at first
//   unread                           RESULT: bytes from the server that the module has not read yet
//   counter OFFSET                   RESULT: a counter (Stat)
//   read ADDRESS LENGTH              writes `memory HEX`
//   fault                            writes `fault VALUE HEX`: error value and error text
//   state                            RESULT: State as the host sees it
//   traps                            RESULT: traps so far
//   arena                            RESULT: bytes of the arena in use; writes `allocations N`: since load
//   free                             ends the client; `init` may follow
//   quit
//
// Lines that a command may cause, fields separated by tabs:
//
//   open HOST PORT FLAGS    net_open
//   tx HEX                  net_send, what was accepted
//   rx N                    bytes that the module read
//   close                   net_close
//   image ...               what was done to the image slot, as scripted_slot.h says
//   event NAME FLAGS ID REASON TOTAL OFFSET TOPIC PAYLOAD METHOD VALUE    the last four in hex
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "memory_port.h"
#include "module.h"
#include "scripted_slot.h"
#include "verbs.h"

#define LINE_MAX_BYTES 400000
#define CONFIG_MAX 65536

static char line[LINE_MAX_BYTES];
static char config[CONFIG_MAX];
static uint8_t bytes[LINE_MAX_BYTES / 2];
static uint64_t arena[512 * 1024 / 8];
static memory_port_t port;
static mote_port_functions_t functions;
static mote_t mote;

static void print_hex(mote_span_t span) {
    putchar('\t');
    for (uint32_t i = 0; i < span.length; i++) printf("%02x", (uint8_t)span.data[i]);
}

static uint32_t read_hex(const char *text, uint8_t *out_bytes) {
    uint32_t length = 0;
    unsigned value;
    while (sscanf(text, "%2x", &value) == 1) {
        out_bytes[length++] = (uint8_t)value;
        text += 2;
    }
    return length;
}

static void on_action(void *user, memory_action_t action, const uint8_t *data, uint32_t length, uint32_t number, uint32_t flags) {
    (void)user;
    if (action == ACTION_OPEN) printf("open\t%.*s\t%u\t%u\n", (int)length, (const char *)data, number, flags);
    if (action == ACTION_CLOSE) printf("close\n");
    if (action != ACTION_SEND) return;
    printf("tx");
    print_hex((mote_span_t){(const char *)data, length});
    printf("\n");
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)client;
    (void)user;
    printf("event\t%s\t%u\t%d\t%d\t%u\t%u", mote_event_name(event->kind), event->flags, event->id, event->reason, event->total, event->offset);
    print_hex(event->topic);
    print_hex(event->payload);
    print_hex(event->name);
    print_hex(event->value);
    printf("\n");
}

static int32_t run_init(const command_t *command) {
    if (command->lengths[3] >= sizeof config) return MOTE_STATUS_TOO_LARGE;
    memory_port_init(&port, strtoll(command->fields[2], NULL, 0));
    port.observer = on_action;
    functions = *port.port.functions;
    functions.capabilities = MOTE_PORT_TLS; // a flag of `open` is all there is to see of it here
    scripted_slot_init();
    scripted_slot_add(&functions);
    port.port.functions = &functions;
    memcpy(config, command->fields[3], command->lengths[3]);
    mote_options_t options = {
        .config = config, .config_length = command->lengths[3], .port = &port.port, .arena = arena, .arena_size = sizeof arena,
        .memory_size = (uint32_t)strtoul(command->fields[1], NULL, 0), .subscriptions_size = 4096, .on_event = on_event,
    };
    if (!mote_module_find(MOTE_MODULE_DEFAULT, &options)) return MOTE_STATUS_NOT_FOUND;
    return mote_init(&mote, &options);
}

static mote_export_t find_export(const char *name) {
    static const char *const names[] = {
#define NAME(symbol, text, arguments, required) #text,
        MOTE_EXPORTS(NAME)};
    uint32_t i = 0;
    while (i < MOTE_EXPORT_COUNT && strcmp(names[i], name) != 0) i++;
    return (mote_export_t)i;
}

static int32_t run_call(const command_t *command) {
    mote_export_t which = find_export(command->fields[1]);
    if (which == MOTE_EXPORT_COUNT) return MOTE_STATUS_NOT_FOUND;
    uint32_t values[8] = {0};
    uint32_t count = 0;
    uint32_t at = 0;
    for (uint32_t i = 2; i < command->count && count < 6; i++) {
        const char *field = command->fields[i];
        const char *colon = strchr(field, ':');
        if (colon == NULL) {
            values[count++] = (uint32_t)strtoll(field, NULL, 0);
            continue;
        }
        uint32_t length = read_hex(colon + 1, bytes);
        if (at > mote.staging_capacity || length > mote.staging_capacity - at) return MOTE_STATUS_TOO_LARGE;
        memcpy(mote.memory + mote.staging_address + at, bytes, length);
        if (*field != 'l') values[count++] = mote.staging_address + at;
        if (*field != 'a') values[count++] = length;
        at = (at + length + 3u) & ~3u;
    }
    return mote_call(&mote, which, count, values);
}

static int32_t run_link(const command_t *command) {
    if (strcmp(command->fields[1], "connecting") == 0) port.link = LINK_CONNECTING;
    else if (strcmp(command->fields[1], "open") == 0) port.link = LINK_OPEN;
    else port.link = (int32_t)strtol(command->fields[1], NULL, 0);
    return MOTE_STATUS_OK;
}

static int32_t run_read(const command_t *command) {
    uint32_t address = (uint32_t)strtoul(command->fields[1], NULL, 0);
    uint32_t length = (uint32_t)strtoul(command->fields[2], NULL, 0);
    if (!mote_memory_holds(&mote, address, length)) return MOTE_STATUS_INVALID_VALUE;
    printf("memory");
    print_hex((mote_span_t){(const char *)mote.memory + address, length});
    printf("\n");
    return MOTE_STATUS_OK;
}

static bool run_network(const command_t *command, int32_t *out) {
    const char *verb = command->fields[0];
    const char *value = command->fields[1];
    *out = MOTE_STATUS_OK;
    if (strcmp(verb, "rx") == 0) *out = memory_port_receive(&port, bytes, read_hex(value, bytes)) ? 0 : MOTE_STATUS_FULL;
    else if (strcmp(verb, "tick") == 0) port.now_ms += strtoll(value, NULL, 0);
    else if (strcmp(verb, "accept") == 0) port.room = strcmp(value, "all") == 0 ? UINT32_MAX : (uint32_t)strtoul(value, NULL, 0);
    else if (strcmp(verb, "net") == 0) *out = run_link(command);
    else if (strcmp(verb, "image") == 0) *out = scripted_slot_set(value, strtoll(command->fields[2], NULL, 0)) ? MOTE_STATUS_OK : MOTE_STATUS_NOT_FOUND;
    else if (strcmp(verb, "random") == 0) port.random = (uint32_t)strtoul(value, NULL, 16);
    else if (strcmp(verb, "unread") == 0) *out = (int32_t)port.count;
    else return false;
    return true;
}

static int32_t run_fault(void) {
    printf("fault\t%d", mote_error_value(&mote));
    print_hex(mote_error_text(&mote));
    printf("\n");
    return MOTE_STATUS_OK;
}

static void run(const command_t *command) {
    const char *verb = command->fields[0];
    int32_t result = MOTE_STATUS_OK;
    port.received = 0;
    if (strcmp(verb, "poll") == 0) {
        result = mote_poll(&mote);
        if (port.received > 0) printf("rx\t%u\n", port.received);
        printf("= %d\t%d\n", result, mote_deadline_ms(&mote));
        return;
    }
    if (strcmp(verb, "init") == 0) result = run_init(command);
    else if (strcmp(verb, "call") == 0) result = run_call(command);
    else if (strcmp(verb, "counter") == 0) result = (int32_t)mote_stat(&mote, (mote_stat_t)strtol(command->fields[1], NULL, 0));
    else if (strcmp(verb, "read") == 0) result = run_read(command);
    else if (strcmp(verb, "fault") == 0) result = run_fault();
    else if (strcmp(verb, "state") == 0) result = (int32_t)mote_state(&mote);
    else if (strcmp(verb, "traps") == 0) result = (int32_t)mote_traps(&mote);
    else if (strcmp(verb, "arena") == 0) {
        printf("allocations\t%u\n", mote_arena_allocations(&mote));
        result = (int32_t)mote_arena_used(&mote);
    } else if (strcmp(verb, "free") == 0) mote_free(&mote);
    else if (!run_network(command, &result) && !verb_run(&mote, command, &result)) {
        printf("? unknown command %s\n", verb);
        result = MOTE_STATUS_NOT_FOUND;
    }
    if (port.received > 0) printf("rx\t%u\n", port.received);
    printf("= %d\n", result);
}

int main(void) {
    memory_port_init(&port, 0);
    while (fgets(line, sizeof line, stdin) != NULL) {
        command_t command;
        command_cut(line, &command);
        if (strcmp(command.fields[0], "quit") == 0) break;
        if (command.lengths[0] > 0) run(&command);
        fflush(stdout);
    }
    mote_free(&mote);
    return 0;
}
