// Makes a call inside a module cheaper; the build includes it, behind wasm3.h, before m3_compile.c, in which wasm3 has its operations.
//
// wasm3 enters a function by way of the C library, once to clear its locals and once to copy its constants, and asks a hook before
// that whether to go on. A handful of slots is less work than these calls are; and without them the operation keeps nothing on the native stack.
#ifndef MOTE_WASM3_CALLS_H
#define MOTE_WASM3_CALLS_H

#include <stdint.h>
#include <string.h>

// Slots in powers of two; a store is as wide as the machine has it.
typedef uint32_t mote_wasm3_slot_t __attribute__((may_alias));
#define MOTE_SLOTS(count) __attribute__((vector_size(4 * (count)), aligned(4), may_alias))
typedef uint32_t mote_wasm3_slots4_t MOTE_SLOTS(4);
typedef uint32_t mote_wasm3_slots2_t MOTE_SLOTS(2);

#define MOTE_CLEAR(type) (*(type *)(void *)to = (type){0}, to += sizeof(type))
#define MOTE_COPY(type) (*(type *)(void *)to = *(const type *)(const void *)from, to += sizeof(type), from += sizeof(type))

static inline __attribute__((always_inline)) void mote_wasm3_clear_slots(uint8_t *to, size_t size) {
    for (const uint8_t *end = to + (size & ~(size_t)15); to != end;) MOTE_CLEAR(mote_wasm3_slots4_t);
    if (size & 8) MOTE_CLEAR(mote_wasm3_slots2_t);
    if (size & 4) MOTE_CLEAR(mote_wasm3_slot_t);
}

static inline __attribute__((always_inline)) void mote_wasm3_copy_slots(uint8_t *to, const uint8_t *from, size_t size) {
    for (const uint8_t *end = to + (size & ~(size_t)15); to != end;) MOTE_COPY(mote_wasm3_slots4_t);
    if (size & 8) MOTE_COPY(mote_wasm3_slots2_t);
    if (size & 4) MOTE_COPY(mote_wasm3_slot_t);
}

// By what they say, so that nothing else is meant: all other sizes are none of slots.
#define MOTE_SAYS(size, text) (__builtin_strcmp(#size, text) == 0)
#define memset(to, value, size)                                                                                                      \
    (MOTE_SAYS(size, "function->numLocalBytes") ? mote_wasm3_clear_slots((uint8_t *)(to), size) : (void)memset(to, value, size))
#define memcpy(to, from, size)                                                                                                       \
    (MOTE_SAYS(size, "function->numConstantBytes") ? mote_wasm3_copy_slots((uint8_t *)(to), (const uint8_t *)(from), size)           \
                                                   : (void)memcpy(to, from, size))

// No Mote host stops a module from there: an app is stopped by its fuel.
#define m3_Yield() ((M3Result)NULL)

#endif
