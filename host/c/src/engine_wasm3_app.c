// Runs apps in wasm3: what they import, and their fuel.
#include "app_verbs.h"
#include "engine_app.h"
#include "engine_wasm3_core.h"

// Bytes of the value stack of an app.
#ifndef MOTE_APP_STACK_SIZE
#define MOTE_APP_STACK_SIZE 1024
#endif

struct mote_app_engine {
    mote_wasm3_t wasm3;
};

// A result lies in the first slot and parameters behind it, each in 64 bits.
#define BIND(name, form, run)                                                                                               \
    static const void *import_##name(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {         \
        (void)runtime;                                                                                                      \
        (void)memory;                                                                                                       \
        const bool has_result = form[0] != 'v';                                                                             \
        int64_t result = mote_app_verb(context->userdata, MOTE_APP_VERB_##name, slots + (has_result ? 1 : 0));              \
        if (form[0] == 'I') memcpy(slots, &result, sizeof result);                                                          \
        else if (has_result) *(int32_t *)(void *)slots = (int32_t)result;                                                   \
        return m3Err_none;                                                                                                  \
    }
MOTE_APP_VERBS(BIND)

#define ENTRY(name, form, run) {#name, form, import_##name},
static const mote_wasm3_import_t imports[] = {MOTE_APP_VERBS(ENTRY)};

#define PAGE_BYTES 65536

// What `mote build` wrote into the app. wasm3 computes globals only when the memory is there, so this one is read from its code: an
// i32.const. With anything else there the app is given all that it may have, and check() has the last word.
static uint32_t built_for(IM3Module module) {
    IM3Global global = m3_FindGlobal(module, "memory_bytes");
    if (global == NULL || global->initExpr == NULL || global->initExprSize < 2 || global->initExpr[0] != 0x41) return PAGE_BYTES;
    bytes_t at = global->initExpr + 1;
    i32 bytes = 0;
    M3Result result = ReadLEB_i32(&bytes, &at, global->initExpr + global->initExprSize);
    if (result != m3Err_none || bytes < 0 || bytes > PAGE_BYTES) return PAGE_BYTES;
    return bytes > 0 ? (uint32_t)bytes : 1; // for wasm3 no limit is 0
}

static int32_t check(mote_wasm3_t *wasm3, const char **out_fault) {
    M3TaggedValue value;
    IM3Global fuel = m3_FindGlobal(wasm3->module, "fuel");
    *out_fault = "fuel";
    if (fuel == NULL || !fuel->isMutable || m3_GetGlobalType(fuel) != c_m3Type_i32) return MOTE_STATUS_NOT_FOUND;
    *out_fault = "memory_bytes";
    IM3Global memory_bytes = m3_FindGlobal(wasm3->module, "memory_bytes");
    if (memory_bytes == NULL || m3_GetGlobalType(memory_bytes) != c_m3Type_i32) return MOTE_STATUS_NOT_FOUND;
    m3_GetGlobal(memory_bytes, &value);
    return value.value.i32 > wasm3->runtime->memoryLimit ? MOTE_STATUS_TOO_LARGE : MOTE_STATUS_OK;
}

int32_t mote_app_engine_load(mote_app_engine_t **out_engine, const mote_engine_setup_t *setup, mote_app_t *app,
                             const char **out_fault) {
    const mote_wasm3_link_t link = {
        .imports = imports, .count = sizeof imports / sizeof imports[0], .context = app, .stack_size = MOTE_APP_STACK_SIZE,
        .memory_size = built_for,
    };
    mote_wasm3_t *wasm3;
    int32_t status = mote_wasm3_load(&wasm3, setup, &link, out_fault);
    if (status >= 0) status = check(wasm3, out_fault);
    *out_engine = status >= 0 ? (mote_app_engine_t *)wasm3 : NULL;
    return status;
}

mote_function_t mote_app_engine_find(mote_app_engine_t *engine, const char *name, uint32_t arguments, uint32_t results) {
    return mote_wasm3_find(&engine->wasm3, name, arguments, results);
}

int32_t mote_app_engine_call(mote_app_engine_t *engine, mote_function_t function, uint32_t fuel, uint32_t arguments,
                             const uint32_t values[], int32_t *out_result, const char **out_fault) {
    IM3Global counter = m3_FindGlobal(engine->wasm3.module, "fuel");
    M3TaggedValue value = {.type = c_m3Type_i32, .value.i32 = fuel};
    m3_SetGlobal(counter, &value);
    int32_t status = mote_wasm3_call(&engine->wasm3, function, arguments, values, out_result, out_fault);
    if (status >= 0) return status;
    m3_GetGlobal(counter, &value);
    if ((int32_t)value.value.i32 >= 0) return status;
    *out_fault = "fuel";
    return MOTE_STATUS_TIMEOUT;
}

uint8_t *mote_app_engine_memory(mote_app_engine_t *engine, uint32_t *out_length) {
    return mote_wasm3_memory(&engine->wasm3, out_length);
}

void mote_app_engine_free(mote_app_engine_t *engine) {
    mote_wasm3_free_all(&engine->wasm3);
}

size_t mote_app_engine_used(const mote_app_engine_t *engine) {
    mote_engine_usage_t usage;
    mote_wasm3_usage(&engine->wasm3, &usage);
    return usage.arena_peak;
}
