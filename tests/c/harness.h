// Checks and a client over the memory port, for the C unit tests.
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include <stdio.h>
#include <string.h>

#include "memory_port.h"
#include "mote.h"

#define TEST_ARENA_SIZE (512 * 1024)
#define TEST_CONFIG "{\"mqtt_host\":\"broker\",\"client_id\":\"c\",\"access_token\":\"T\",\"staging_buffer\":512,\"reconnect_min_ms\":1000}"

extern uint32_t checks_passed, checks_failed;

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(actual, expected) check_equal((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)

void check(bool passed, const char *text, const char *file, int line);
void check_equal(int64_t actual, int64_t expected, const char *text, const char *file, int line);

typedef struct client {
    mote_t mote;
    memory_port_t port;
    mote_options_t options;
    uint32_t sent_length; // bytes that the module sent, one packet behind the other
    uint8_t sent[65536];
    uint32_t event_counts[128];
    mote_event_t last_event; // without its spans
    _Alignas(8) uint8_t arena[TEST_ARENA_SIZE]; // a 64-bit integer in a record is aligned to 4 on i386
} client_t;

// Fills in port and options; the module is the default of this program.
void client_prepare(client_t *client, const char *config);

typedef void client_guard_t(mote_port_t *port);

// The same for a client with a queue of posts, which these guard. One client at a time.
void client_prepare_posts(client_t *client, client_guard_t *lock, client_guard_t *unlock, void *buffer, uint32_t size);

// Prepares and mote_init()s. Returns its status.
int32_t client_init(client_t *client, const char *config);

// Starts, accepts the CONNECT and acknowledges subscriptions until nothing more happens.
void client_connect(client_t *client);

// Polls until nothing happens, answering SUBSCRIBE and QoS 1 PUBLISH like a server.
void client_serve(client_t *client);

// A number from 0 to below `bound`: the same ones in each run and on every machine.
uint32_t random_below(uint32_t bound);

// Begins them anew: each seed has its own.
void random_seed(uint32_t seed);

// Receives a message at QoS 0 of less than 128 bytes.
void client_receive(client_t *client, const char *topic, const char *payload);

// True when the bytes that were sent contain this text.
bool client_sent(const client_t *client, const char *text);

// How often the bytes that were sent contain it.
uint32_t client_count_sent(const client_t *client, const char *text);

// Checks that a call queued, and that this is what leaves for it.
void check_leaves(client_t *client, int32_t result, const char *topic, const char *payload);

// Does a step of a message in pieces again, once the outbox has emptied: at most once, since one piece fits an empty one.
#define WITH_ROOM(client, step)           \
    do {                                  \
        int32_t result = (step);          \
        if (result == MOTE_STATUS_FULL) { \
            client_serve(client);         \
            result = (step);              \
        }                                 \
        CHECK(result >= 0);               \
    } while (0)

void test_engine(void);
void test_config(void);
void test_message(void);
void test_trap(void);
void test_device(void);
void test_handlers(void);
void test_limits(void);
void test_hostile(void);
void test_log(void);
void test_posts(void);
void test_split(void);
void test_utf8(void);
void test_net(void);
void test_ring(void);
void test_storage(void);
void test_gateway_split(void);
void test_gateway_staging(void);

#endif
