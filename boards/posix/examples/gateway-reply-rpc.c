// A gateway that answers RPC to its child, until it is interrupted.
#include <stdlib.h>

#include "example.h"

#define CHILD "Test Device A1"

static void answer(mote_t *client, const mote_event_t *request) {
    double load = 0;
    mote_begin(client);
    if (!mote_span_equals(request->name, "getCPULoad")) {
        mote_add_text(client, "error", "unknown method");
    } else {
        getloadavg(&load, 1);
        mote_add_double(client, "CPU load", load, 2);
    }
    mote_gateway_rpc_reply(client, CHILD, request->id, NULL);
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind == MOTE_EVENT_CONNECTED) mote_gateway_connect(client, CHILD, NULL, NULL);
    if (event->kind == MOTE_EVENT_CHILD_RPC_REQUEST && mote_span_equals(event->topic, CHILD)) answer(client, event);
}

int main(int count, char **words) {
    return example_run(count, words, "gateway", &(mote_options_t){.on_event = on_event});
}
