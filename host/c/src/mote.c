// Life and loop of a client.
#include "client.h"
#include "engine.h"

void mote_log(mote_t *mote, uint32_t level, const char *text) {
    mote_log_span(mote, level, (mote_span_t){text, (uint32_t)strlen(text)});
}

void mote_log_span(mote_t *mote, uint32_t level, mote_span_t text) {
    mote_port_t *port = mote->options.port;
    if (mote->options.on_log != NULL) {
        if (level <= mote->options.log_level) mote->options.on_log(mote, (mote_log_level_t)level, text, mote->options.user);
    } else if (port->functions->log != NULL) {
        port->functions->log(port, level, text.data, text.length);
    }
}

// The field of the options that cannot be worked with, or NULL.
static const char *find_bad_option(const mote_options_t *options) {
    if (options->config == NULL) return "config";
    if (options->port == NULL) return "port";
    if (options->arena == NULL || ((uintptr_t)options->arena & 7) != 0) return "arena";
    for (uint32_t i = 0; i < options->shared_attribute_count; i++) {
        // They are requested joined by commas, and found by paths.
        const char *key = options->shared_attributes[i].key;
        if (*key == 0 || key[strcspn(key, ",.")] != 0) return "shared_attributes";
    }
    return options->memory_size > 65536 ? "memory_size" : NULL;
}

int32_t mote_init(mote_t *mote, const mote_options_t *options) {
    memset(mote, 0, sizeof *mote);
    const char *bad_option = find_bad_option(options);
    if (bad_option != NULL) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, bad_option, 0);
    mote->options = *options;
    if (mote->options.memory_size == 0) mote->options.memory_size = MOTE_MEMORY_SIZE;

    int32_t kept = options->subscriptions_size == 0 ? MOTE_SUBSCRIPTIONS_SIZE : options->subscriptions_size;
    mote->subscriptions_capacity = kept < 0 ? 0 : (uint32_t)kept;
    if (mote->subscriptions_capacity > options->arena_size) {
        return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "arena_size", kept);
    }
    mote->subscriptions = (uint8_t *)options->arena + options->arena_size - mote->subscriptions_capacity;

    const char *config = options->config;
    size_t length = options->config_length;
    mote_span_t tls = {"", 0};
    if (mote_config_find(config, length, "tls", &tls) && (options->port->functions->capabilities & MOTE_PORT_TLS) == 0) {
        return mote_fail(mote, MOTE_STATUS_TLS_UNSUPPORTED, "tls", 0);
    }
    mote_span_t verify;
    if (mote_config_find(tls.data, tls.length, "verify", &verify) && mote_span_equals(verify, "false")) {
        mote_log(mote, MOTE_LOG_LEVEL_WARNING, "tls.verify is false: whoever answers is believed");
    }
    mote->backoff_min_ms = mote_config_unsigned(config, length, "reconnect_min_ms", 1000);
    mote->backoff_max_ms = mote_config_unsigned(config, length, "reconnect_max_ms", 120000);

    int32_t status = mote_instance_build(mote);
    mote_split_configure(mote);
    if (status >= 0) return MOTE_STATUS_OK;
    mote_connection_close(mote);
    mote_instance_discard(mote);
    mote->life = MOTE_LIFE_NONE;
    return status;
}

void mote_free(mote_t *mote) {
    if (mote->life == MOTE_LIFE_NONE) return;
    mote_stop(mote);
    mote_connection_close(mote);
    mote_instance_discard(mote);
    mote_cancel(mote);
    mote->life = MOTE_LIFE_NONE;
}

int32_t mote_start(mote_t *mote) {
    if (mote_is_foreign_task(mote)) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "task", 0);
    if (mote->life == MOTE_LIFE_FAILED) mote_supervise_again(mote);
    bool later = mote->life == MOTE_LIFE_BROKEN || mote->restart_pending; // once another instance is built
    int32_t status = later ? MOTE_STATUS_OK : mote_call(mote, MOTE_EXPORT_START, 0, NULL);
    if (status >= 0) {
        mote->started = true;
        if (mote->state == MOTE_STATE_STOPPED) mote->state = MOTE_STATE_WAITING;
        if (mote->state == MOTE_STATE_DRAINING) mote->state = MOTE_STATE_CONNECTED; // disconnect() is taken back
    }
    return status;
}

int32_t mote_disconnect(mote_t *mote) {
    if (mote_is_foreign_task(mote)) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "task", 0);
    mote->restart_pending = false;
    if (mote->life == MOTE_LIFE_BROKEN) {
        mote->started = false;
        mote->state = MOTE_STATE_STOPPED;
    }
    int32_t status = mote_call(mote, MOTE_EXPORT_DISCONNECT, 0, NULL);
    if (status < 0) return status;
    mote->started = false;
    mote->state = mote->handle != 0 ? MOTE_STATE_DRAINING : MOTE_STATE_STOPPED;
    return status;
}

int32_t mote_stop(mote_t *mote) {
    if (mote->life == MOTE_LIFE_NONE) return MOTE_STATUS_BAD_STATE;
    if (mote_is_foreign_task(mote)) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "task", 0);
    mote->restart_pending = false;
    mote->started = mote->end_untold = false;
    memset(&mote->event, 0, sizeof mote->event);
    int32_t status = mote->life == MOTE_LIFE_ALIVE ? mote_call(mote, MOTE_EXPORT_STOP, 0, NULL) : MOTE_STATUS_OK;
    mote->state = MOTE_STATE_STOPPED;
    mote->options.port->functions->step(mote->options.port);
    return status;
}

// What ran up to such an event will not run again for long: with compile_on_first_call its code is given back.
static bool ends_a_stage(int32_t kind) {
    switch (kind) {
    case MOTE_EVENT_CONNECTED:
    case MOTE_EVENT_SUBSCRIBED:
    case MOTE_EVENT_SESSION_LIMITS:
    case MOTE_EVENT_DISCONNECTED:
    case MOTE_EVENT_PROVISIONED:
    case MOTE_EVENT_OTA_FAILED:
    case MOTE_EVENT_OTA_APPLIED:
        return true;
    default:
        return false;
    }
}

int32_t mote_poll(mote_t *mote) {
    bool regular = mote->life == MOTE_LIFE_ALIVE && !mote->restart_pending;
    if ((!regular && mote->life == MOTE_LIFE_NONE) || mote->dispatching) return MOTE_STATUS_BAD_STATE;
    mote_port_t *port = mote->options.port;
#ifdef MOTE_CHECK_TASK
    if (mote->task == 0 && port->functions->task != NULL) mote->task = port->functions->task(port);
    if (mote_is_foreign_task(mote)) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "task", 0);
#endif
    int32_t kind = MOTE_EVENT_NONE;
    mote->event.kind = MOTE_EVENT_NONE;
    if (!regular) kind = mote_supervise(mote);
    port->functions->step(port);
    if (regular || (kind == MOTE_EVENT_NONE && mote->life == MOTE_LIFE_ALIVE)) {
        mote->touched = false;
        // As mote_call() does, whose questions are answered above: each client has this export.
        mote->error_text = NULL;
        kind = mote_engine_call(mote->engine, mote->functions[MOTE_EXPORT_POLL], 0, NULL);
        // Everything that this poll sent leaves together, and before a handler takes its time.
        if (mote->touched) port->functions->step(port);
        if (kind > 0 && !mote_event_read(mote, kind)) kind = MOTE_STATUS_TRAPPED;
    }
    if (kind > 0) mote_event_dispatch(mote);
    if (mote->attributes_wanted) mote_handlers_request(mote);
    if (mote->options.post_buffer_size != 0) mote_posts_send(mote);
    if (ends_a_stage(kind) && mote->life == MOTE_LIFE_ALIVE) mote_engine_forget_code(mote->engine);
    return kind;
}

int32_t mote_deadline_ms(mote_t *mote) {
    uint32_t due_in_ms = mote_supervise_due_in_ms(mote);
    if (mote->life != MOTE_LIFE_ALIVE) return (int32_t)due_in_ms;
    int32_t deadline_ms = mote_call(mote, MOTE_EXPORT_DEADLINE_MS, 0, NULL);
    if (deadline_ms < 0) return 0;
    return (uint32_t)deadline_ms < due_in_ms ? deadline_ms : (int32_t)due_in_ms;
}

int32_t mote_wants(mote_t *mote) {
    if (mote->life != MOTE_LIFE_ALIVE) return 0;
    int32_t wants = mote_call(mote, MOTE_EXPORT_WANTS, 0, NULL);
    return wants < 0 ? 0 : wants;
}

// Set by other tasks and by signals, and by nothing else that needs an order: a message that is posted has the port's lock.
static bool is_woken(const mote_t *mote) {
    return __atomic_load_n(&mote->woken, __ATOMIC_RELAXED);
}

static void set_woken(mote_t *mote, bool woken) {
    __atomic_store_n(&mote->woken, woken, __ATOMIC_RELAXED);
}

static void sleep_until_due(mote_t *mote, uint32_t timeout_ms) {
    uint32_t deadline_ms = (uint32_t)mote_deadline_ms(mote);
    if (deadline_ms < timeout_ms) timeout_ms = deadline_ms;
    if (timeout_ms == 0 || is_woken(mote)) return;
    mote->options.port->functions->wait(mote->options.port, timeout_ms, (uint32_t)mote_wants(mote));
}

void mote_wait(mote_t *mote, uint32_t timeout_ms) {
    if (mote->life == MOTE_LIFE_NONE) return;
    sleep_until_due(mote, timeout_ms);
    set_woken(mote, false);
}

int32_t mote_run(mote_t *mote, uint32_t timeout_ms) {
    if (mote->life == MOTE_LIFE_NONE) return MOTE_STATUS_BAD_STATE;
    uint32_t begin_ms = mote_now_ms(mote);
    for (;;) {
        mote_poll(mote);
        if (mote->life == MOTE_LIFE_FAILED) return MOTE_STATUS_TRAPPED;
        uint32_t elapsed_ms = mote_now_ms(mote) - begin_ms;
        if (is_woken(mote) || elapsed_ms >= timeout_ms) break;
        sleep_until_due(mote, timeout_ms - elapsed_ms);
    }
    set_woken(mote, false);
    return MOTE_STATUS_OK;
}

void mote_wake(mote_t *mote) {
    set_woken(mote, true);
    mote_port_t *port = mote->options.port;
    if (port != NULL) port->functions->wake(port);
}

mote_state_t mote_state(const mote_t *mote) {
    return (mote_state_t)mote->state;
}

uint32_t mote_features(const mote_t *mote) {
    return mote->features;
}

uint32_t mote_stat(const mote_t *mote, mote_stat_t which) {
    if (mote->life != MOTE_LIFE_ALIVE || (uint32_t)which > MOTE_STAT_END - 4) return 0;
    return mote_load_u32(mote->memory + mote->stats_address + which);
}
