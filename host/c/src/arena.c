// Blocks lie one behind the other, each behind a header of four bytes:
//
//     | size, free bit | bytes ... | size, free bit | bytes ... |
//
// Loading a module mostly takes and hardly gives back, so a bump pointer that falls over free blocks at the end is enough;
// holes are searched first only when there are any, and are never joined. A module takes hundreds of small blocks: a header that
// led back to the block before would cost more than the walk along them all, whenever one is given back, does.
#include "arena.h"

#include <stdbool.h>
#include <string.h>

#define IS_FREE 1u
#define ALIGNMENT 8u

typedef struct header {
    uint32_t size; // bytes behind the header; bit 0: free
} header_t;

// The first header stands so that what is behind it is aligned; with their headers all blocks are multiples of the alignment.
#define FIRST (ALIGNMENT - (uint32_t)sizeof(header_t))

static header_t *at(const mote_arena_t *arena, uint32_t offset) {
    return (header_t *)(void *)(arena->start + offset);
}

static header_t *header_of(void *block) {
    return (header_t *)block - 1;
}

static uint32_t room_of(const header_t *header) {
    return header->size & ~IS_FREE;
}

static uint32_t behind(const mote_arena_t *arena, uint32_t offset) {
    return offset + (uint32_t)sizeof(header_t) + room_of(at(arena, offset));
}

static uint32_t rounded(size_t size) {
    return (((uint32_t)size + (uint32_t)sizeof(header_t) + ALIGNMENT - 1u) & ~(ALIGNMENT - 1u)) - (uint32_t)sizeof(header_t);
}

void mote_arena_reset(mote_arena_t *arena, void *start, size_t size) {
    memset(arena, 0, sizeof *arena);
    arena->start = start;
    arena->size = size > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)size;
    arena->top = FIRST;
}

static void *reuse_hole(mote_arena_t *arena, uint32_t size) {
    for (uint32_t offset = FIRST; offset < arena->top; offset = behind(arena, offset)) {
        header_t *header = at(arena, offset);
        uint32_t room = room_of(header);
        // A hole twice as large as what is asked for is left to something larger.
        if ((header->size & IS_FREE) == 0 || room < size || room / 2 > size) continue;
        header->size = room;
        arena->free_blocks--;
        return header + 1;
    }
    return NULL;
}

// Whether a block with its header fits from `offset` on.
static bool fits(const mote_arena_t *arena, uint32_t offset, uint32_t size) {
    return offset <= arena->size && arena->size - offset >= sizeof(header_t) && size <= arena->size - offset - sizeof(header_t);
}

static void end_at(mote_arena_t *arena, uint32_t top) {
    arena->top = top;
    if (top > arena->peak) arena->peak = top;
}

void *mote_arena_take(mote_arena_t *arena, size_t size) {
    if (size > arena->size) return NULL;
    uint32_t room = rounded(size);
    arena->allocations++;
    void *block = arena->free_blocks > 0 ? reuse_hole(arena, room) : NULL;
    if (block == NULL) {
        if (!fits(arena, arena->top, room)) return NULL;
        header_t *header = at(arena, arena->top);
        header->size = room;
        end_at(arena, behind(arena, arena->top));
        block = header + 1;
    }
    memset(block, 0, room_of(header_of(block)));
    return block;
}

void mote_arena_give(mote_arena_t *arena, void *block) {
    if (block == NULL) return;
    header_of(block)->size |= IS_FREE;
    arena->free_blocks++;
    uint32_t top = FIRST; // behind the last block that is not free
    uint32_t free_behind = 0;
    for (uint32_t offset = FIRST; offset < arena->top;) {
        bool is_free = (at(arena, offset)->size & IS_FREE) != 0;
        offset = behind(arena, offset);
        free_behind = is_free ? free_behind + 1 : 0;
        if (!is_free) top = offset;
    }
    arena->top = top;
    arena->free_blocks -= free_behind;
}

void *mote_arena_resize(mote_arena_t *arena, void *block, size_t size) {
    if (block == NULL) return mote_arena_take(arena, size);
    header_t *header = header_of(block);
    if (size <= header->size) return block;
    uint32_t offset = (uint32_t)((uint8_t *)header - arena->start);
    if (behind(arena, offset) == arena->top) {
        if (size > arena->size || !fits(arena, offset, rounded(size))) return NULL;
        arena->allocations++;
        header->size = rounded(size);
        end_at(arena, behind(arena, offset));
        return block;
    }
    void *larger = mote_arena_take(arena, size);
    if (larger == NULL) return NULL;
    memcpy(larger, block, header->size);
    mote_arena_give(arena, block);
    return larger;
}
