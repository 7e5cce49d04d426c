// Sends telemetry and client attributes, one message without waiting for its delivery and two with it. Over TLS and with a client
// certificate the program is the same: they are the member `tls` of the configuration.
#include "example.h"

static int32_t last;

static void send(mote_t *client) {
    mote_begin(client);
    mote_add_decimal(client, "temperature", 419, 1);
    mote_add_boolean(client, "enabled", false);
    mote_add_text(client, "currentFirmwareVersion", "v1.2.2");
    mote_send_telemetry(client, QOS_0);

    mote_begin(client);
    mote_add_decimal(client, "CPU", 120, 1);
    mote_send_telemetry(client, NULL);

    mote_begin(client);
    mote_add_text(client, "status", "ok");
    last = mote_send_attributes(client, NULL);
    if (last < 0) example_end(client, last);
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind == MOTE_EVENT_CONNECTED) send(client);
    if (event->kind != MOTE_EVENT_DELIVERED || event->id != last) return;
    puts("delivered");
    example_end(client, 0);
}

int main(int count, char **words) {
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event});
}
