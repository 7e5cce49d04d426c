// wasm3 itself, in an arena: for the client (engine_wasm3.c) and for an app beside it (engine_wasm3_app.c).
#ifndef MOTE_ENGINE_WASM3_CORE_H
#define MOTE_ENGINE_WASM3_CORE_H

#include <setjmp.h>

#include "arena.h"
#include "engine.h"
#include "mote_abi.h"

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

typedef struct mote_wasm3_import {
    const char *name; // of module `mote`
    const char *form; // result and parameters, such as i(ii)
    M3RawCall function;
} mote_wasm3_import_t;

// What a module is loaded with besides its setup.
typedef struct mote_wasm3_link {
    const mote_wasm3_import_t *imports;
    size_t count;
    void *context;       // handed to every import
    uint32_t stack_size; // bytes of the value stack
    // The bytes of memory that a module wants when its setup does not say; NULL where each setup does.
    uint32_t (*memory_size)(IM3Module module);
} mote_wasm3_link_t;

typedef struct mote_wasm3 {
    mote_arena_t arena;
    IM3Runtime runtime;
    IM3Module module;
    bool compile_on_first_call;
    mote_wasm3_link_t link;
    jmp_buf full;
} mote_wasm3_t;

// As the functions of engine.h. An import that the link lacks, or has in another form, answers NotFound with its name.
int32_t mote_wasm3_load(mote_wasm3_t **out_engine, const mote_engine_setup_t *setup, const mote_wasm3_link_t *link,
                        const char **out_fault);
mote_function_t mote_wasm3_find(mote_wasm3_t *engine, const char *name, uint32_t arguments, uint32_t results);
// `out_result` is NULL for a function without one.
int32_t mote_wasm3_call(mote_wasm3_t *engine, mote_function_t function, uint32_t arguments, const uint32_t values[],
                        int32_t *out_result, const char **out_fault);
void mote_wasm3_forget_code(mote_wasm3_t *engine);
uint8_t *mote_wasm3_memory(mote_wasm3_t *engine, uint32_t *out_length);
void mote_wasm3_free_all(mote_wasm3_t *engine);
void mote_wasm3_usage(const mote_wasm3_t *engine, mote_engine_usage_t *out_usage);

#endif
