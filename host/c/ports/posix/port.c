// The POSIX port: clock, random numbers, waiting, and the table that Mote calls through.
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "mote_abi.h"
#include "net.h"
#include "resolve.h"

static mote_posix_t *posix_of(mote_port_t *port) {
    return (mote_posix_t *)(void *)port;
}

static int64_t read_clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t mote_posix_now_ms(mote_port_t *port) {
    (void)port;
    return read_clock_ms(CLOCK_MONOTONIC);
}

static int64_t unix_ms(mote_port_t *port) {
    (void)port;
    return read_clock_ms(CLOCK_REALTIME);
}

// xorshift64*: good enough for jitter and ids, and never blocks.
static uint32_t random_u32(mote_port_t *port) {
    uint64_t *state = &posix_of(port)->random_state;
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

static uint64_t seed(const mote_posix_t *posix) {
    uint64_t value = 0;
    int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, &value, sizeof value) != (ssize_t)sizeof value) value = 0;
        close(file);
    }
    if (value == 0) value = (uint64_t)read_clock_ms(CLOCK_REALTIME) ^ (uint64_t)(uintptr_t)posix;
    return value == 0 ? 1 : value;
}

static void wait(mote_port_t *port, uint32_t timeout_ms, uint32_t wants) {
    mote_posix_t *posix = posix_of(port);
    mote_posix_step(port); // nothing that was accepted may wait for the sleep to end
    if (mote_posix_is_ready(posix, wants)) return;
    struct pollfd descriptors[3];
    int64_t timeout = timeout_ms >= (uint32_t)MOTE_NO_DEADLINE_MS ? INT32_MAX : (int64_t)timeout_ms;
    nfds_t count = mote_posix_watch(posix, descriptors, &timeout);
    descriptors[count] = (struct pollfd){.fd = mote_posix_wake_descriptor(posix->resolver), .events = POLLIN};
    poll(descriptors, count + 1, timeout >= INT32_MAX ? -1 : (int)timeout);
    if (descriptors[count].revents != 0) mote_posix_wake_clear(posix->resolver);
}

static void wake(mote_port_t *port) {
    mote_posix_wake(posix_of(port)->resolver);
}

static const mote_port_functions_t functions = {
    .capabilities = 0,
    .step = mote_posix_step,
    .wait = wait,
    .wake = wake,
    .net_open = mote_posix_net_open,
    .net_state = mote_posix_net_state,
    .net_send = mote_posix_net_send,
    .net_recv = mote_posix_net_recv,
    .net_close = mote_posix_net_close,
    .now_ms = mote_posix_now_ms,
    .unix_ms = unix_ms,
    .random_u32 = random_u32,
};

int32_t mote_posix_init(mote_posix_t *posix) {
    memset(posix, 0, sizeof *posix);
    posix->port.functions = &functions;
    posix->connections[0].socket = posix->connections[1].socket = -1;
    posix->random_state = seed(posix);
    posix->resolver = mote_posix_resolver_new();
    return posix->resolver != NULL ? MOTE_STATUS_OK : MOTE_STATUS_NETWORK_FAILED;
}

void mote_posix_free(mote_posix_t *posix) {
    if (posix->resolver == NULL) return;
    while (mote_posix_step(&posix->port), mote_posix_lingers(posix)) wait(&posix->port, MOTE_POSIX_LINGER_MS, 0);
    for (int i = 0; i < 2; i++) {
        if (posix->connections[i].socket >= 0) close(posix->connections[i].socket);
    }
    mote_posix_resolver_free(posix->resolver);
    posix->resolver = NULL;
}
