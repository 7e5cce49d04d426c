/*
 * mote_app.h - an app module beside a client: device logic that can be replaced without touching the firmware.
 *
 * assembly/app/ABI.md is what app and host agree on. The app runs in wasm3, in an arena of its own, whatever runs the client.
 *
 *   mote_app_init(&app, &options);              // after mote_init()
 *   for (;;) {
 *       mote_poll(&mote);                       // on_event, and on_taken where there are handlers by verb, call mote_app_event(&app, event)
 *       mote_app_poll(&app);
 *       mote_wait(&mote, mote_app_deadline_ms(&app));
 *   }
 *
 * An app that traps or uses its fuel up is ended, MOTE_EVENT_APP_FAILED is raised to the client's on_event, and it begins
 * again under the client's reconnect backoff. A mote_app_t belongs to the task of its client.
 */
#ifndef MOTE_APP_H
#define MOTE_APP_H

#include "mote.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mote_app mote_app_t;

/* The board's hardware: op codes and results are the board's, negative results a status. `bytes` lie in the app's memory and
 * are valid during the call. Called while the app is on the stack; must not call Mote. */
typedef int32_t mote_app_io_t(void *user, int32_t op, uint8_t *bytes, uint32_t length);

/* Zero is a sensible value of each field that is not marked as required. The record is copied; what it points to must stay
 * valid until mote_app_free(). */
typedef struct mote_app_options {
    mote_t *mote;          /* required: a client on which mote_init() has succeeded */
    const void *module;    /* required: the app's bytes; they may lie in flash */
    size_t module_length;
    void *arena;           /* required: aligned to 8 bytes; load once with plenty, then ask mote_app_arena_used() */
    size_t arena_size;
    uint32_t memory_size;  /* bytes of linear memory, at most 65,536; 0 = what the app was built for */
    uint32_t fuel;         /* for each call; 0 = MOTE_APP_FUEL, at most INT32_MAX */
    mote_app_io_t *io;     /* NULL: the app's `io` answers NotInProfile */
    void *user;            /* of io */
} mote_app_options_t;

/* Loads the app and checks it; its `setup` runs in the first mote_app_poll(). Nothing is left open on failure:
 *   TooLarge      the arena, or the memory that the app was built for; mote_app_fault() says which
 *   Malformed     the module is cut off or corrupt
 *   NotFound      an import that no host has, an export that must be there, or the fuel counter; mote_app_fault() has its name
 *   InvalidValue  options, or an event buffer that lies outside the memory */
int32_t mote_app_init(mote_app_t *app, const mote_app_options_t *options);

/* Ends the app, and its subscriptions but those that the client's application has declared too. Before mote_free(). */
void mote_app_free(mote_app_t *app);

/* Hands one event to the app; call it from the client's on_event and on_taken. Nothing while the app is down. */
void mote_app_event(mote_app_t *app, const mote_event_t *event);

/* One step: setup, a timer that is due, a restart, or raising AppFailed. Returns the kind of that event, 0 = none. */
int32_t mote_app_poll(mote_app_t *app);

/* Milliseconds until mote_app_poll() has something to do, MOTE_NO_DEADLINE_MS = it has not. */
uint32_t mote_app_deadline_ms(const mote_app_t *app);

/* What belongs to the last failure: a name or the engine's words. */
const char *mote_app_fault(const mote_app_t *app);

/* Failures since mote_app_init(), and bytes of the arena in use at most. */
uint32_t mote_app_failures(const mote_app_t *app);
size_t mote_app_arena_used(const mote_app_t *app);

/* Public only so that its size is known. */
struct mote_app {
    mote_app_options_t options;
    struct mote_app_engine *engine; /* NULL = no instance */
    uint8_t *memory;
    uint32_t memory_length;
    const void *setup, *on_event;
    uint32_t event_buffer, event_capacity;
    struct {
        uint32_t at, from, length;  /* app's address, client's address, bytes */
    } lent[4];                      /* topic, payload, name and value of the event that the app reads now */
    uint8_t life;
    bool running, reading, timer_set, failure_pending; /* reading: an event of the client, which it may release */
    uint32_t timer_due_ms, restart_due_ms;
    uint32_t failures, failures_recent, failed_ms;
    int32_t reason;
    const char *fault;
};

#ifdef __cplusplus
}
#endif
#endif
