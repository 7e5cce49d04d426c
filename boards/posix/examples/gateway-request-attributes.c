// A gateway that asks for a shared attribute of one child.
#include "example.h"

#define CHILD "Test Device A1"
#define TIMEOUT_MS 20000

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind == MOTE_EVENT_CONNECTED) {
        mote_gateway_connect(client, CHILD, NULL, NULL);
        int32_t id = mote_gateway_request_attributes(client, CHILD, MOTE_SCOPE_SHARED, "temperature", TIMEOUT_MS);
        if (id < 0) example_end(client, id);
    }
    if (event->kind == MOTE_EVENT_REQUEST_TIMEOUT) example_end(client, MOTE_STATUS_TIMEOUT);
    if (event->kind != MOTE_EVENT_CHILD_ATTRIBUTES_RESPONSE) return;
    printf("%.*s: %.*s\n", SPAN(event->topic), SPAN(event->value));
    example_end(client, 0);
}

int main(int count, char **words) {
    return example_run(count, words, "gateway", &(mote_options_t){.on_event = on_event});
}
