// A gateway that sends telemetry and attributes for one child.
#include <time.h>

#include "example.h"

#define CHILD "Test Device A1"

static int32_t last;

static void send(mote_t *client) {
    mote_gateway_connect(client, CHILD, NULL, NULL);

    mote_begin(client);
    mote_timestamp(client, (int64_t)time(NULL) * 1000);
    mote_add_decimal(client, "temperature", 422, 1);
    mote_gateway_telemetry(client, CHILD, NULL);

    mote_begin(client);
    mote_add_text(client, "firmwareVersion", "2.3.1");
    mote_gateway_attributes(client, CHILD, NULL);

    last = mote_gateway_disconnect(client, CHILD, NULL);
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
    return example_run(count, words, "gateway", &(mote_options_t){.on_event = on_event});
}
