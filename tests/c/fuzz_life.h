// One life of a client between a hostile server and a careless application: what its parts share.
#ifndef FUZZ_LIFE_H
#define FUZZ_LIFE_H

#include "client.h"
#include "harness.h"
#include "mote_app.h"

#define FUZZ_JOURNAL_SIZE 2048
#define FUZZ_HEARD_MAX 65536
#define FUZZ_POINTS_MAX 1000

// What became of a data point in pieces, when the message was ended.
enum { POINT_NONE, POINT_TAKEN };

typedef struct life {
    mote_t mote; // first: what is told of a client is told of its life
    mote_options_t options;
    memory_port_t port;
    mote_port_functions_t functions; // those of the memory port, but where something goes wrong
    char config[2048];
    bool is_roomy;         // a page of memory, and buffers that fill it
    uint8_t *arena, *posts;

    mote_app_t app;
    bool has_app;
    bool publishes_anywhere; // the app, to a topic of the platform too

    const char *profile;
    bool is_traced;
    bool is_alone;         // no other task posts or wakes, because mote_init() is not done or mote_free() has begun
    bool is_tight;         // the arena holds hardly more than what is compiled at first, so that more of it may end the instance
    bool is_reliable;      // all is well from now on: network, server, store and slot
    bool is_locked;        // the queue of posts
    uint32_t idle_polls;   // in a row that were asked for at once
    uint32_t handling;     // handlers on the stack
    uint32_t actions;      // what the client did to the network
    uint32_t trouble;      // of a hundred: how much of what can go wrong does
    uint64_t digest;       // of all that happened, alike on every engine
    char fault[256];       // what was wrong first, empty when nothing was
    uint32_t event_counts[128];

    uint8_t heard[FUZZ_HEARD_MAX]; // of the client, and not a whole packet yet
    uint32_t heard_length;
    uint8_t filters[4096]; // that were subscribed to on this connection, each with its length in two bytes in front
    uint32_t filters_length;
    bool has_connected;    // CONNECT was heard on this connection

    bool is_building;      // a message in pieces, so that handlers leave it alone
    bool is_second;        // mote_init() was called once more, which has forgotten the points
    uint32_t points_begun;
    uint8_t points[FUZZ_POINTS_MAX];
    bool points_heard[FUZZ_POINTS_MAX];

    uint8_t journal[FUZZ_JOURNAL_SIZE];
    uint32_t erase_size, program_size;
    uint32_t image_size, image_length; // of the image slot; 0 = none was begun
} life_t;

static inline bool chance(uint32_t percent) {
    return random_below(100) < percent;
}

static inline bool goes_wrong(const life_t *life, uint32_t percent) {
    return !life->is_reliable && random_below(10000) < percent * life->trouble;
}

// Compilers choose which of two numbers in one expression is drawn first, so each seed's are drawn one by one.
static inline void spoil_byte(void *bytes, uint32_t length) {
    uint32_t at = random_below(length);
    ((uint8_t *)bytes)[at] = (uint8_t)random_below(256);
}

#define PICK(list) ((list)[random_below((uint32_t)(sizeof(list) / sizeof((list)[0])))])

// fuzz_face.c
// A line of what happens, for the digest and the trace.
void life_note(life_t *life, const char *format, ...) __attribute__((format(printf, 2, 3)));
void life_note_bytes(life_t *life, const char *what, const void *bytes, size_t length);
// Something that must not be.
void life_blame(life_t *life, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A result of the face: a number from 0 up, or a status that has a name.
void life_check_result(life_t *life, const char *name, int32_t result);
bool life_holds(const life_t *life, mote_span_t span);

// fuzz_life.c
void fuzz_live(life_t *life, uint32_t seed);

// fuzz_setting.c
// A block of its very length, whose surroundings nobody may touch.
uint8_t *fuzz_guarded(size_t size);
void fuzz_check_guards(life_t *life, const char *what, const uint8_t *block, size_t size);
void fuzz_give_back(uint8_t *block, size_t size);
void fuzz_configure(life_t *life);

// fuzz_port.c
void fuzz_port_init(life_t *life);
void fuzz_port_become_reliable(life_t *life);

// fuzz_server.c
void fuzz_server_accept(life_t *life);
void fuzz_server_hear(life_t *life, const uint8_t *bytes, uint32_t length);
void fuzz_server_say(life_t *life);

// fuzz_handlers.c
void fuzz_handlers_set(life_t *life);

// fuzz_verbs.c
// Calls one or more functions of the face; inside a handler only those that a handler may call.
void fuzz_use(life_t *life);
void fuzz_post(life_t *life);

// fuzz_pieces.c
void fuzz_pieces(life_t *life);
void fuzz_whole(life_t *life);
void fuzz_pieces_hear(life_t *life, const char *payload, bool is_repeated);
void fuzz_pieces_check(life_t *life);

// fuzz_app.c
void fuzz_app_begin(life_t *life);
void fuzz_app_poll(life_t *life);
void fuzz_app_end(life_t *life);

#endif
