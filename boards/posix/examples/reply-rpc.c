// Answers server-side RPC with what this machine is doing, until it is interrupted.
#include <stdlib.h>
#include <unistd.h>

#include "example.h"

static int32_t get_cpu_load(mote_t *client, const mote_event_t *request, void *user) {
    (void)request;
    (void)user;
    double load = 0;
    getloadavg(&load, 1);
    return mote_add_double(client, "CPU percent", 100 * load / (double)sysconf(_SC_NPROCESSORS_ONLN), 1);
}

static int32_t get_memory_usage(mote_t *client, const mote_event_t *request, void *user) {
    (void)request;
    (void)user;
    int64_t pages = sysconf(_SC_PHYS_PAGES);
    return mote_add_integer(client, "Memory", 100 * (pages - sysconf(_SC_AVPHYS_PAGES)) / pages);
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    if (event->kind != MOTE_EVENT_RPC_REQUEST) return; // those above do not come here
    mote_begin(client);
    mote_add_text(client, "error", "unknown method");
    mote_send_rpc_reply(client, event->id, NULL);
}

int main(int count, char **words) {
    static const mote_rpc_method_t methods[] = {{"getCPULoad", get_cpu_load}, {"getMemoryUsage", get_memory_usage}};
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event, .rpc_methods = methods, .rpc_method_count = 2});
}
