// The demo device of host/cli/README.md: what it measures and answers, and the lines it writes.
#ifndef MOTE_DEMO_H
#define MOTE_DEMO_H

#include "mote.h"

typedef struct demo {
    bool json;            // one JSON object a line instead of words
    const char *engine;   // named in the client attributes
    bool has_app;         // an app measures and answers; only lines are written here
    bool begun;           // the first connection came
    bool enabled;         // what setLed sets
    uint32_t sequence;    // telemetry messages that entered the outbox
    uint32_t delivered;   // of these, acknowledged
    uint8_t waiting[8192]; // one bit for each packet id: telemetry without an acknowledgement yet
    int32_t attributes_id;
} demo_t;

// The event handler of the client; `user` is the demo_t.
void demo_on_event(mote_t *mote, const mote_event_t *event, void *user);

// Sends one telemetry message. While the outbox is full nothing is built or counted.
void demo_measure(demo_t *demo, mote_t *mote);

// A pin of the board changed; `user` is the demo_t.
void demo_pin(void *user, int pin, int level);

// A line that the app logged.
void demo_log(const demo_t *demo, mote_log_level_t level, mote_span_t text);

// The last line.
void demo_stopped(const demo_t *demo);

// A failure before the client ran.
void demo_error(const demo_t *demo, int32_t status, mote_span_t text);

#endif
