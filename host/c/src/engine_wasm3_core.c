// See engine_wasm3_core.h.
#include "engine_wasm3_core.h"

// wasm3's allocator has no context argument; this is set for the length of one call into it.
static MOTE_THREAD_LOCAL mote_wasm3_t *current_engine;

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

// ---------------------------------------------------------------------- load

static int32_t status_of(M3Result result, const char **out_fault) {
    if (result == m3Err_none) return MOTE_STATUS_OK;
    *out_fault = result;
    if (strcmp(result, "data segment out of bounds") != 0) return MOTE_STATUS_MALFORMED;
    *out_fault = "memory_size"; // the module's own data does not fit
    return MOTE_STATUS_TOO_LARGE;
}

static M3Result link_imports(mote_wasm3_t *engine, const char **out_missing) {
    const mote_wasm3_link_t *link = &engine->link;
    for (size_t i = 0; i < link->count; i++) {
        const mote_wasm3_import_t *import = &link->imports[i];
        M3Result result = m3_LinkRawFunctionEx(engine->module, "mote", import->name, import->form, import->function, link->context);
        if (result == m3Err_none || result == m3Err_functionLookupFailed) continue;
        *out_missing = import->name; // there, but in another form
        return result;
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

static int32_t load(mote_wasm3_t *engine, const mote_engine_setup_t *setup, const char **out_fault) {
    IM3Environment environment = m3_NewEnvironment();
    engine->runtime = m3_NewRuntime(environment, engine->link.stack_size, NULL);
    M3Result result = m3_ParseModule(environment, &engine->module, setup->module, (uint32_t)setup->module_length);
    if (result == m3Err_none) {
        bool is_said = setup->memory_size != 0 || engine->link.memory_size == NULL;
        engine->runtime->memoryLimit = is_said ? setup->memory_size : engine->link.memory_size(engine->module);
    }
    if (result == m3Err_none) result = m3_LoadModule(engine->runtime, engine->module);
    if (result != m3Err_none) return status_of(result, out_fault);
    // A start function would run inside the first call; no Mote module has one.
    if (engine->module->startFunction >= 0 || engine->runtime->memory.mallocated == NULL) {
        *out_fault = "a start function, or no memory";
        return MOTE_STATUS_MALFORMED;
    }
    const char *missing = NULL;
    result = link_imports(engine, &missing);
    if (missing != NULL) {
        *out_fault = missing;
        return MOTE_STATUS_NOT_FOUND;
    }
    if (result == m3Err_none && !setup->compile_on_first_call) result = m3_CompileModule(engine->module);
    return status_of(result, out_fault);
}

// What setjmp() may be reached again in is kept small, so that no variable has two lives.
#define WAY_OUT __attribute__((noinline))

static WAY_OUT int32_t load_within(mote_wasm3_t *engine, const mote_engine_setup_t *setup, const char **out_fault) {
    if (setjmp(engine->full) == 0) return load(engine, setup, out_fault);
    *out_fault = "arena_size";
    return MOTE_STATUS_TOO_LARGE;
}

int32_t mote_wasm3_load(mote_wasm3_t **out_engine, const mote_engine_setup_t *setup, const mote_wasm3_link_t *link,
                        const char **out_fault) {
    *out_engine = NULL;
    *out_fault = "arena_size";
    if (setup->arena_size < sizeof(mote_wasm3_t)) return MOTE_STATUS_TOO_LARGE;
    *out_fault = "module";
    if (setup->module == NULL || setup->module_length > UINT32_MAX) return MOTE_STATUS_INVALID_VALUE;
    mote_wasm3_t *engine = setup->arena;
    memset(engine, 0, sizeof *engine);
    size_t own = (sizeof *engine + 7u) & ~(size_t)7u;
    mote_arena_reset(&engine->arena, (uint8_t *)setup->arena + own, setup->arena_size - own);
    engine->compile_on_first_call = setup->compile_on_first_call;
    engine->link = *link;
    mote_wasm3_t *outer = current_engine;
    current_engine = engine;
    int32_t status = load_within(engine, setup, out_fault);
    current_engine = outer;
    if (status >= 0) *out_engine = engine;
    return status;
}

// m3_FindFunction() would compile it.
static IM3Function exported(const mote_wasm3_t *engine, const char *name) {
    for (uint32_t i = 0; i < engine->module->numFunctions; i++) {
        IM3Function function = &engine->module->functions[i];
        if (function->export_name == NULL) continue;
        for (uint32_t n = 0; n < function->numNames; n++) {
            if (strcmp(function->names[n], name) == 0) return function;
        }
    }
    return NULL;
}

mote_function_t mote_wasm3_find(mote_wasm3_t *engine, const char *name, uint32_t arguments, uint32_t results) {
    IM3Function function = exported(engine, name);
    if (function == NULL) return NULL;
    bool fits = m3_GetArgCount(function) == arguments && m3_GetRetCount(function) == results;
    if (fits && results != 0) fits = m3_GetRetType(function, 0) == c_m3Type_i32;
    for (uint32_t i = 0; i < arguments && fits; i++) fits = m3_GetArgType(function, i) == c_m3Type_i32;
    return fits ? function : NULL;
}

// ---------------------------------------------------------------------- call

static WAY_OUT M3Result call_compiling(mote_wasm3_t *engine, IM3Function function, uint32_t arguments, const void *pointers[]) {
    if (setjmp(engine->full) != 0) return m3Err_mallocFailed;
    M3Result result = function->compiled == NULL ? CompileFunction(function) : m3Err_none;
    return result == m3Err_none ? m3_Call(function, arguments, pointers) : result;
}

int32_t mote_wasm3_call(mote_wasm3_t *engine, mote_function_t function, uint32_t arguments, const uint32_t values[],
                         int32_t *out_result, const char **out_fault) {
    IM3Function called = (IM3Function)(uintptr_t)function;
    const void *pointers[MOTE_ARGUMENTS_MAX];
    for (uint32_t i = 0; i < arguments; i++) pointers[i] = &values[i];
    mote_wasm3_t *outer = current_engine; // an app may be on the stack while its client is called
    current_engine = engine;
    // Only what may still compile, and so allocate, needs a way out.
    M3Result result = engine->compile_on_first_call ? call_compiling(engine, called, arguments, pointers)
                                                    : m3_Call(called, arguments, pointers);
    current_engine = outer;
    if (result != m3Err_none) {
        *out_fault = result;
        return MOTE_STATUS_TRAPPED;
    }
    // It lies at the bottom of the stack; m3_GetResults() would look its type up once more, which mote_wasm3_find() has checked.
    if (out_result != NULL) memcpy(out_result, engine->runtime->stack, sizeof *out_result);
    return MOTE_STATUS_OK;
}

static void give_pages(IM3CodePage *pages) {
    for (IM3CodePage page = *pages, next; page != NULL; page = next) {
        next = page->info.next;
        mote_wasm3_free(page);
    }
    *pages = NULL;
}

static WAY_OUT void forget_within(mote_wasm3_t *engine) {
    for (uint32_t i = 0; i < engine->module->numFunctions; i++) {
        IM3Function function = &engine->module->functions[i];
        mote_wasm3_free(function->constants);
        function->constants = NULL;
        function->numConstantBytes = 0;
        function->compiled = NULL;
    }
    give_pages(&engine->runtime->pagesOpen);
    give_pages(&engine->runtime->pagesFull);
    // The way to each import was such code too. What was linked once can be linked again, and in no more room.
    const char *missing = NULL;
    if (setjmp(engine->full) == 0) link_imports(engine, &missing);
}

void mote_wasm3_forget_code(mote_wasm3_t *engine) {
    if (!engine->compile_on_first_call) return;
    mote_wasm3_t *outer = current_engine;
    current_engine = engine;
    forget_within(engine);
    current_engine = outer;
}

uint8_t *mote_wasm3_memory(mote_wasm3_t *engine, uint32_t *out_length) {
    return m3_GetMemory(engine->runtime, out_length, 0);
}

void mote_wasm3_free_all(mote_wasm3_t *engine) {
    // Everything wasm3 has lies in the arena, so forgetting it is enough and cannot fail halfway.
    mote_arena_reset(&engine->arena, engine->arena.start, engine->arena.size);
}

void mote_wasm3_usage(const mote_wasm3_t *engine, mote_engine_usage_t *out_usage) {
    out_usage->arena_peak = (size_t)(engine->arena.start - (const uint8_t *)engine) + engine->arena.peak;
    out_usage->allocations = engine->arena.allocations;
}
