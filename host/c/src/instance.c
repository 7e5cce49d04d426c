// Builds an instance of the module, checks that it is one this host understands, and calls it.
#include "client.h"
#include "engine.h"

// Bytes of the key or text that is kept after an instance which refused its configuration was freed.
#define ERROR_TEXT_MAX 64

#define EXPORT_NAME(symbol, name, arguments, required) #name,
static const char *const export_names[] = {MOTE_EXPORTS(EXPORT_NAME)};
#define EXPORT_FORM(symbol, name, arguments, required) (arguments) | ((required) ? 0x80 : 0),
static const uint8_t export_forms[] = {MOTE_EXPORTS(EXPORT_FORM)};

_Static_assert((int)MOTE_EXPORT_COUNT <= (int)(sizeof(((mote_t *)0)->functions) / sizeof(void *)), "mote_t lacks room");

int32_t mote_call(mote_t *mote, mote_export_t which, uint32_t arguments, const uint32_t values[]) {
    if (mote->life != MOTE_LIFE_ALIVE) {
        return mote->life == MOTE_LIFE_NONE ? MOTE_STATUS_BAD_STATE : MOTE_STATUS_TRAPPED;
    }
    if (mote_is_foreign_task(mote)) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "task", 0);
    mote_function_t function = mote->functions[which];
    mote->error_text = NULL;
    if (function == NULL) return mote_fail(mote, MOTE_STATUS_NOT_IN_PROFILE, export_names[which], 0);
    return mote_engine_call(mote->engine, function, arguments, values);
}

int32_t mote_trapped(mote_t *mote, const char *fault) {
    mote_supervise_trapped(mote, fault);
    return MOTE_STATUS_TRAPPED;
}

static int32_t find_exports(mote_t *mote) {
    for (uint32_t i = 0; i < MOTE_EXPORT_COUNT; i++) {
        mote->functions[i] = mote_engine_find(mote->engine, export_names[i], export_forms[i] & 0x7fu);
        if (mote->functions[i] == NULL && (export_forms[i] & 0x80u) != 0) {
            return mote_fail(mote, MOTE_STATUS_NOT_FOUND, export_names[i], 0);
        }
    }
    int32_t version = mote_call(mote, MOTE_EXPORT_ABI_VERSION, 0, NULL);
    if (version < 0) return version;
    if (version / 256 != MOTE_ABI_VERSION / 256) return mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "abi_version", version);
    return MOTE_STATUS_OK;
}

// Writes `"key":"secret",` in front of `*ref_at`; a callback that has none answers 0.
static int32_t write_secret(mote_t *mote, const char *key, uint32_t *ref_at) {
    const mote_options_t *options = &mote->options;
    char secret[MOTE_SECRET_MAX];
    mote_span_t present;
    if (mote_config_find(options->config, options->config_length, key, &present)) return MOTE_STATUS_OK;
    int32_t length = options->secret(key, secret, sizeof secret, options->user);
    if (length > (int32_t)sizeof secret) length = MOTE_STATUS_TOO_LARGE;
    uint32_t size = (uint32_t)strlen(key) + 6;
    for (int32_t i = 0; i < length; i++) {
        if ((uint8_t)secret[i] < 0x20) length = MOTE_STATUS_INVALID_VALUE;
        else size += secret[i] == '"' || secret[i] == '\\' ? 2 : 1;
    }
    // One byte stays for the brace.
    if (length > 0 && size + 1 > *ref_at) length = mote_fail(mote, MOTE_STATUS_TOO_LARGE, "memory_size", (int32_t)size);
    if (length > 0) {
        *ref_at -= size;
        char *to = (char *)mote->memory + *ref_at;
        *to++ = '"';
        for (; *key != 0; key++) *to++ = *key;
        memcpy(to, "\":\"", 3);
        to += 3;
        for (int32_t i = 0; i < length; i++) {
            if (secret[i] == '"' || secret[i] == '\\') *to++ = '\\';
            *to++ = secret[i];
        }
        memcpy(to, "\",", 2);
    }
    for (volatile char *each = secret; each < secret + sizeof secret; each++) *each = 0;
    return length < 0 && mote->error_text == NULL ? mote_fail(mote, length, key, 0) : length;
}

// Puts what the callback supplies in front of the members of the configuration text that begins at `*ref_at`.
static int32_t write_secrets(mote_t *mote, uint32_t *ref_at) {
    static const char *const keys[] = {"access_token", "user_name", "password"};
    uint8_t *text = mote->memory + *ref_at;
    uint32_t members = 0;
    while (*ref_at + members < mote->memory_length && text[members] != '{') members++;
    mote_span_t key;
    mote_span_t value;
    // A text without members is refused by the module, which says why.
    if (!mote_config_member(mote->options.config, mote->options.config_length, 0, &key, &value)) return MOTE_STATUS_OK;
    uint32_t at = *ref_at + members + 1;
    mote->error_text = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        int32_t status = write_secret(mote, keys[i], &at);
        if (status < 0) return status;
    }
    mote->memory[--at] = '{';
    *ref_at = at;
    return MOTE_STATUS_OK;
}

static int32_t configure(mote_t *mote) {
    const mote_options_t *options = &mote->options;
    const char *key = NULL;
    int32_t status = mote_config_check(options->config, options->config_length, &key);
    if (status < 0) return mote_fail(mote, status, key, 0);
    uint32_t length = mote_config_length(options->config, options->config_length);
    if (length > mote->memory_length) {
        return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "memory_size", (int32_t)length);
    }
    uint32_t end = mote->memory_length;
    uint32_t at = end - length;
    mote_config_copy(options->config, options->config_length, (char *)mote->memory + at);
    if (options->secret != NULL) status = write_secrets(mote, &at);
    if (status < 0) return status;
    return mote_call(mote, MOTE_EXPORT_CONFIGURE, 3, (const uint32_t[]){at, end - at, end});
}

// Reads one address of the table, and proves that its record lies in memory.
static bool read_address(const mote_t *mote, const uint8_t *table, uint32_t field, uint32_t size, uint32_t *out_address) {
    *out_address = mote_load_u32(table + field);
    return mote_memory_holds(mote, *out_address, size);
}

// The records lie where they are from the start; the staging area is carved by `configure`.
static int32_t read_addresses(mote_t *mote) {
    int32_t address = mote_call(mote, MOTE_EXPORT_RECORDS, 0, NULL);
    if (address < 0) return address;
    bool valid = mote_memory_holds(mote, (uint32_t)address, MOTE_RECORDS_FIELD_END);
    if (valid) {
        const uint8_t *table = mote->memory + address;
        mote->staging_capacity = mote_load_u32(table + MOTE_RECORDS_FIELD_STAGING_CAPACITY);
        valid = read_address(mote, table, MOTE_RECORDS_FIELD_EVENT, MOTE_EVENT_FIELD_END, &mote->event_address) &&
                read_address(mote, table, MOTE_RECORDS_FIELD_STATS, MOTE_STAT_END, &mote->stats_address) &&
                read_address(mote, table, MOTE_RECORDS_FIELD_JSON_VALUE, MOTE_JSON_FIELD_END, &mote->json_address) &&
                read_address(mote, table, MOTE_RECORDS_FIELD_ERROR, MOTE_ERROR_FIELD_END, &mote->error_address) &&
                read_address(mote, table, MOTE_RECORDS_FIELD_STAGING, mote->staging_capacity, &mote->staging_address);
    }
    return valid ? MOTE_STATUS_OK : mote_fail(mote, MOTE_STATUS_INVALID_VALUE, "records", address);
}

static int32_t load(mote_t *mote) {
    const mote_options_t *options = &mote->options;
    const mote_engine_setup_t setup = {
        .module = options->module,
        .module_length = options->module_length,
        .arena = options->arena,
        .arena_size = options->arena_size - mote->subscriptions_capacity,
        .memory_size = options->memory_size,
        .compile_on_first_call = options->compile_on_first_call,
        .mote = mote,
    };
    const char *fault = NULL;
    mote->memory_length = 0;
    int32_t status = mote_engine_load(&mote->engine, &setup, &fault);
    if (status < 0) return mote_fail(mote, status, fault, 0);
    mote->memory = mote_engine_memory(mote->engine, &mote->memory_length);
    mote->life = MOTE_LIFE_ALIVE;
    mote->error_address = 0;
    return MOTE_STATUS_OK;
}

int32_t mote_instance_build(mote_t *mote) {
    int32_t status = load(mote);
    if (status < 0) return status;
    status = find_exports(mote);
    if (status >= 0) status = mote_call(mote, MOTE_EXPORT_FEATURES, 0, NULL);
    if (status >= 0) {
        mote->features = (uint32_t)status;
        status = read_addresses(mote);
    }
    if (status >= 0) status = configure(mote);
    if (status >= 0) status = read_addresses(mote);
    if (status < 0) return status;
    // Reading the configuration is much code that never runs again.
    mote_engine_forget_code(mote->engine);
    mote_engine_usage_t usage;
    mote_engine_usage(mote->engine, &usage);
    mote->usage_base = usage.allocations;
    mote->acknowledged_queued = 0;
    return MOTE_STATUS_OK;
}

void mote_instance_discard(mote_t *mote) {
    if (mote->engine == NULL) return;
    // The name at fault may stand in the memory that goes; the front of the arena is free again and keeps it.
    mote_span_t text = mote_error_text(mote);
    int32_t value = mote_error_value(mote);
    uint32_t length = text.length < ERROR_TEXT_MAX ? text.length : ERROR_TEXT_MAX - 1;
    char copy[ERROR_TEXT_MAX];
    if (length > 0) memcpy(copy, text.data, length);
    mote_engine_free(mote->engine);
    mote->engine = NULL;
    mote->memory = NULL;
    mote->memory_length = 0;
    memset(mote->functions, 0, sizeof mote->functions);
    if (mote->options.arena_size > ERROR_TEXT_MAX) {
        char *kept = mote->options.arena;
        memcpy(kept, copy, length);
        kept[length] = 0;
        mote->error_text = kept;
        mote->error_value = value;
    }
}

mote_span_t mote_error_text(const mote_t *mote) {
    mote_span_t span = {"", 0};
    if (mote->error_text != NULL) {
        span.data = mote->error_text;
        span.length = (uint32_t)strlen(mote->error_text);
    } else if (mote->life == MOTE_LIFE_ALIVE && mote->error_address != 0) {
        const uint8_t *record = mote->memory + mote->error_address;
        uint32_t text = mote_load_u32(record + MOTE_ERROR_FIELD_TEXT);
        uint32_t length = mote_load_u32(record + MOTE_ERROR_FIELD_TEXT_LENGTH);
        if (mote_memory_holds(mote, text, length)) span = (mote_span_t){(const char *)mote->memory + text, length};
    }
    return span;
}

int32_t mote_error_value(const mote_t *mote) {
    if (mote->error_text != NULL || mote->life != MOTE_LIFE_ALIVE || mote->error_address == 0) return mote->error_value;
    return (int32_t)mote_load_u32(mote->memory + mote->error_address + MOTE_ERROR_FIELD_VALUE);
}

size_t mote_arena_used(const mote_t *mote) {
    if (mote->engine == NULL) return 0;
    mote_engine_usage_t usage;
    mote_engine_usage(mote->engine, &usage);
    return usage.arena_peak + mote->subscriptions_capacity;
}

uint32_t mote_arena_allocations(const mote_t *mote) {
    if (mote->engine == NULL) return 0;
    mote_engine_usage_t usage;
    mote_engine_usage(mote->engine, &usage);
    return usage.allocations - mote->usage_base;
}
