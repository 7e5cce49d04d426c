// The imports of apps, each checked against the app's memory and carried out by the client.
#include "app_verbs.h"

#include "record.h"

#define ARGUMENT(index) ((uint32_t)arguments[index])
#define PUBLISH_BITS (MOTE_APP_PUBLISH_QOS0 | MOTE_APP_PUBLISH_QOS1 | MOTE_APP_PUBLISH_RETAIN)

// How a verb is run, and the export of the client that belongs to it.
enum {
    MESSAGE, REPLY, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, REQUEST, NUMBER, TWO_NUMBERS, RELEASE, JSON_FIND, JSON_TEXT, TIMER, NOW, UNIX, RANDOM, LOG, IO,
    ERROR_VALUE, ERROR_TEXT, POINTS_MAX, CHILDREN_MAX, STATE, STAT, FEATURES,
};
#define RUN(name, form, run) run,
static const uint8_t runs[] = {MOTE_APP_VERBS(RUN)};
#define NAME(name, form, run) #name,
static const char *const names[] = {MOTE_APP_VERBS(NAME)};
#define EXPORT_NAME(symbol, name, arguments, required) #name,
static const char *const export_names[] = {MOTE_EXPORTS(EXPORT_NAME)};

// A client whose host does not know the export has not the feature either.
static int32_t call(mote_t *mote, mote_app_verb_t verb, uint32_t count, const uint32_t values[]) {
    for (uint32_t i = 0; i < MOTE_EXPORT_COUNT; i++) {
        if (strcmp(export_names[i], names[verb]) == 0) return mote_call(mote, (mote_export_t)i, count, values);
    }
    return mote_fail(mote, MOTE_STATUS_NOT_IN_PROFILE, names[verb], 0);
}

// What an app has is less than 64 KiB, so a sum of two lengths is no concern.
static int32_t too_large(mote_t *mote, uint32_t needed) {
    return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", (int32_t)needed);
}

static bool holds(const mote_app_t *app, uint32_t address, uint32_t length) {
    return address <= app->memory_length && length <= app->memory_length - address;
}

static int32_t outside(mote_t *mote) {
    return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "memory", 0);
}

// The staging area is free: the client lives, and nobody builds a message there.
static int32_t check_staging(mote_t *mote) {
    if (mote->life != MOTE_LIFE_ALIVE) return MOTE_STATUS_TRAPPED;
    return mote->message_open ? mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_begin", 0) : MOTE_STATUS_OK;
}

// Copies bytes of the app behind `*ref_offset` bytes of the client's staging area.
static int32_t stage(mote_app_t *app, uint32_t *ref_offset, uint32_t address, uint32_t length) {
    mote_t *mote = app->options.mote;
    int32_t status = check_staging(mote);
    if (status < 0) return status;
    if (!holds(app, address, length)) return outside(mote);
    if (length > mote->staging_capacity - *ref_offset) return too_large(mote, *ref_offset + length);
    memcpy(mote->memory + mote->staging_address + *ref_offset, app->memory + address, length);
    *ref_offset += length;
    return MOTE_STATUS_OK;
}

// Writes the options behind what is staged: their address, 0 for none, or a status.
static int32_t stage_options(mote_t *mote, uint32_t offset, uint32_t bits) {
    if ((bits & ~(uint32_t)PUBLISH_BITS) != 0) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "options", (int32_t)bits);
    if (bits == 0) return 0;
    mote_publish_options_t options = {.qos = MOTE_QOS_CONFIGURED, .retain = (bits & MOTE_APP_PUBLISH_RETAIN) != 0};
    if ((bits & MOTE_APP_PUBLISH_QOS0) != 0) options.qos = 0;
    else if ((bits & MOTE_APP_PUBLISH_QOS1) != 0) options.qos = 1;
    uint32_t address = mote_options_write(mote, offset, &options);
    return address == 0 ? too_large(mote, mote_staged_size(offset, true)) : (int32_t)address;
}

// Stages what is sent and its options: their address, 0 for none, or a status.
static int32_t stage_message(mote_app_t *app, uint32_t *ref_length, uint32_t address, uint32_t length, uint32_t bits) {
    mote_t *mote = app->options.mote;
    int32_t status = stage(app, ref_length, address, length);
    if (status == MOTE_STATUS_TOO_LARGE) mote->error_value = (int32_t)mote_staged_size(*ref_length + length, bits != 0);
    return status < 0 ? status : stage_options(mote, *ref_length, bits);
}

static int32_t message(mote_app_t *app, mote_app_verb_t verb, const uint64_t *arguments) {
    mote_t *mote = app->options.mote;
    uint32_t length = 0;
    int32_t options = stage_message(app, &length, ARGUMENT(0), ARGUMENT(1), ARGUMENT(2));
    bool of_children = verb == MOTE_APP_VERB_gateway_telemetry || verb == MOTE_APP_VERB_gateway_attributes;
    bool counts = of_children || verb == MOTE_APP_VERB_send_telemetry || verb == MOTE_APP_VERB_send_attributes;
    int32_t status = options >= 0 && counts ? mote_points_check(mote, ARGUMENT(1), of_children) : options;
    if (status < 0) return status;
    return mote_queued(mote, call(mote, verb, 2, (const uint32_t[]){length, (uint32_t)options}));
}

static int32_t reply(mote_app_t *app, mote_app_verb_t verb, const uint64_t *arguments) {
    mote_t *mote = app->options.mote;
    uint32_t length = 0;
    int32_t options = stage_message(app, &length, ARGUMENT(1), ARGUMENT(2), ARGUMENT(3));
    if (options < 0) return options;
    return mote_queued(mote, call(mote, verb, 3, (const uint32_t[]){ARGUMENT(0), length, (uint32_t)options}));
}

static bool is_nothing_but_commas(const uint8_t *text, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        if (text[i] != ',') return false;
    }
    return length > 0;
}

// A list without an element, and for the device itself, whose keys are joined, a text of commas: the server would answer with
// everything. The record is the app's: what is no record is left to the module.
static bool asks_for_nothing(const uint8_t *record, uint32_t length, bool is_joined) {
    uint32_t at = 0;
    while (at < length && length - at >= MOTE_MEMBER_FIELD_KEY) {
        const uint8_t *member = record + at;
        uint8_t type = member[MOTE_MEMBER_FIELD_TYPE];
        uint32_t key = (uint32_t)member[MOTE_MEMBER_FIELD_KEY_LENGTH] | (uint32_t)member[MOTE_MEMBER_FIELD_KEY_LENGTH + 1] << 8;
        uint32_t text_at = MOTE_MEMBER_FIELD_KEY + ((key + 3u) & ~3u);
        uint32_t text = type == MOTE_MEMBER_TEXT || type == MOTE_MEMBER_JSON ? mote_load_u32(member + MOTE_MEMBER_FIELD_NUMBER) : 0;
        if (text_at > length - at || text > length - at - text_at) return false;
        if (is_joined && type == MOTE_MEMBER_TEXT && is_nothing_but_commas(member + text_at, text)) return true;
        at += text_at + ((text + 3u) & ~3u);
        if (type == MOTE_MEMBER_ARRAY_BEGIN && at < length && record[at] == MOTE_MEMBER_END) return true;
    }
    return false;
}

static int32_t request(mote_app_t *app, mote_app_verb_t verb, const uint64_t *arguments) {
    uint32_t length = 0;
    int32_t status = stage(app, &length, ARGUMENT(0), ARGUMENT(1));
    if (status < 0) return status;
    const mote_t *mote = app->options.mote;
    bool has_keys = verb == MOTE_APP_VERB_request_attributes || verb == MOTE_APP_VERB_gateway_request_attributes;
    if (has_keys && asks_for_nothing(mote->memory + mote->staging_address, length, verb == MOTE_APP_VERB_request_attributes)) {
        return mote_fail(app->options.mote, MOTE_STATUS_INVALID_VALUE, "keys", 0);
    }
    if (verb == MOTE_APP_VERB_request_rpc) app->options.mote->has_asked_rpc = true;
    return call(app->options.mote, verb, 2, (const uint32_t[]){length, ARGUMENT(2)});
}

static int32_t publish(mote_app_t *app, const uint64_t *arguments) {
    mote_t *mote = app->options.mote;
    uint32_t length = 0;
    if (!holds(app, ARGUMENT(2), ARGUMENT(3))) return outside(mote);
    int32_t options = stage(app, &length, ARGUMENT(0), ARGUMENT(1));
    if (options == MOTE_STATUS_TOO_LARGE) return too_large(mote, mote_staged_size(ARGUMENT(1) + ARGUMENT(3), ARGUMENT(4) != 0));
    if (options >= 0) options = stage_message(app, &length, ARGUMENT(2), ARGUMENT(3), ARGUMENT(4));
    if (options < 0) return options;
    uint32_t base = mote->staging_address;
    const uint32_t values[] = {base, ARGUMENT(1), base + ARGUMENT(1), ARGUMENT(3), (uint32_t)options};
    return mote_queued(mote, call(mote, MOTE_APP_VERB_publish, 5, values));
}

static int32_t filter(mote_app_t *app, const uint64_t *arguments, mote_span_t *out_filter) {
    mote_t *mote = app->options.mote;
    int32_t status = check_staging(mote);
    if (status < 0) return status;
    if (!holds(app, ARGUMENT(0), ARGUMENT(1))) return outside(mote);
    *out_filter = (mote_span_t){(const char *)app->memory + ARGUMENT(0), ARGUMENT(1)};
    return MOTE_STATUS_OK;
}

static int32_t subscribe(mote_app_t *app, const uint64_t *arguments) {
    mote_span_t text;
    int32_t status = filter(app, arguments, &text);
    if (status >= 0 && ARGUMENT(2) > 1) status = mote_fail(app->options.mote, MOTE_STATUS_INVALID_VALUE, "qos", (int32_t)ARGUMENT(2));
    return status < 0 ? status : mote_subscription_add(app->options.mote, text, (uint8_t)ARGUMENT(2), MOTE_OWNER_APP);
}

static int32_t unsubscribe(mote_app_t *app, const uint64_t *arguments) {
    mote_span_t text;
    int32_t status = filter(app, arguments, &text);
    return status < 0 ? status : mote_subscription_remove(app->options.mote, text, MOTE_OWNER_APP);
}

// What the client has lent may be an event that this app has never seen, such as one that came before its `setup`.
static int32_t release(mote_app_t *app, uint32_t accepted) {
    if (!app->reading) return mote_fail(app->options.mote, MOTE_STATUS_BAD_STATE, "on_event", 0);
    return call(app->options.mote, MOTE_APP_VERB_event_release, 1, &accepted);
}

// ------------------------------------------------------------------------ JSON

// The client's address of a text of the app: of an event that it still has, or of a copy that is staged. A status below 0.
static int32_t client_text(mote_app_t *app, uint32_t address, uint32_t length, uint32_t *ref_staged) {
    for (size_t i = 0; i < sizeof app->lent / sizeof app->lent[0]; i++) {
        uint32_t offset = address - app->lent[i].at;
        if (offset <= app->lent[i].length && length <= app->lent[i].length - offset) {
            int32_t status = check_staging(app->options.mote);
            return status < 0 ? status : (int32_t)(app->lent[i].from + offset);
        }
    }
    uint32_t at = *ref_staged;
    int32_t status = stage(app, ref_staged, address, length);
    return status < 0 ? status : (int32_t)(app->options.mote->staging_address + at);
}

static int32_t json_find(mote_app_t *app, const uint64_t *arguments) {
    mote_t *mote = app->options.mote;
    uint32_t staged = 0;
    if (!holds(app, ARGUMENT(0), ARGUMENT(1)) || !holds(app, ARGUMENT(4), MOTE_JSON_FIELD_END)) return outside(mote);
    int32_t document = client_text(app, ARGUMENT(0), ARGUMENT(1), &staged);
    if (document < 0) return document;
    uint32_t path = mote->staging_address + staged;
    int32_t type = stage(app, &staged, ARGUMENT(2), ARGUMENT(3));
    if (type < 0) return type;
    type = call(mote, MOTE_APP_VERB_json_find, 4, (const uint32_t[]){(uint32_t)document, ARGUMENT(1), path, ARGUMENT(3)});
    if (type < 0) return type;
    const uint8_t *record = mote->memory + mote->json_address;
    uint8_t *to = app->memory + ARGUMENT(4);
    mote_store_u32(to + MOTE_JSON_FIELD_TEXT, mote_load_u32(record + MOTE_JSON_FIELD_TEXT) - (uint32_t)document + ARGUMENT(0));
    mote_store_u32(to + MOTE_JSON_FIELD_TEXT_LENGTH, mote_load_u32(record + MOTE_JSON_FIELD_TEXT_LENGTH));
    return type;
}

static int32_t json_text(mote_app_t *app, const uint64_t *arguments) {
    mote_t *mote = app->options.mote;
    uint32_t staged = 0;
    if (!holds(app, ARGUMENT(0), ARGUMENT(1)) || !holds(app, ARGUMENT(2), ARGUMENT(3))) return outside(mote);
    int32_t text = client_text(app, ARGUMENT(0), ARGUMENT(1), &staged);
    if (text < 0) return text;
    uint32_t to = mote->staging_address + staged;
    uint32_t room = mote->staging_capacity - staged < ARGUMENT(3) ? mote->staging_capacity - staged : ARGUMENT(3);
    int32_t length = call(mote, MOTE_APP_VERB_json_text, 4, (const uint32_t[]){(uint32_t)text, ARGUMENT(1), to, room});
    if (length < 0) return length;
    if ((uint32_t)length > room || !mote_memory_holds(mote, to, (uint32_t)length)) return MOTE_STATUS_INVALID_VALUE;
    memcpy(app->memory + ARGUMENT(2), mote->memory + to, (size_t)length);
    return length;
}

// ------------------------------------------------------------------------ host

static int32_t timer(mote_app_t *app, uint32_t ms) {
    if (ms > MOTE_INTERVAL_MS_MAX) return mote_fail(app->options.mote, MOTE_STATUS_INVALID_VALUE, "timer", MOTE_INTERVAL_MS_MAX);
    app->timer_set = ms != 0;
    app->timer_due_ms = mote_now_ms(app->options.mote) + ms;
    return MOTE_STATUS_OK;
}

static int32_t io(mote_app_t *app, const uint64_t *arguments) {
    if (app->options.io == NULL) return mote_fail(app->options.mote, MOTE_STATUS_NOT_IN_PROFILE, "io", 0);
    if (!holds(app, ARGUMENT(1), ARGUMENT(2))) return outside(app->options.mote);
    return app->options.io(app->options.user, (int32_t)ARGUMENT(0), app->memory + ARGUMENT(1), ARGUMENT(2));
}

static int32_t error_text(mote_app_t *app, const uint64_t *arguments) {
    mote_span_t text = mote_error_text(app->options.mote);
    if (!holds(app, ARGUMENT(0), ARGUMENT(1))) return MOTE_STATUS_INVALID_VALUE;
    if (text.length > ARGUMENT(1)) return MOTE_STATUS_TOO_LARGE;
    if (text.length > 0) memcpy(app->memory + ARGUMENT(0), text.data, text.length);
    return (int32_t)text.length;
}

// No counter is less than a status, since it is not sign-extended.
static int64_t counter(const mote_t *mote, uint32_t which) {
    if (which >= MOTE_STAT_END || which % 4 != 0) return MOTE_STATUS_INVALID_VALUE;
    return mote_stat(mote, (mote_stat_t)which);
}

static void log_line(mote_app_t *app, const uint64_t *arguments) {
    if (!holds(app, ARGUMENT(1), ARGUMENT(2))) return;
    // What is no level is the least of them, so that whoever wants every line gets this one too.
    uint32_t level = ARGUMENT(0) < MOTE_LOG_LEVEL_DEBUG ? ARGUMENT(0) : MOTE_LOG_LEVEL_DEBUG;
    mote_log_span(app->options.mote, level, (mote_span_t){(const char *)app->memory + ARGUMENT(1), ARGUMENT(2)});
}

int64_t mote_app_verb(mote_app_t *app, mote_app_verb_t verb, const uint64_t *arguments) {
    mote_t *mote = app->options.mote;
    mote_port_t *port = mote->options.port;
    switch (runs[verb]) {
    case MESSAGE: return message(app, verb, arguments);
    case REPLY: return reply(app, verb, arguments);
    case PUBLISH: return publish(app, arguments);
    case SUBSCRIBE: return subscribe(app, arguments);
    case UNSUBSCRIBE: return unsubscribe(app, arguments);
    case REQUEST: return request(app, verb, arguments);
    case NUMBER: return call(mote, verb, 1, (const uint32_t[]){ARGUMENT(0)});
    case TWO_NUMBERS: return call(mote, verb, 2, (const uint32_t[]){ARGUMENT(0), ARGUMENT(1)});
    case RELEASE: return release(app, ARGUMENT(0));
    case JSON_FIND: return json_find(app, arguments);
    case JSON_TEXT: return json_text(app, arguments);
    case TIMER: return timer(app, ARGUMENT(0));
    case NOW: return port->functions->now_ms(port);
    case UNIX: return port->functions->unix_ms(port);
    case RANDOM: return (int32_t)port->functions->random_u32(port);
    case IO: return io(app, arguments);
    case ERROR_VALUE: return mote_error_value(mote);
    case ERROR_TEXT: return error_text(app, arguments);
    case POINTS_MAX: return (int32_t)mote_split_points_max(mote, ARGUMENT(0) != 0);
    case CHILDREN_MAX: return (int32_t)mote_split_children_max(mote);
    case STATE: return (int32_t)mote_state(mote);
    case STAT: return counter(mote, ARGUMENT(0));
    case FEATURES: return (int32_t)mote_features(mote);
    default: log_line(app, arguments); return 0;
    }
}
