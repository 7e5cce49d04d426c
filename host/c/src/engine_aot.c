// The engine seam over a module that wasm2c turned into C. MOTE_AOT_HEADER is the header that it wrote, under -n client.
#include "engine.h"
#include "exports.h"
#include "imports.h"
#include MOTE_AOT_HEADER

// The compiler's own jump keeps what the caller of an export needs, not the whole state of the processor, of which most calls need nothing. The sanitizer
// for addresses has to see each jump.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
typedef void *jump_t[5];
#define JUMP_SET(jump) __builtin_setjmp(jump)
#define JUMP(jump) __builtin_longjmp(jump, 1)
#else
#include <setjmp.h>
typedef jmp_buf jump_t;
#define JUMP_SET(jump) setjmp(jump)
#define JUMP(jump) longjmp(jump, 1)
#endif

struct mote_engine {
    jump_t trapped;
    wasm_rt_trap_t why;
    w2c_client instance; // last: it ends with the linear memory
};

// Generated code traps without saying in which instance; this is set for the length of one call.
static MOTE_THREAD_LOCAL mote_engine_t *current_engine;

void wasm_rt_trap(wasm_rt_trap_t why) {
    current_engine->why = why;
    JUMP(current_engine->trapped);
}

static const char *text_of(wasm_rt_trap_t why) {
    switch (why) {
    case WASM_RT_TRAP_OOB: return "[trap] out of bounds memory access";
    case WASM_RT_TRAP_INT_OVERFLOW: return "[trap] integer overflow";
    case WASM_RT_TRAP_DIV_BY_ZERO: return "[trap] integer divide by zero";
    case WASM_RT_TRAP_UNREACHABLE: return "[trap] unreachable executed";
    default: return "[trap] program called abort";
    }
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t max_pages, bool is64, uint32_t page_size) {
    (void)pages, (void)max_pages, (void)is64, (void)page_size; // it is there, in the size that was configured
    memory->last_4 = memory->size - 4;
    memory->last_8 = memory->size - 8;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
    memory->size = 0;
}

// ------------------------------------------------------------------- imports

static mote_t *mote_of(struct w2c_mote *context) {
    return (mote_t *)(void *)context;
}

// All of them stand here; the linker leaves out those that the module does not import.
#define PARAMETERS_0
#define PARAMETERS_1 , u32 a
#define PARAMETERS_2 PARAMETERS_1, u32 b
#define PARAMETERS_3 PARAMETERS_2, u32 c
#define PARAMETERS_4 PARAMETERS_3, u32 d
#define ARGUMENTS_0
#define ARGUMENTS_1 , a
#define ARGUMENTS_2 ARGUMENTS_1, b
#define ARGUMENTS_3 ARGUMENTS_2, c
#define ARGUMENTS_4 ARGUMENTS_3, d
#define BIND(name, parameters)                                                           \
    u32 w2c_mote_##name(struct w2c_mote *context PARAMETERS_##parameters);               \
    u32 w2c_mote_##name(struct w2c_mote *context PARAMETERS_##parameters) {              \
        return (u32)mote_import_##name(mote_of(context) ARGUMENTS_##parameters);         \
    }
MOTE_IMPORTS(BIND)

void w2c_mote_net_close(struct w2c_mote *context, u32 handle);
u64 w2c_mote_now_ms(struct w2c_mote *context);
u64 w2c_mote_unix_ms(struct w2c_mote *context);
void w2c_mote_log(struct w2c_mote *context, u32 level, u32 text, u32 length);

void w2c_mote_net_close(struct w2c_mote *context, u32 handle) {
    mote_import_net_close(mote_of(context), handle);
}

u64 w2c_mote_now_ms(struct w2c_mote *context) {
    if (mote_import_traps(mote_of(context))) wasm_rt_trap(WASM_RT_TRAP_HOST);
    return (u64)mote_import_now_ms(mote_of(context));
}

u64 w2c_mote_unix_ms(struct w2c_mote *context) {
    return (u64)mote_import_unix_ms(mote_of(context));
}

void w2c_mote_log(struct w2c_mote *context, u32 level, u32 text, u32 length) {
    mote_import_log(mote_of(context), level, text, length);
}

// ------------------------------------------------------------------- exports

typedef u32 export0_t(w2c_client *);
typedef u32 export1_t(w2c_client *, u32);
typedef u32 export2_t(w2c_client *, u32, u32);
typedef u32 export3_t(w2c_client *, u32, u32, u32);
typedef u32 export4_t(w2c_client *, u32, u32, u32, u32);
typedef u32 export5_t(w2c_client *, u32, u32, u32, u32, u32);
#define VALUES_0
#define VALUES_1 , v[0]
#define VALUES_2 VALUES_1, v[1]
#define VALUES_3 VALUES_2, v[2]
#define VALUES_4 VALUES_3, v[3]
#define VALUES_5 VALUES_4, v[4]

// Weak, so that what a profile does not export is NULL here instead of an error of the linker. Each gets a way in with its arguments in a list.
#define DECLARE(symbol, name, arguments, required)                                       \
    extern __attribute__((weak)) export##arguments##_t w2c_client_##name;                \
    static u32 enter_##name(w2c_client *instance, const uint32_t v[]) {                  \
        (void)v;                                                                         \
        return w2c_client_##name(instance VALUES_##arguments);                           \
    }
MOTE_EXPORTS(DECLARE)

typedef void (*any_function_t)(void);

typedef struct export_entry {
    const char *name;
    uint32_t arguments;
    any_function_t function; // NULL where the profile has none
    u32 (*enter)(w2c_client *instance, const uint32_t v[]);
} export_entry_t;

#define ENTRY(symbol, name, arguments, required) {#name, arguments, (any_function_t)w2c_client_##name, enter_##name},
static const export_entry_t entries[] = {MOTE_EXPORTS(ENTRY)};

mote_function_t mote_engine_find(mote_engine_t *engine, const char *name, uint32_t arguments) {
    (void)engine;
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (strcmp(entries[i].name, name) != 0) continue;
        return entries[i].function != NULL && entries[i].arguments == arguments ? &entries[i] : NULL;
    }
    return NULL;
}

// ------------------------------------------------------------- load and call

_Static_assert(sizeof(mote_engine_t) == offsetof(mote_engine_t, instance.w2c_memory.data), "the linear memory does not begin where the record ends");

int32_t mote_engine_load(mote_engine_t **out_engine, const mote_engine_setup_t *setup, const char **out_fault) {
    *out_engine = NULL;
    *out_fault = "arena_size";
    size_t used = sizeof(mote_engine_t) + setup->memory_size;
    if (used > setup->arena_size) return MOTE_STATUS_TOO_LARGE;
    *out_fault = "memory_size";
    if (setup->memory_size < 8) return MOTE_STATUS_TOO_LARGE; // no module fits

    mote_engine_t *engine = setup->arena;
    memset(engine, 0, used);
    engine->instance.w2c_memory.size = setup->memory_size;
    current_engine = engine;
    // The module's data may not fit the memory that it is given; then the first copy of a segment traps.
    if (JUMP_SET(engine->trapped) == 0) {
        wasm2c_client_instantiate(&engine->instance, (struct w2c_mote *)(void *)setup->mote);
        *out_engine = engine;
    }
    current_engine = NULL;
    return *out_engine != NULL ? MOTE_STATUS_OK : MOTE_STATUS_TOO_LARGE;
}

int32_t mote_engine_call(mote_engine_t *engine, mote_function_t function, uint32_t arguments, const uint32_t values[]) {
    (void)arguments; // checked when the function was found
    current_engine = engine;
    if (JUMP_SET(engine->trapped) != 0) {
        // The jump came back here with current_engine as it was; locals from before are not read again.
        mote_engine_t *broken = current_engine;
        current_engine = NULL;
        return mote_trapped(mote_of(broken->instance.w2c_mote_instance), text_of(broken->why));
    }
    int32_t result = (int32_t)((const export_entry_t *)function)->enter(&engine->instance, values);
    current_engine = NULL;
    return result;
}

void mote_engine_forget_code(mote_engine_t *engine) {
    (void)engine; // it lies in flash
}

uint8_t *mote_engine_memory(mote_engine_t *engine, uint32_t *out_length) {
    *out_length = (uint32_t)engine->instance.w2c_memory.size;
    return engine->instance.w2c_memory.data;
}

void mote_engine_free(mote_engine_t *engine) {
    wasm2c_client_free(&engine->instance);
}

void mote_engine_usage(const mote_engine_t *engine, mote_engine_usage_t *out_usage) {
    out_usage->arena_peak = sizeof *engine + engine->instance.w2c_memory.size;
    out_usage->allocations = 0;
}
