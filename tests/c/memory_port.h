// A port without a network: bytes come from the test and go to it, the clock and the random numbers are the test's.
#ifndef MEMORY_PORT_H
#define MEMORY_PORT_H

#include <stdbool.h>

#include "mote.h"

#define MEMORY_PORT_INBOUND_MAX 262144

// Links that are no failure; a failure is its status.
enum { LINK_CONNECTING = 1, LINK_OPEN = 2 };

typedef enum memory_action { ACTION_OPEN, ACTION_SEND, ACTION_CLOSE } memory_action_t;

// Told of each action in order. ACTION_OPEN: `bytes` is the host name.
typedef void memory_observer_t(void *user, memory_action_t action, const uint8_t *bytes, uint32_t length,
                               uint32_t port_number, uint32_t flags);

typedef struct memory_port {
    mote_port_t port;
    int64_t now_ms, unix_ms;
    uint32_t random;
    uint32_t random_step;  // added after each number
    int32_t link;          // LINK_ or a status
    bool open_at_once;     // new connections begin as LINK_OPEN
    int32_t handle, handle_last;
    uint32_t task;         // the one that calls; any number
    uint32_t room;         // bytes that net_send still takes
    uint32_t received;     // bytes that the module has read
    uint32_t opens, closes, steps, waits, wakes;
    uint32_t last_timeout_ms, last_wants;
    uint32_t begin, count; // of the inbound bytes
    uint8_t inbound[MEMORY_PORT_INBOUND_MAX];
    memory_observer_t *observer;
    void *user;
} memory_port_t;

void memory_port_init(memory_port_t *port, int64_t now_ms);

// Bytes from the server, readable at once; false when there is no room.
bool memory_port_receive(memory_port_t *port, const void *bytes, uint32_t length);

#endif
