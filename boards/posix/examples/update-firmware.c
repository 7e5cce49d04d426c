// Takes the firmware that is assigned to the device, checks it, and puts it where the next boot finds it. What runs is told by
// `firmware_title` and `firmware_version` of the configuration.
#include "example.h"

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    (void)user;
    switch ((int)event->kind) {
    case MOTE_EVENT_OTA_AVAILABLE:
        printf("%.*s %.*s of %u bytes\n", SPAN(event->name), SPAN(event->value), event->total);
        break;
    case MOTE_EVENT_OTA_PROGRESS:
        printf("%u of %u bytes\n", event->offset, event->total);
        break;
    case MOTE_EVENT_OTA_READY: // verified; false would refuse it
        mote_ota_apply(client, MOTE_OTA_KIND_FIRMWARE, true);
        break;
    case MOTE_EVENT_OTA_APPLIED:
        puts("applied");
        example_end(client, 0);
        break;
    case MOTE_EVENT_OTA_FAILED:
        fprintf(stderr, "%.*s\n", SPAN(event->name));
        example_end(client, event->reason < 0 ? event->reason : MOTE_STATUS_REMOTE_ERROR);
        break;
    default:
        break;
    }
}

int main(int count, char **words) {
    return example_run(count, words, NULL, &(mote_options_t){.on_event = on_event});
}
