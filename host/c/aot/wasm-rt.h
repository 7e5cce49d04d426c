// The runtime that code from wasm2c (npm wabt 1.0.39) needs, cut down to what a Mote module uses: one memory inside the
// caller's arena, bounds checks on every access, a trap that returns to the engine seam. No table, no float, no signals.
#ifndef WASM_RT_H_
#define WASM_RT_H_

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "wasm2c lays memory out backwards on big-endian machines, and the host does not expect that"
#endif
#define WABT_BIG_ENDIAN 0

#define wasm_rt_memcpy memcpy

// What host/tools/compile-aot.ts writes in front of functions that each message runs through. A build for size stays one.
#ifdef __OPTIMIZE_SIZE__
#define WASM_RT_OFTEN
#else
#define WASM_RT_OFTEN inline __attribute__((always_inline))
#endif

// No guard pages, no segment registers, no counted stack depth: the build proves how deep a module calls.
#define WASM_RT_MEMCHECK_GUARD_PAGES 0
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_SEGUE_FREE_SEGMENT 0
#define WASM_RT_SANITY_CHECKS 0
#define WASM_RT_STACK_DEPTH_COUNT 0

typedef enum {
    WASM_RT_TRAP_NONE,
    WASM_RT_TRAP_OOB,
    WASM_RT_TRAP_INT_OVERFLOW,
    WASM_RT_TRAP_DIV_BY_ZERO,
    WASM_RT_TRAP_INVALID_CONVERSION,
    WASM_RT_TRAP_UNREACHABLE,
    WASM_RT_TRAP_CALL_INDIRECT,
    WASM_RT_TRAP_EXHAUSTION,
    WASM_RT_TRAP_HOST, // an import asked for it
} wasm_rt_trap_t;

typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_V128, WASM_RT_FUNCREF, WASM_RT_EXTERNREF } wasm_rt_type_t;

// Returns to the call of the export that is on the stack.
__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t why);

typedef struct {
    size_t size;           // bytes that may be used: the configured size, not a whole page. As wide as an address, which each access compares with it
    size_t last_4, last_8; // addresses of the last 4 and 8 of them
    uint8_t data[] __attribute__((aligned(8))); // here and not elsewhere, so that no access has to read first where
} wasm_rt_memory_t;

// True when an access is one within memory. Most are of 1, 4 or 8 bytes, whose last address needs no sum. What lies in front of the end of the
// module's data is there in every instance, so that addresses which the compiler knows need no check.
static inline __attribute__((always_inline)) bool wasm_rt_holds(const wasm_rt_memory_t *memory, uint64_t address, size_t bytes, uint32_t data_end) {
    if (__builtin_constant_p(address) && address + bytes <= data_end) return true;
    switch (bytes) {
    case 1: return address < memory->size;
    case 4: return address <= memory->last_4;
    case 8: return address <= memory->last_8;
    default: return address + bytes <= memory->size;
    }
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t max_pages, bool is64, uint32_t page_size);
void wasm_rt_free_memory(wasm_rt_memory_t *memory);

static inline uint64_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t pages) {
    (void)memory;
    return pages == 0 ? 1 : UINT32_MAX; // one page of the usual size that never grows
}

static inline bool wasm_rt_is_initialized(void) {
    return true;
}

// Tables: only the types, which every generated file names.
typedef const char *wasm_rt_func_type_t;
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct wasm_rt_tailcallee_t {
    void (*fn)(void **instance_ptr, void *tail_call_stack, struct wasm_rt_tailcallee_t *next);
} wasm_rt_tailcallee_t;
typedef struct {
    wasm_rt_func_type_t func_type;
    wasm_rt_function_ptr_t func;
    wasm_rt_tailcallee_t func_tailcallee;
    void *module_instance;
} wasm_rt_funcref_t;
typedef void *wasm_rt_externref_t;
typedef struct {
    wasm_rt_funcref_t *data;
    uint32_t max_size, size;
} wasm_rt_funcref_table_t;
typedef struct {
    wasm_rt_externref_t *data;
    uint32_t max_size, size;
} wasm_rt_externref_table_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value = {0, 0, {0}, 0};
#define wasm_rt_externref_null_value ((wasm_rt_externref_t)0)

#ifdef __cplusplus
}
#endif
#endif
