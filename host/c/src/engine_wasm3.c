// The engine seam over wasm3, as of November 2022 and as of upstream's main branch.
#include <setjmp.h>

#include "arena.h"
#include "engine.h"
#include "imports.h"

// wasm3's own headers are not written for our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused"
#include "m3_env.h" // for runtime->memoryLimit, which has no function
#include "wasm3.h"
#pragma GCC diagnostic pop

// Bytes of the interpreter's value stack: every call of the deepest chain, parameters and locals included.
#ifndef MOTE_WASM3_STACK_SIZE
#define MOTE_WASM3_STACK_SIZE 2048
#endif

struct mote_engine {
    mote_arena_t arena;
    IM3Runtime runtime;
    IM3Module module;
    bool compile_on_first_call;
    jmp_buf full;
};

// wasm3's allocator has no context argument; this is set for the length of one call into it.
static MOTE_THREAD_LOCAL mote_engine_t *current_engine;

// When the arena is full, wasm3 is left where it stands: everything that it holds lies in the arena, and its own ways out of
// a half-built module do not all hold.
static void *taken(void *block) {
    if (block == NULL) longjmp(current_engine->full, 1);
    return block;
}

void *mote_wasm3_calloc(size_t count, size_t size) {
    return taken(mote_arena_take(&current_engine->arena, count * size)); // wasm3 always asks for size times 1
}

void *mote_wasm3_realloc(void *block, size_t size) {
    return taken(mote_arena_resize(&current_engine->arena, block, size));
}

void mote_wasm3_free(void *block) {
    mote_arena_give(&current_engine->arena, block);
}

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
static const struct import {
    const char *name;
    const char *form;
    M3RawCall function;
} imports[] = {
    MOTE_IMPORTS(ENTRY)
    {"net_close", "v(i)", import_net_close},
    {"now_ms", "I()", import_now_ms},
    {"unix_ms", "I()", import_unix_ms},
    {"log", "v(iii)", import_log},
};

// ---------------------------------------------------------------------- load

static int32_t status_of(M3Result result, const char **out_fault) {
    if (result == m3Err_none) return MOTE_STATUS_OK;
    *out_fault = result;
    if (strcmp(result, "data segment out of bounds") != 0) return MOTE_STATUS_MALFORMED;
    *out_fault = "memory_size"; // the module's own data does not fit
    return MOTE_STATUS_TOO_LARGE;
}

static M3Result link_imports(mote_engine_t *engine, mote_t *mote, const char **out_missing) {
    for (size_t i = 0; i < sizeof imports / sizeof imports[0]; i++) {
        M3Result result = m3_LinkRawFunctionEx(engine->module, "mote", imports[i].name, imports[i].form,
                                               imports[i].function, mote);
        if (result != m3Err_none && result != m3Err_functionLookupFailed) return result;
    }
    // Whatever is imported and still has no code is nothing that this host knows.
    for (uint32_t i = 0; i < engine->module->numFunctions; i++) {
        const M3Function *function = &engine->module->functions[i];
        if (function->import.fieldUtf8 != NULL && function->compiled == NULL) {
            *out_missing = function->import.fieldUtf8;
            return m3Err_functionImportMissing;
        }
    }
    return m3Err_none;
}

static int32_t load(mote_engine_t *engine, const mote_engine_setup_t *setup, const char **out_fault) {
    IM3Environment environment = m3_NewEnvironment();
    engine->runtime = m3_NewRuntime(environment, MOTE_WASM3_STACK_SIZE, NULL);
    engine->runtime->memoryLimit = setup->memory_size;
    M3Result result = m3_ParseModule(environment, &engine->module, setup->module, (uint32_t)setup->module_length);
    if (result == m3Err_none) result = m3_LoadModule(engine->runtime, engine->module);
    if (result != m3Err_none) return status_of(result, out_fault);
    // A start function would run inside the first call; no Mote module has one.
    if (engine->module->startFunction >= 0 || engine->runtime->memory.mallocated == NULL) {
        *out_fault = "a start function, or no memory";
        return MOTE_STATUS_MALFORMED;
    }
    const char *missing = NULL;
    result = link_imports(engine, setup->mote, &missing);
    if (missing != NULL) {
        *out_fault = missing;
        return MOTE_STATUS_NOT_FOUND;
    }
    if (result == m3Err_none && !setup->compile_on_first_call) result = m3_CompileModule(engine->module);
    return status_of(result, out_fault);
}

// What setjmp() may be reached again in is kept small, so that no variable has two lives.
#define WAY_OUT __attribute__((noinline))

static WAY_OUT int32_t load_within(mote_engine_t *engine, const mote_engine_setup_t *setup, const char **out_fault) {
    if (setjmp(engine->full) == 0) return load(engine, setup, out_fault);
    *out_fault = "arena_size";
    return MOTE_STATUS_TOO_LARGE;
}

int32_t mote_engine_load(mote_engine_t **out_engine, const mote_engine_setup_t *setup, const char **out_fault) {
    *out_engine = NULL;
    *out_fault = "arena_size";
    if (setup->arena_size < sizeof(mote_engine_t)) return MOTE_STATUS_TOO_LARGE;
    *out_fault = "module";
    if (setup->module == NULL || setup->module_length > UINT32_MAX) return MOTE_STATUS_INVALID_VALUE;
    mote_engine_t *engine = setup->arena;
    memset(engine, 0, sizeof *engine);
    size_t own = (sizeof *engine + 7u) & ~(size_t)7u;
    mote_arena_reset(&engine->arena, (uint8_t *)setup->arena + own, setup->arena_size - own);
    engine->compile_on_first_call = setup->compile_on_first_call;
    current_engine = engine;
    int32_t status = load_within(engine, setup, out_fault);
    current_engine = NULL;
    if (status >= 0) *out_engine = engine;
    return status;
}

// Compiles the function if that has not been done.
static WAY_OUT M3Result find_within(mote_engine_t *engine, IM3Function *out_function, const char *name) {
    if (setjmp(engine->full) != 0) return m3Err_mallocFailed;
    return m3_FindFunction(out_function, engine->runtime, name);
}

mote_function_t mote_engine_find(mote_engine_t *engine, const char *name, uint32_t arguments) {
    IM3Function function = NULL;
    current_engine = engine;
    M3Result result = find_within(engine, &function, name);
    current_engine = NULL;
    if (result != m3Err_none || function == NULL) return NULL;
    bool fits = m3_GetArgCount(function) == arguments && m3_GetRetCount(function) == 1 &&
                m3_GetRetType(function, 0) == c_m3Type_i32;
    for (uint32_t i = 0; i < arguments && fits; i++) fits = m3_GetArgType(function, i) == c_m3Type_i32;
    return fits ? function : NULL;
}

// ---------------------------------------------------------------------- call

static WAY_OUT M3Result call_compiling(mote_engine_t *engine, IM3Function function, uint32_t arguments, const void *pointers[]) {
    if (setjmp(engine->full) != 0) return m3Err_mallocFailed;
    return m3_Call(function, arguments, pointers);
}

int32_t mote_engine_call(mote_engine_t *engine, mote_function_t function, uint32_t arguments, const uint32_t values[],
                         int32_t *out_result, const char **out_fault) {
    IM3Function called = (IM3Function)(uintptr_t)function;
    const void *pointers[MOTE_ARGUMENTS_MAX];
    for (uint32_t i = 0; i < arguments; i++) pointers[i] = &values[i];
    current_engine = engine;
    // Only what may still compile, and so allocate, needs a way out.
    M3Result result = engine->compile_on_first_call ? call_compiling(engine, called, arguments, pointers)
                                                    : m3_Call(called, arguments, pointers);
    current_engine = NULL;
    if (result != m3Err_none) {
        *out_fault = result;
        return MOTE_STATUS_TRAPPED;
    }
    const void *results[] = {out_result};
    m3_GetResults(called, 1, results);
    return MOTE_STATUS_OK;
}

uint8_t *mote_engine_memory(mote_engine_t *engine, uint32_t *out_length) {
    return m3_GetMemory(engine->runtime, out_length, 0);
}

void mote_engine_free(mote_engine_t *engine) {
    // Everything wasm3 has lies in the arena, so forgetting it is enough and cannot fail halfway.
    mote_arena_reset(&engine->arena, engine->arena.start, engine->arena.size);
}

void mote_engine_usage(const mote_engine_t *engine, mote_engine_usage_t *out_usage) {
    out_usage->arena_peak = (size_t)(engine->arena.start - (const uint8_t *)engine) + engine->arena.peak;
    out_usage->allocations = engine->arena.allocations;
}
