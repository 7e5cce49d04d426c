// The seam between the client face and whatever runs the module. engine_wasm3.c and engine_aot.c implement it; no other
// file includes an engine's header, and what is linked decides which engine a firmware has.
#ifndef MOTE_ENGINE_H
#define MOTE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mote;
typedef struct mote_engine mote_engine_t;
typedef const void *mote_function_t;

// Most parameters that an export has.
#define MOTE_ARGUMENTS_MAX 5

// The only mutable datum at file scope in an engine is its current instance, set for the length of one call. Firmware with
// one task may define this empty.
#ifndef MOTE_THREAD_LOCAL
#define MOTE_THREAD_LOCAL _Thread_local
#endif

typedef struct mote_engine_setup {
    const void *module; // wasm bytes; an engine that has the module linked in ignores them
    size_t module_length;
    void *arena; // aligned to 8
    size_t arena_size;
    uint32_t memory_size; // bytes of linear memory
    bool compile_on_first_call;
    struct mote *mote; // handed to every import
} mote_engine_setup_t;

typedef struct mote_engine_usage {
    size_t arena_peak;    // bytes of the arena in use at most
    uint32_t allocations; // made since load began
} mote_engine_usage_t;

// Builds an instance in the arena. Ok, TooLarge, Malformed, NotFound (an import that no host has) or Trapped; out_fault
// gets a text that lives as long as the module and the arena.
int32_t mote_engine_load(mote_engine_t **out_engine, const mote_engine_setup_t *setup, const char **out_fault);

// Looks an export up that takes `arguments` i32 and returns one. NULL when there is none of that form.
mote_function_t mote_engine_find(mote_engine_t *engine, const char *name, uint32_t arguments);

// Calls it: its result, or what mote_trapped() answers when it trapped. Then the instance may only be freed.
int32_t mote_engine_call(mote_engine_t *engine, mote_function_t function, uint32_t arguments, const uint32_t values[]);

// The face: told by the engine of a trap, with its text, before the call returns.
int32_t mote_trapped(struct mote *mote, const char *fault);

// With compile_on_first_call: gives back the code of what has run so far, which is compiled again should it run again. Not inside a call.
void mote_engine_forget_code(mote_engine_t *engine);

// The linear memory. Fixed until the instance is freed, because modules never grow it.
uint8_t *mote_engine_memory(mote_engine_t *engine, uint32_t *out_length);

// Ends the instance; the arena is empty afterwards.
void mote_engine_free(mote_engine_t *engine);

void mote_engine_usage(const mote_engine_t *engine, mote_engine_usage_t *out_usage);

#endif
