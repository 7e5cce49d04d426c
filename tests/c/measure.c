// Runs one operation N times under callgrind, which counts the instructions inside measured_*():
//
//   valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='measured_*' measure-<engine> telemetry|rpc N
//
// The memory port stands for the socket: what it does is counted too, and is a copy.
#include <stdlib.h>

#include "harness.h"

static client_t client;

__attribute__((noinline)) static void measured_telemetry(mote_t *mote) {
    static const mote_publish_options_t once = {.qos = 0};
    mote_begin(mote);
    mote_add_decimal(mote, "temperature", 215, 1);
    mote_add_integer(mote, "humidity", 60);
    mote_add_boolean(mote, "enabled", true);
    mote_add_text(mote, "fw", "v1.2.2");
    mote_send_telemetry(mote, &once);
    mote_poll(mote);
}

__attribute__((noinline)) static void measured_rpc(mote_t *mote) {
    mote_poll(mote);
    mote_poll(mote);
}

static void answer(mote_t *mote, const mote_event_t *event, void *user) {
    static const mote_publish_options_t once = {.qos = 0};
    (void)user;
    if (event->kind != MOTE_EVENT_RPC_REQUEST) return;
    bool on = false;
    mote_json_boolean(mote, event->value, "on", &on);
    mote_begin(mote);
    mote_add_boolean(mote, "ok", on);
    mote_send_rpc_reply(mote, event->id, &once);
}

int main(int count, char **words) {
    if (count < 3) return 2;
    client_prepare(&client, TEST_CONFIG);
    client.options.on_event = answer;
    if (mote_init(&client.mote, &client.options) < 0) return 1;
    client_connect(&client);
    client.port.observer = NULL;
    bool rpc = strcmp(words[1], "rpc") == 0;
    for (long i = strtol(words[2], NULL, 10); i > 0; i--) {
        if (rpc) {
            client_receive(&client, "v1/devices/me/rpc/request/7", "{\"method\":\"setLed\",\"params\":{\"on\":true}}");
            measured_rpc(&client.mote);
        } else {
            measured_telemetry(&client.mote);
        }
    }
    printf("%u queued, %u received\n", mote_stat(&client.mote, MOTE_STAT_MESSAGES_QUEUED), mote_stat(&client.mote, MOTE_STAT_MESSAGES_RECEIVED));
    mote_free(&client.mote);
    return 0;
}
