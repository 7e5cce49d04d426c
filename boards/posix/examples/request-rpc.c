// Calls a method of the server's rule chain, and takes its answer or its error.
#include "example.h"

// The server says after 60 s that nobody answers.
#define TIMEOUT_MS 65000

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind == MOTE_EVENT_CONNECTED) {
        int32_t id = mote_request_rpc(client, "getTime", "{\"zone\":\"UTC\"}", TIMEOUT_MS);
        if (id < 0) example_end(client, id);
    }
    if (event->kind == MOTE_EVENT_REQUEST_TIMEOUT) example_end(client, MOTE_STATUS_TIMEOUT);
    if (event->kind != MOTE_EVENT_RPC_RESPONSE) return;
    printf("%s %.*s\n", event->reason == MOTE_STATUS_REMOTE_ERROR ? "error" : "answer", SPAN(event->payload));
    example_end(client, 0);
}

int main(int count, char **words) {
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event});
}
