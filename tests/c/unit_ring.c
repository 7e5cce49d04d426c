// The ring of the POSIX port: any order of puts and takes gives the bytes back, and nothing is written outside.
#include "harness.h"
#include "ring.h"

static struct {
    uint64_t before;
    mote_ring_t ring;
    uint64_t after;
} guarded;

void test_ring(void) {
    guarded.before = guarded.after = UINT64_C(0x5a5a5a5a5a5a5a5a);
    mote_ring_t *ring = &guarded.ring;
    uint8_t bytes[MOTE_POSIX_RING_SIZE + 100];
    uint8_t put = 0;
    uint8_t expected = 0;
    uint32_t seed = 1;
    uint32_t wrong = 0;
    for (int round = 0; round < 20000; round++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t length = (seed >> 8) % ((uint32_t)sizeof bytes);
        if ((seed >> 30) != 0) length %= 700;
        if ((seed & 0x80) != 0) {
            for (uint32_t i = 0; i < length; i++) bytes[i] = (uint8_t)(put + i);
            uint32_t room = mote_ring_room(ring);
            uint32_t taken = mote_ring_put(ring, bytes, length);
            if (taken != (length < room ? length : room)) wrong++;
            put = (uint8_t)(put + taken);
        } else {
            uint32_t count = mote_ring_take(ring, bytes, length);
            for (uint32_t i = 0; i < count; i++) wrong += bytes[i] != expected++;
        }
        if (ring->count > MOTE_POSIX_RING_SIZE || ring->begin >= MOTE_POSIX_RING_SIZE) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
    CHECK_EQUAL(guarded.before, UINT64_C(0x5a5a5a5a5a5a5a5a));
    CHECK_EQUAL(guarded.after, UINT64_C(0x5a5a5a5a5a5a5a5a));
    CHECK_EQUAL(mote_ring_put(ring, bytes, 0), 0);
}
