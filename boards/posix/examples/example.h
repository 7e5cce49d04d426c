// The program around each example of this folder: one client, run until the example has ended or somebody interrupts it.
#ifndef MOTE_EXAMPLE_H
#define MOTE_EXAMPLE_H

#include <stdio.h>

#include "mote.h"

#define QOS_0 (&(mote_publish_options_t){.qos = 0})

// For printf("%.*s"): a span has no zero at its end.
#define SPAN(span) (int)(span).length, (span).data

// The main program: words[1] names the configuration. `handlers` are the options that the example has, NULL for `profile` is
// "device". The exit code is 0 when the example ended well or was interrupted.
int example_run(int count, char **words, const char *profile, const mote_options_t *handlers);

// What the example wanted to do is done; a result below zero is printed, and makes the exit code 1.
void example_end(mote_t *client, int32_t result);

#endif
