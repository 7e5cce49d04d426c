// A ring of bytes between the module and a socket. Bounded: what does not fit is not taken.
#ifndef MOTE_POSIX_RING_H
#define MOTE_POSIX_RING_H

#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

// Bytes of each direction. A message that fits leaves in one write.
#ifndef MOTE_POSIX_RING_SIZE
#define MOTE_POSIX_RING_SIZE 4096
#endif

typedef struct mote_ring {
    uint32_t begin; // of the bytes that are held
    uint32_t count;
    uint8_t bytes[MOTE_POSIX_RING_SIZE];
} mote_ring_t;

static inline uint32_t mote_ring_room(const mote_ring_t *ring) {
    return MOTE_POSIX_RING_SIZE - ring->count;
}

// Describes `length` bytes from `offset` on as one or two pieces; returns how many.
static inline int mote_ring_pieces(mote_ring_t *ring, uint32_t offset, uint32_t length, struct iovec out_pieces[2]) {
    uint32_t start = (ring->begin + offset) % MOTE_POSIX_RING_SIZE;
    uint32_t first = MOTE_POSIX_RING_SIZE - start < length ? MOTE_POSIX_RING_SIZE - start : length;
    out_pieces[0] = (struct iovec){ring->bytes + start, first};
    out_pieces[1] = (struct iovec){ring->bytes, length - first};
    return length > first ? 2 : 1;
}

// Appends what fits; returns the bytes taken.
static inline uint32_t mote_ring_put(mote_ring_t *ring, const uint8_t *from, uint32_t length) {
    if (length > mote_ring_room(ring)) length = mote_ring_room(ring);
    struct iovec pieces[2];
    mote_ring_pieces(ring, ring->count, length, pieces);
    if (pieces[0].iov_len != 0) memcpy(pieces[0].iov_base, from, pieces[0].iov_len);
    if (pieces[1].iov_len != 0) memcpy(pieces[1].iov_base, from + pieces[0].iov_len, pieces[1].iov_len);
    ring->count += length;
    return length;
}

// Forgets bytes at the front.
static inline void mote_ring_drop(mote_ring_t *ring, uint32_t length) {
    ring->count -= length;
    ring->begin = ring->count == 0 ? 0 : (ring->begin + length) % MOTE_POSIX_RING_SIZE;
}

// Takes at most `capacity` bytes out; returns how many.
static inline uint32_t mote_ring_take(mote_ring_t *ring, uint8_t *to, uint32_t capacity) {
    uint32_t length = capacity < ring->count ? capacity : ring->count;
    struct iovec pieces[2];
    mote_ring_pieces(ring, 0, length, pieces);
    if (pieces[0].iov_len != 0) memcpy(to, pieces[0].iov_base, pieces[0].iov_len);
    if (pieces[1].iov_len != 0) memcpy(to + pieces[0].iov_len, pieces[1].iov_base, pieces[1].iov_len);
    mote_ring_drop(ring, length);
    return length;
}

#endif
