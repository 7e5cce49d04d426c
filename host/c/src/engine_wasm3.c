// The engine seam over wasm3, as of November 2022 and as of upstream's main branch: what the client imports, over engine_wasm3_core.c.
#include "engine_wasm3_core.h"
#include "imports.h"

// Bytes of the interpreter's value stack: every call of the deepest chain, parameters and locals included. The frames of the longest one that
// `gateway` has on paper are 1,556 bytes together; wasm3 traps before it passes the end.
#ifndef MOTE_WASM3_STACK_SIZE
#define MOTE_WASM3_STACK_SIZE 1600
#endif

struct mote_engine {
    mote_wasm3_t wasm3;
};

// ------------------------------------------------------------------- imports

static mote_t *mote_of(IM3ImportContext context) {
    return context->userdata;
}

// A result lies in the first slot and parameters behind it, each in 64 bits.
#define ARGUMENT(index) ((uint32_t)slots[index])
#define IMPORT(name) static const void *import_##name(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory)

#define ARGUMENTS_0
#define ARGUMENTS_1 , ARGUMENT(1)
#define ARGUMENTS_2 ARGUMENTS_1, ARGUMENT(2)
#define ARGUMENTS_3 ARGUMENTS_2, ARGUMENT(3)
#define ARGUMENTS_4 ARGUMENTS_3, ARGUMENT(4)
#define BIND(name, parameters)                                                                     \
    IMPORT(name) {                                                                                 \
        (void)runtime;                                                                             \
        (void)memory;                                                                              \
        *(int32_t *)(void *)slots = mote_import_##name(mote_of(context) ARGUMENTS_##parameters);   \
        return m3Err_none;                                                                         \
    }
MOTE_IMPORTS(BIND)

IMPORT(net_close) {
    (void)runtime;
    (void)memory;
    mote_import_net_close(mote_of(context), ARGUMENT(0));
    return m3Err_none;
}
IMPORT(now_ms) {
    (void)runtime;
    (void)memory;
    if (mote_import_traps(mote_of(context))) return m3Err_trapAbort;
    *(int64_t *)(void *)slots = mote_import_now_ms(mote_of(context));
    return m3Err_none;
}
IMPORT(unix_ms) {
    (void)runtime;
    (void)memory;
    *(int64_t *)(void *)slots = mote_import_unix_ms(mote_of(context));
    return m3Err_none;
}
IMPORT(log) {
    (void)runtime;
    (void)memory;
    mote_import_log(mote_of(context), ARGUMENT(0), ARGUMENT(1), ARGUMENT(2));
    return m3Err_none;
}

#define FORM_0 "i()"
#define FORM_1 "i(i)"
#define FORM_2 "i(ii)"
#define FORM_3 "i(iii)"
#define FORM_4 "i(iiii)"
#define ENTRY(name, parameters) {#name, FORM_##parameters, import_##name},
static const mote_wasm3_import_t imports[] = {
    MOTE_IMPORTS(ENTRY)
    {"net_close", "v(i)", import_net_close},
    {"now_ms", "I()", import_now_ms},
    {"unix_ms", "I()", import_unix_ms},
    {"log", "v(iii)", import_log},
};

// ---------------------------------------------------------------------- seam

int32_t mote_engine_load(mote_engine_t **out_engine, const mote_engine_setup_t *setup, const char **out_fault) {
    const mote_wasm3_link_t link = {
        .imports = imports, .count = sizeof imports / sizeof imports[0], .context = setup->mote, .stack_size = MOTE_WASM3_STACK_SIZE,
    };
    mote_wasm3_t *wasm3;
    int32_t status = mote_wasm3_load(&wasm3, setup, &link, out_fault);
    *out_engine = (mote_engine_t *)wasm3;
    return status;
}

mote_function_t mote_engine_find(mote_engine_t *engine, const char *name, uint32_t arguments) {
    return mote_wasm3_find(&engine->wasm3, name, arguments, 1);
}

int32_t mote_engine_call(mote_engine_t *engine, mote_function_t function, uint32_t arguments, const uint32_t values[]) {
    int32_t result;
    const char *fault;
    if (mote_wasm3_call(&engine->wasm3, function, arguments, values, &result, &fault) == MOTE_STATUS_OK) return result;
    return mote_trapped(engine->wasm3.link.context, fault);
}

void mote_engine_forget_code(mote_engine_t *engine) {
    mote_wasm3_forget_code(&engine->wasm3);
}

uint8_t *mote_engine_memory(mote_engine_t *engine, uint32_t *out_length) {
    return mote_wasm3_memory(&engine->wasm3, out_length);
}

void mote_engine_free(mote_engine_t *engine) {
    mote_wasm3_free_all(&engine->wasm3);
}

void mote_engine_usage(const mote_engine_t *engine, mote_engine_usage_t *out_usage) {
    mote_wasm3_usage(&engine->wasm3, out_usage);
}
