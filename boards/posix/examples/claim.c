// Makes the device claimable for a minute by who knows the code.
#include "example.h"

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind == MOTE_EVENT_CONNECTED) {
        int32_t id = mote_claim(client, "my_claim_code", 60000, NULL);
        if (id < 0) example_end(client, id);
    }
    if (event->kind != MOTE_EVENT_DELIVERED) return;
    puts("claimable");
    example_end(client, 0);
}

int main(int count, char **words) {
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event});
}
