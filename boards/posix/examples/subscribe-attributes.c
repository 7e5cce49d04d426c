// Listens to one shared attribute and to all of them, until it is interrupted.
#include "example.h"

// Told after each connect too, so that a change during an outage is not missed.
static void on_frequency(mote_t *client, const char *key, const mote_json_t *value, void *user) {
    (void)client;
    (void)user;
    if (value == NULL) printf("%s is not set\n", key);
    else printf("%s is %.*s\n", key, SPAN(value->text));
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)client;
    (void)user;
    if (event->kind == MOTE_EVENT_SHARED_ATTRIBUTES) printf("update %.*s\n", SPAN(event->payload));
}

int main(int count, char **words) {
    static const mote_shared_attribute_t attributes[] = {{"uploadFrequency", on_frequency}};
    return example_run(count, words, NULL, &(mote_options_t){
        .on_event = on_event, .shared_attributes = attributes, .shared_attribute_count = 1,
    });
}
