// The first success in C: connect, send one measurement, see it delivered. Build with CMake: target mote-first-<engine>.
#include <stdio.h>
#include <string.h>

#include "module.h"
#include "mote.h"
#include "mote_posix.h"

static const char config[] = "{\"mqtt_host\":\"127.0.0.1\",\"access_token\":\"DEMO_TOKEN\"}";
static uint64_t arena[32 * 1024]; // bytes: eight times as many
static mote_posix_t port;
static mote_t mote;
static bool delivered;

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    printf("%s\n", mote_event_name(event->kind));
    if (event->kind == MOTE_EVENT_DELIVERED) delivered = true;
    if (event->kind != MOTE_EVENT_CONNECTED) return;
    mote_begin(client);
    mote_add_decimal(client, "temperature", 215, 1);
    mote_add_boolean(client, "enabled", true);
    mote_send_telemetry(client, NULL);
}

int main(void) {
    mote_options_t options = {
        .config = config, .config_length = strlen(config), .port = &port.port, .on_event = on_event,
        .arena = arena, .arena_size = sizeof arena,
    };
    mote_module_find(MOTE_MODULE_DEFAULT, &options);
    if (mote_posix_init(&port) < 0 || mote_init(&mote, &options) < 0) return 1;
    mote_start(&mote);
    for (int i = 0; i < 100 && !delivered; i++) mote_run(&mote, 50);
    mote_free(&mote);
    mote_posix_free(&port);
    return delivered ? 0 : 1;
}
