// The signals that end a program.
#include "ending.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

void ending_watch(void (*on_signal)(int number)) {
    struct sigaction action;
    struct sigaction inherited;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &inherited) == 0 && inherited.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL);
}

void ending_unwatch(void) {
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
}
