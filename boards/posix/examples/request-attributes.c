// Asks the server for client and shared attributes.
#include "example.h"

#define TIMEOUT_MS 20000

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    int32_t id = 0;
    mote_json_t configuration;
    switch (event->kind) {
    case MOTE_EVENT_CONNECTED:
        id = mote_request_attributes(client, "configuration", "targetFirmwareVersion", TIMEOUT_MS);
        if (id < 0) example_end(client, id);
        break;
    case MOTE_EVENT_ATTRIBUTES_RESPONSE:
        printf("%.*s\n", SPAN(event->payload));
        if (mote_json_find(client, event->payload, "client.configuration", &configuration) < 0) puts("no configuration");
        example_end(client, 0);
        break;
    case MOTE_EVENT_REQUEST_TIMEOUT:
        example_end(client, MOTE_STATUS_TIMEOUT);
        break;
    default:
        break;
    }
}

int main(int count, char **words) {
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event});
}
