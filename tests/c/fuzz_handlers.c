// What the application of a life is called for, what it checks then, and what it does inside a handler.
#include "fuzz_life.h"

static void enter(life_t *life, const char *what) {
    if (life->handling++ > 0) life_blame(life, "%s inside a handler", what);
    if (life->is_locked) life_blame(life, "%s while the queue of posts is locked", what);
}

static void leave(life_t *life) {
    while (!life->is_reliable && !life->is_building && life->fault[0] == 0 && chance(30)) fuzz_use(life);
    if (goes_wrong(life, 3)) life->mote.trap_next = true;
    life->handling--;
}

static void check_span(life_t *life, const char *what, mote_span_t span) {
    if (span.length == 0) return;
    if (!life_holds(life, span)) life_blame(life, "%s of an event lies outside of the memory", what);
    else life_note_bytes(life, what, span.data, span.length);
}

static void check_event(life_t *life, const mote_event_t *event) {
    uint32_t kind = (uint32_t)event->kind;
    if (kind == MOTE_EVENT_NONE || strcmp(mote_event_name((int32_t)kind), "Unknown") == 0) {
        life_blame(life, "an event of kind %u is told", kind);
        return;
    }
    life->event_counts[kind]++;
    life_note(life, "event %s flags %u id %d reason %d total %u offset %u", mote_event_name((int32_t)kind), event->flags, (int)event->id, (int)event->reason,
              (unsigned)event->total, (unsigned)event->offset);
    if (kind == MOTE_EVENT_APP_FAILED) return; // its name is the engine's words
    check_span(life, "topic", event->topic);
    check_span(life, "payload", event->payload);
    check_span(life, "name", event->name);
    check_span(life, "value", event->value);
}

static void on_event(mote_t *mote, const mote_event_t *event, void *user) {
    life_t *life = user;
    enter(life, "an event");
    check_event(life, event);
    // An app tells of its failure outside of mote_poll().
    if (event->kind != MOTE_EVENT_APP_FAILED && mote_poll(mote) != MOTE_STATUS_BAD_STATE) life_blame(life, "a handler can poll");
    if (life->has_app && chance(90)) mote_app_event(&life->app, event);
    leave(life);
}

static void on_taken(mote_t *mote, const mote_event_t *event, void *user) {
    life_t *life = user;
    (void)mote;
    enter(life, "an event that was taken");
    check_event(life, event);
    if (life->has_app) mote_app_event(&life->app, event);
    leave(life);
}

static int32_t on_rpc(mote_t *mote, const mote_event_t *request, void *user) {
    static const int32_t results[] = {MOTE_STATUS_OK, MOTE_STATUS_OK, MOTE_RPC_LATER, MOTE_STATUS_NOT_FOUND, MOTE_STATUS_TRAPPED, -1000};
    life_t *life = user;
    enter(life, "an RPC");
    check_event(life, request);
    if (chance(60)) mote_add_boolean(mote, "done", true);
    leave(life);
    return PICK(results);
}

static void on_attribute(mote_t *mote, const char *key, const mote_json_t *value, void *user) {
    life_t *life = user;
    enter(life, "an attribute");
    life_note(life, "attribute %s", key);
    if (value != NULL) check_span(life, "value", value->text);
    // Who says that there is none must have looked.
    else if (mote->life != MOTE_LIFE_ALIVE || mote_event(mote)->kind == MOTE_EVENT_NONE) life_blame(life, "%s is said not to exist where nobody can know", key);
    leave(life);
}

static void on_log(mote_t *mote, mote_log_level_t level, mote_span_t text, void *user) {
    life_t *life = user;
    (void)mote;
    if (level > life->options.log_level) life_blame(life, "a line of level %u", (unsigned)level);
    if (level != MOTE_LOG_LEVEL_ERROR) life_note_bytes(life, "log", text.data, text.length); // else an engine's own words
    life_note(life, "log %u", (unsigned)level);
}

static int32_t on_secret(const char *key, char *out_secret, size_t capacity, void *user) {
    static const int32_t lengths[] = {0, 1, 5, 5, 5, MOTE_SECRET_MAX, MOTE_SECRET_MAX + 1, MOTE_STATUS_NOT_FOUND};
    life_t *life = user;
    life_note(life, "secret %s", key);
    // A client that was built once must be built again after a trap.
    int32_t length = life->is_alone ? PICK(lengths) : 0;
    if (length > 0) memset(out_secret, chance(95) ? 's' : '"', (size_t)length < capacity ? (size_t)length : capacity);
    return length;
}

void fuzz_handlers_set(life_t *life) {
    static const mote_rpc_method_t methods[] = {{"setLed", on_rpc}, {"a", on_rpc}, {"m", on_rpc}, {"", on_rpc}};
    static const mote_shared_attribute_t attributes[] = {
        {"a", on_attribute}, {"mode", on_attribute}, {"\xc3\xa9\"", on_attribute},
        {"a key of more than the sixty-four bytes that need no room of their own in staging", on_attribute},
    };
    mote_options_t *options = &life->options;
    if (chance(90)) options->on_event = on_event;
    if (chance(50)) options->on_taken = on_taken;
    if (chance(50)) options->on_log = on_log;
    options->log_level = (mote_log_level_t)random_below(4);
    if (chance(20)) options->secret = on_secret;
    options->user = life;
    options->rpc_methods = methods;
    options->rpc_method_count = random_below(5);
    options->shared_attributes = attributes;
    options->shared_attribute_count = chance(50) ? random_below(5) : 0;
}
