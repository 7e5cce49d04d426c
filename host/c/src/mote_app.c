// Life of an app: load, setup, events, timer, failure and restart. assembly/app/ABI.md.
#include "mote_app.h"

#include "client.h"
#include "engine_app.h"

#define EVENT_CAPACITY_MIN 64

enum {
    LIFE_NONE,   // mote_app_init() has not succeeded
    LIFE_LOADED, // setup has not run
    LIFE_ALIVE,
    LIFE_DOWN, // failed; mote_app_poll() builds it again
};

static int32_t refuse(mote_app_t *app, int32_t status, const char *fault) {
    app->fault = fault;
    return status;
}

static int32_t call(mote_app_t *app, const void *function, uint32_t arguments, const uint32_t values[], int32_t *out_result) {
    uint32_t fuel = app->options.fuel != 0 ? app->options.fuel : MOTE_APP_FUEL;
    app->running = true;
    int32_t status = mote_app_engine_call(app->engine, function, fuel, arguments, values, out_result, &app->fault);
    app->running = false;
    return status;
}

static int32_t ask(mote_app_t *app, const char *name, uint32_t *out_value) {
    const void *function = mote_app_engine_find(app->engine, name, 0, 1);
    if (function == NULL) return refuse(app, MOTE_STATUS_NOT_FOUND, name);
    return call(app, function, 0, NULL, (int32_t *)out_value);
}

static int32_t build(mote_app_t *app) {
    const mote_app_options_t *options = &app->options;
    const mote_engine_setup_t setup = {
        .module = options->module, .module_length = options->module_length, .arena = options->arena,
        .arena_size = options->arena_size, .memory_size = options->memory_size,
    };
    int32_t status = mote_app_engine_load(&app->engine, &setup, app, &app->fault);
    if (status < 0) return status;
    app->memory = mote_app_engine_memory(app->engine, &app->memory_length);
    app->setup = mote_app_engine_find(app->engine, "setup", 0, 0);
    if (app->setup == NULL) return refuse(app, MOTE_STATUS_NOT_FOUND, "setup");
    app->on_event = mote_app_engine_find(app->engine, "on_event", 2, 0);
    if (app->on_event == NULL) return refuse(app, MOTE_STATUS_NOT_FOUND, "on_event");
    status = ask(app, "event_buffer", &app->event_buffer);
    if (status >= 0) status = ask(app, "event_capacity", &app->event_capacity);
    if (status < 0) return status;
    bool fits = app->event_capacity >= EVENT_CAPACITY_MIN && app->event_buffer % 4 == 0 && app->event_buffer <= app->memory_length &&
                app->event_capacity <= app->memory_length - app->event_buffer;
    if (!fits) return refuse(app, MOTE_STATUS_INVALID_VALUE, "event_buffer");
    app->life = LIFE_LOADED;
    return MOTE_STATUS_OK;
}

static void discard(mote_app_t *app) {
    if (app->engine != NULL) mote_app_engine_free(app->engine);
    app->engine = NULL;
    app->timer_set = false;
}

int32_t mote_app_init(mote_app_t *app, const mote_app_options_t *options) {
    memset(app, 0, sizeof *app);
    app->fault = "mote_app_options_t";
    if (options->mote == NULL || options->module == NULL || options->arena == NULL || ((uintptr_t)options->arena & 7) != 0 ||
        options->memory_size > 65536 || options->fuel > INT32_MAX) {
        return MOTE_STATUS_INVALID_VALUE;
    }
    app->options = *options;
    int32_t status = build(app);
    if (status < 0) discard(app);
    return status;
}

void mote_app_free(mote_app_t *app) {
    if (app->life == LIFE_NONE) return;
    discard(app);
    app->life = LIFE_NONE;
    app->failure_pending = false;
    if (app->options.mote->life == MOTE_LIFE_ALIVE) mote_subscriptions_end(app->options.mote, MOTE_OWNER_APP);
}

// --------------------------------------------------------------------- failure

// Full jitter under a ceiling that doubles with each failure of the window, like the client's own after a trap.
static void fail(mote_app_t *app, int32_t status) {
    mote_t *mote = app->options.mote;
    uint32_t now_ms = mote_now_ms(mote);
    if (app->failures_recent != 0 && now_ms - app->failed_ms > MOTE_TRAP_WINDOW_MS) app->failures_recent = 0;
    uint32_t ceiling_ms = mote->backoff_min_ms;
    for (uint32_t i = 0; i < app->failures_recent && ceiling_ms < mote->backoff_max_ms; i++) ceiling_ms *= 2;
    if (ceiling_ms > mote->backoff_max_ms) ceiling_ms = mote->backoff_max_ms;
    mote_port_t *port = mote->options.port;
    app->restart_due_ms = now_ms + port->functions->random_u32(port) % (ceiling_ms + 1);
    app->failed_ms = now_ms;
    app->failures_recent++;
    app->failures++;
    app->reason = status == MOTE_STATUS_TIMEOUT ? status : MOTE_STATUS_TRAPPED;
    app->failure_pending = true;
    app->life = LIFE_DOWN;
    discard(app);
}

static int32_t raise_failure(mote_app_t *app) {
    mote_t *mote = app->options.mote;
    app->failure_pending = false;
    mote_event_t event = {
        .kind = MOTE_EVENT_APP_FAILED, .reason = app->reason, .name = {.data = app->fault, .length = (uint32_t)strlen(app->fault)},
    };
    if (mote->options.on_event != NULL) mote->options.on_event(mote, &event, mote->options.user);
    return MOTE_EVENT_APP_FAILED;
}

static void run(mote_app_t *app, const void *function, uint32_t arguments, const uint32_t values[]) {
    int32_t status = call(app, function, arguments, values, NULL);
    memset(app->lent, 0, sizeof app->lent);
    if (status < 0) fail(app, status);
}

// ---------------------------------------------------------------------- events

static uint32_t padded(uint32_t length) {
    return (length + 3u) & ~3u;
}

static bool lies_within(mote_span_t inner, mote_span_t outer) {
    uintptr_t offset = (uintptr_t)inner.data - (uintptr_t)outer.data;
    return offset <= outer.length && inner.length <= outer.length - offset;
}

// Puts one text behind the others, unless it lies in the payload that stands there already. Its address in the app.
static void put_text(mote_app_t *app, uint32_t field, mote_span_t text, const mote_event_t *event, uint32_t payload, uint32_t *ref_length) {
    uint8_t *record = app->memory + app->event_buffer;
    uint32_t address = 0;
    if (text.length != 0 && payload != 0 && lies_within(text, event->payload)) {
        address = payload + (uint32_t)(text.data - event->payload.data);
    } else if (text.length != 0) {
        address = app->event_buffer + *ref_length;
        memcpy(app->memory + address, text.data, text.length);
        *ref_length += padded(text.length);
    }
    mote_store_u32(record + field, address);
    mote_store_u32(record + field + 4, text.length);
}

// What json_find and json_text may look into without a copy: texts that the client still has.
static void lend(mote_app_t *app, uint32_t index, uint32_t field, mote_span_t text) {
    mote_t *mote = app->options.mote;
    uintptr_t offset = (uintptr_t)text.data - (uintptr_t)mote->memory;
    if (text.length == 0 || mote->memory == NULL || offset > mote->memory_length || text.length > mote->memory_length - offset) return;
    app->lent[index].at = mote_load_u32(app->memory + app->event_buffer + field);
    app->lent[index].from = (uint32_t)offset;
    app->lent[index].length = text.length;
}

static uint32_t size_in_buffer(const mote_event_t *event) {
    uint32_t size = MOTE_EVENT_FIELD_END + padded(event->topic.length) + padded(event->payload.length);
    if (!lies_within(event->name, event->payload)) size += padded(event->name.length);
    if (!lies_within(event->value, event->payload)) size += padded(event->value.length);
    return size;
}

static void hand_over(mote_app_t *app, const mote_event_t *event) {
    uint8_t *record = app->memory + app->event_buffer;
    uint32_t needed = size_in_buffer(event);
    mote_event_t told = *event;
    if (needed > app->event_capacity) {
        told = (mote_event_t){.kind = MOTE_EVENT_MESSAGE_TOO_LARGE, .id = event->id, .reason = MOTE_STATUS_TOO_LARGE, .total = needed, .offset = event->kind};
    }
    memset(record, 0, MOTE_EVENT_FIELD_END);
    mote_store_u32(record, (uint32_t)MOTE_EVENT_FIELD_END | (uint32_t)told.kind << 16 | (uint32_t)told.flags << 24);
    mote_store_u32(record + MOTE_EVENT_FIELD_ID, (uint32_t)told.id);
    mote_store_u32(record + MOTE_EVENT_FIELD_REASON, (uint32_t)told.reason);
    mote_store_u32(record + MOTE_EVENT_FIELD_TOTAL, told.total);
    mote_store_u32(record + MOTE_EVENT_FIELD_OFFSET, told.offset);
    uint32_t length = MOTE_EVENT_FIELD_END;
    put_text(app, MOTE_EVENT_FIELD_TOPIC, told.topic, &told, 0, &length);
    put_text(app, MOTE_EVENT_FIELD_PAYLOAD, told.payload, &told, 0, &length);
    uint32_t payload = mote_load_u32(record + MOTE_EVENT_FIELD_PAYLOAD);
    put_text(app, MOTE_EVENT_FIELD_NAME, told.name, &told, payload, &length);
    put_text(app, MOTE_EVENT_FIELD_VALUE, told.value, &told, payload, &length);
    lend(app, 0, MOTE_EVENT_FIELD_TOPIC, told.topic);
    lend(app, 1, MOTE_EVENT_FIELD_PAYLOAD, told.payload);
    lend(app, 2, MOTE_EVENT_FIELD_NAME, told.name);
    lend(app, 3, MOTE_EVENT_FIELD_VALUE, told.value);
    run(app, app->on_event, 2, (const uint32_t[]){(uint32_t)told.kind, length});
}

// A raw message that is larger than the buffer comes in parts, as it does from a client whose own buffer is small.
static void deliver(mote_app_t *app, const mote_event_t *event) {
    uint32_t head = MOTE_EVENT_FIELD_END + padded(event->topic.length);
    bool in_parts = event->kind == MOTE_EVENT_MESSAGE && size_in_buffer(event) > app->event_capacity && head + 4 <= app->event_capacity;
    if (!in_parts) {
        hand_over(app, event);
        return;
    }
    uint32_t room = (app->event_capacity - head) & ~3u;
    for (uint32_t from = 0; from < event->payload.length && app->life == LIFE_ALIVE; from += room) {
        mote_event_t part = *event;
        uint32_t rest = event->payload.length - from;
        part.payload = (mote_span_t){event->payload.data + from, rest < room ? rest : room};
        part.offset += from;
        if (rest > room) part.flags &= (uint8_t)~MOTE_EVENT_FLAG_LAST;
        hand_over(app, &part);
    }
}

void mote_app_event(mote_app_t *app, const mote_event_t *event) {
    if (app->life != LIFE_ALIVE || app->running || event->kind == MOTE_EVENT_APP_FAILED) return;
    app->reading = true;
    deliver(app, event);
    app->reading = false;
}

// ------------------------------------------------------------------------ loop

static bool is_due(const mote_app_t *app, uint32_t due_ms) {
    return (int32_t)(mote_now_ms(app->options.mote) - due_ms) >= 0;
}

int32_t mote_app_poll(mote_app_t *app) {
    if (app->life == LIFE_NONE || app->running) return MOTE_EVENT_NONE;
    if (app->failure_pending) return raise_failure(app);
    if (app->life == LIFE_DOWN && is_due(app, app->restart_due_ms)) {
        int32_t status = build(app);
        if (status < 0) fail(app, status);
    }
    if (app->life == LIFE_LOADED) {
        app->life = LIFE_ALIVE;
        run(app, app->setup, 0, NULL);
    } else if (app->life == LIFE_ALIVE && app->timer_set && is_due(app, app->timer_due_ms)) {
        app->timer_set = false;
        deliver(app, &(const mote_event_t){.kind = MOTE_EVENT_APP_TIMER});
    }
    return MOTE_EVENT_NONE;
}

uint32_t mote_app_deadline_ms(const mote_app_t *app) {
    if (app->life == LIFE_NONE) return MOTE_NO_DEADLINE_MS;
    if (app->failure_pending || app->life == LIFE_LOADED) return 0;
    if (app->life == LIFE_ALIVE && !app->timer_set) return MOTE_NO_DEADLINE_MS;
    int32_t left_ms = (int32_t)((app->life == LIFE_DOWN ? app->restart_due_ms : app->timer_due_ms) - mote_now_ms(app->options.mote));
    return left_ms > 0 ? (uint32_t)left_ms : 0;
}

const char *mote_app_fault(const mote_app_t *app) {
    return app->fault != NULL ? app->fault : "";
}

uint32_t mote_app_failures(const mote_app_t *app) {
    return app->failures;
}

size_t mote_app_arena_used(const mote_app_t *app) {
    return app->engine != NULL ? mote_app_engine_used(app->engine) : 0;
}
