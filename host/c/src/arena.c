// Blocks lie one behind the other, each with a header of eight bytes:
//
//     | size, free bit | size of the block before | bytes ... | size, free bit | ...
//
// Loading a module mostly takes and hardly gives back, so a bump pointer that falls over free blocks at the end is enough;
// holes are searched first only when there are any, and are never joined.
#include "arena.h"

#include <stdbool.h>
#include <string.h>

#define NONE UINT32_MAX
#define IS_FREE 1u

typedef struct header {
    uint32_t size; // bytes behind the header, a multiple of 8; bit 0: free
    uint32_t before;
} header_t;

_Static_assert(sizeof(header_t) == 8, "blocks would not be aligned");

static header_t *at(const mote_arena_t *arena, uint32_t offset) {
    return (header_t *)(void *)(arena->start + offset);
}

static header_t *header_of(void *block) {
    return (header_t *)block - 1;
}

void mote_arena_reset(mote_arena_t *arena, void *start, size_t size) {
    memset(arena, 0, sizeof *arena);
    arena->start = start;
    arena->size = size > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)size;
    arena->last = NONE;
}

static void *reuse_hole(mote_arena_t *arena, uint32_t size) {
    for (uint32_t offset = 0; offset < arena->top; offset += (uint32_t)sizeof(header_t) + (at(arena, offset)->size & ~IS_FREE)) {
        header_t *header = at(arena, offset);
        uint32_t room = header->size & ~IS_FREE;
        // A hole twice as large as what is asked for is left to something larger.
        if ((header->size & IS_FREE) == 0 || room < size || room / 2 > size) continue;
        header->size = room;
        arena->free_blocks--;
        return header + 1;
    }
    return NULL;
}

void *mote_arena_take(mote_arena_t *arena, size_t size) {
    if (size > arena->size) return NULL;
    uint32_t rounded = ((uint32_t)size + 7u) & ~7u;
    arena->allocations++;
    void *block = arena->free_blocks > 0 ? reuse_hole(arena, rounded) : NULL;
    if (block == NULL) {
        if (rounded + sizeof(header_t) > arena->size - arena->top) return NULL;
        header_t *header = at(arena, arena->top);
        header->size = rounded;
        header->before = arena->last;
        arena->last = arena->top;
        arena->top += (uint32_t)sizeof(header_t) + rounded;
        if (arena->top > arena->peak) arena->peak = arena->top;
        block = header + 1;
    }
    memset(block, 0, rounded);
    return block;
}

void mote_arena_give(mote_arena_t *arena, void *block) {
    if (block == NULL) return;
    header_of(block)->size |= IS_FREE;
    arena->free_blocks++;
    while (arena->last != NONE && (at(arena, arena->last)->size & IS_FREE) != 0) {
        arena->top = arena->last;
        arena->last = at(arena, arena->last)->before;
        arena->free_blocks--;
    }
}

void *mote_arena_resize(mote_arena_t *arena, void *block, size_t size) {
    if (block == NULL) return mote_arena_take(arena, size);
    header_t *header = header_of(block);
    if (size <= header->size) return block;
    uint32_t offset = (uint32_t)((uint8_t *)header - arena->start);
    if (offset == arena->last) {
        uint32_t rounded = ((uint32_t)size + 7u) & ~7u;
        if (size > arena->size || rounded > arena->size - offset - sizeof(header_t)) return NULL;
        arena->allocations++;
        header->size = rounded;
        arena->top = offset + (uint32_t)sizeof(header_t) + rounded;
        if (arena->top > arena->peak) arena->peak = arena->top;
        return block;
    }
    void *larger = mote_arena_take(arena, size);
    if (larger == NULL) return NULL;
    memcpy(larger, block, header->size);
    mote_arena_give(arena, block);
    return larger;
}
