// Sends a hundred measurements, each with the time at which it was made, as many at once as the outbox and `max_inflight` allow.
#include <time.h>

#include "example.h"

#define MEASUREMENTS 100

static int64_t first_ms;
static int queued, delivered;

// Goes on where the outbox was full.
static void send_more(mote_t *client) {
    while (queued < MEASUREMENTS) {
        mote_begin(client);
        mote_timestamp(client, first_ms + queued);
        mote_add_decimal(client, "temperature", 421, 1);
        mote_add_integer(client, "humidity", 70);
        int32_t id = mote_send_telemetry(client, NULL);
        if (id == MOTE_STATUS_FULL) return;
        if (id < 0) return example_end(client, id);
        queued++;
    }
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind == MOTE_EVENT_DELIVERED && ++delivered == MEASUREMENTS) {
        printf("%d delivered\n", delivered);
        return example_end(client, 0);
    }
    if (event->kind == MOTE_EVENT_CONNECTED || event->kind == MOTE_EVENT_DELIVERED) send_more(client);
}

int main(int count, char **words) {
    first_ms = (int64_t)time(NULL) * 1000 - MEASUREMENTS;
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event});
}
