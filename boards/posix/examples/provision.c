// Gets credentials by the member `provision` of the configuration. They are kept in `store_directory` and used from then on, so
// that the second run asks for nothing.
#include "example.h"

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    switch (event->kind) {
    case MOTE_EVENT_PROVISIONED:
        puts(event->reason == 0 ? "provisioned, and the credentials kept" : "provisioned until the program ends");
        break;
    case MOTE_EVENT_PROVISIONING_FAILED:
        fprintf(stderr, "%.*s\n", SPAN(event->name));
        example_end(client, event->reason);
        break;
    case MOTE_EVENT_CONNECTED:
        mote_begin(client);
        mote_add_boolean(client, "provisioned", true);
        mote_send_telemetry(client, NULL);
        break;
    case MOTE_EVENT_DELIVERED:
        example_end(client, 0);
        break;
    default:
        break;
    }
}

int main(int count, char **words) {
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event});
}
