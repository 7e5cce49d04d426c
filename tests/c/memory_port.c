// See memory_port.h. What the module may not do with its handles is checked by the host before it comes here.
#include "memory_port.h"

#include <string.h>

static memory_port_t *memory_of(mote_port_t *port) {
    return (memory_port_t *)(void *)port;
}

static void tell(memory_port_t *port, memory_action_t action, const void *bytes, uint32_t length, uint32_t number, uint32_t flags) {
    if (port->observer != NULL) port->observer(port->user, action, bytes, length, number, flags);
}

static int32_t net_open(mote_port_t *base, const char *host, uint32_t host_length, uint32_t port_number, uint32_t flags) {
    memory_port_t *port = memory_of(base);
    port->handle = ++port->handle_last;
    port->opens++;
    port->link = port->open_at_once ? LINK_OPEN : LINK_CONNECTING;
    port->begin = port->count = 0;
    tell(port, ACTION_OPEN, host, host_length, port_number, flags);
    return port->handle;
}

static int32_t net_state(mote_port_t *base, int32_t handle) {
    memory_port_t *port = memory_of(base);
    if (handle != port->handle) return MOTE_STATUS_INVALID_VALUE;
    if (port->link == LINK_CONNECTING) return MOTE_NET_STATE_CONNECTING;
    return port->link == LINK_OPEN || port->count > 0 ? MOTE_NET_STATE_OPEN : port->link;
}

static int32_t net_send(mote_port_t *base, int32_t handle, const uint8_t *from, uint32_t length) {
    memory_port_t *port = memory_of(base);
    if (handle != port->handle) return MOTE_STATUS_INVALID_VALUE;
    if (port->link < 0) return port->link;
    if (port->link == LINK_CONNECTING) return 0;
    uint32_t taken = length < port->room ? length : port->room;
    if (port->room != UINT32_MAX) port->room -= taken;
    if (taken > 0) tell(port, ACTION_SEND, from, taken, 0, 0);
    return (int32_t)taken;
}

static int32_t net_recv(mote_port_t *base, int32_t handle, uint8_t *to, uint32_t capacity) {
    memory_port_t *port = memory_of(base);
    if (handle != port->handle) return MOTE_STATUS_INVALID_VALUE;
    if (port->count == 0) return port->link < 0 ? port->link : 0;
    uint32_t taken = capacity < port->count ? capacity : port->count;
    memcpy(to, port->inbound + port->begin, taken);
    port->begin += taken;
    port->count -= taken;
    if (port->count == 0) port->begin = 0;
    port->received += taken;
    return (int32_t)taken;
}

static void net_close(mote_port_t *base, int32_t handle) {
    memory_port_t *port = memory_of(base);
    if (handle != port->handle) return;
    port->handle = 0;
    port->closes++;
    port->begin = port->count = 0;
    tell(port, ACTION_CLOSE, NULL, 0, 0, 0);
}

static void step(mote_port_t *base) {
    memory_of(base)->steps++;
}

// Sleeping is passing the time.
static void wait(mote_port_t *base, uint32_t timeout_ms, uint32_t wants) {
    memory_port_t *port = memory_of(base);
    port->waits++;
    port->last_timeout_ms = timeout_ms;
    port->last_wants = wants;
    if (timeout_ms < MOTE_NO_DEADLINE_MS) port->now_ms += timeout_ms;
}

static void wake(mote_port_t *base) {
    __atomic_fetch_add(&memory_of(base)->wakes, 1, __ATOMIC_RELAXED); // from any task
}

static int64_t now_ms(mote_port_t *base) {
    return memory_of(base)->now_ms;
}

static int64_t unix_ms(mote_port_t *base) {
    return memory_of(base)->unix_ms;
}

static uint32_t random_u32(mote_port_t *base) {
    memory_port_t *port = memory_of(base);
    uint32_t number = port->random;
    port->random += port->random_step;
    return number;
}

static uintptr_t task(mote_port_t *port) {
    return ((const memory_port_t *)(const void *)port)->task + 1u;
}

static const mote_port_functions_t functions = {
    .step = step, .wait = wait, .wake = wake, .net_open = net_open, .net_state = net_state, .net_send = net_send,
    .net_recv = net_recv, .net_close = net_close, .now_ms = now_ms, .unix_ms = unix_ms, .random_u32 = random_u32, .task = task,
};

void memory_port_init(memory_port_t *port, int64_t now_ms_start) {
    memset(port, 0, sizeof *port);
    port->port.functions = &functions;
    port->now_ms = now_ms_start;
    port->room = UINT32_MAX;
}

bool memory_port_receive(memory_port_t *port, const void *bytes, uint32_t length) {
    if (length > sizeof port->inbound - port->count) return false;
    memmove(port->inbound, port->inbound + port->begin, port->count);
    port->begin = 0;
    memcpy(port->inbound + port->count, bytes, length);
    port->count += length;
    return true;
}
