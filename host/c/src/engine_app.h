// The seam between mote_app.c and the engine that runs apps; engine_wasm3_app.c implements it.
#ifndef MOTE_ENGINE_APP_H
#define MOTE_ENGINE_APP_H

#include "engine.h"
#include "mote_app.h"

typedef struct mote_app_engine mote_app_engine_t;

// As mote_engine_load(); an app without the counter `fuel`, or built for more memory, is refused too.
int32_t mote_app_engine_load(mote_app_engine_t **out_engine, const mote_engine_setup_t *setup, mote_app_t *app,
                             const char **out_fault);

// Looks a function up that takes `arguments` i32 and returns `results`, 0 or 1.
mote_function_t mote_app_engine_find(mote_app_engine_t *engine, const char *name, uint32_t arguments, uint32_t results);

// Calls it with so much fuel. Ok, Timeout when the fuel was used up, or Trapped.
int32_t mote_app_engine_call(mote_app_engine_t *engine, mote_function_t function, uint32_t fuel, uint32_t arguments,
                             const uint32_t values[], int32_t *out_result, const char **out_fault);

uint8_t *mote_app_engine_memory(mote_app_engine_t *engine, uint32_t *out_length);
void mote_app_engine_free(mote_app_engine_t *engine);
size_t mote_app_engine_used(const mote_app_engine_t *engine);

#endif
