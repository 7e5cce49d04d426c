// An allocator inside one block of the caller's memory, for an engine that allocates while it loads.
#ifndef MOTE_ARENA_H
#define MOTE_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct mote_arena {
    uint8_t *start;
    uint32_t size;
    uint32_t top;         // end of the last block
    uint32_t free_blocks; // blocks below the top that are free
    uint32_t peak;
    uint32_t allocations;
} mote_arena_t;

// `start` is aligned to 8.
void mote_arena_reset(mote_arena_t *arena, void *start, size_t size);

// Zeroed and aligned to 8, NULL when there is no room.
void *mote_arena_take(mote_arena_t *arena, size_t size);

// Makes a block larger or smaller, in place where that is possible. The new part is not zeroed.
void *mote_arena_resize(mote_arena_t *arena, void *block, size_t size);

void mote_arena_give(mote_arena_t *arena, void *block);

#endif
