// The POSIX port: clock, random numbers, waiting, and the table that Mote calls through.
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "mote_abi.h"
#include "net.h"
#include "resolve.h"
#include "storage.h"
#include "tls.h"

// A clock that shows an earlier time has not been set: machines without one begin in 1970. Start of 2024.
#define CLOCK_FLOOR_MS INT64_C(1704067200000)

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

int64_t mote_posix_unix_ms(mote_port_t *port) {
    (void)port;
    int64_t now_ms = read_clock_ms(CLOCK_REALTIME);
    return now_ms >= CLOCK_FLOOR_MS ? now_ms : 0;
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

static void step(mote_port_t *port) {
    mote_posix_t *posix = posix_of(port);
    mote_posix_net_step(posix);
    if (mote_posix_store_step(posix->store)) posix->worked = true;
#ifdef MOTE_POSIX_MBEDTLS
    if (mote_posix_slot_step(posix->slot)) posix->worked = true;
#endif
}

// For programs that do not ask for log lines themselves.
static void write_log(mote_port_t *port, uint32_t level, const char *text, uint32_t length) {
    (void)port;
    if (level <= MOTE_LOG_LEVEL_WARNING) fprintf(stderr, "mote: %.*s\n", (int)length, text);
}

static void wait(mote_port_t *port, uint32_t timeout_ms, uint32_t wants) {
    mote_posix_t *posix = posix_of(port);
    step(port); // nothing that was accepted may wait for the sleep to end
    bool worked = posix->worked;
    posix->worked = false;
    if (worked || mote_posix_is_ready(posix, wants)) return;
    struct pollfd descriptors[3];
    int64_t timeout = timeout_ms >= (uint32_t)MOTE_NO_DEADLINE_MS ? INT32_MAX : (int64_t)timeout_ms;
    nfds_t count = mote_posix_watch(posix, descriptors, &timeout);
    descriptors[count] = (struct pollfd){.fd = mote_posix_wake_descriptor(posix->resolver), .events = POLLIN};
    poll(descriptors, count + 1, timeout >= INT32_MAX ? -1 : (int)timeout);
    if (descriptors[count].revents != 0) mote_posix_wake_clear(posix->resolver);
}

static void wake(mote_port_t *port) {
    mote_posix_resolver_t *resolver = posix_of(port)->resolver;
    if (resolver != NULL) mote_posix_wake(resolver); // a signal may come when the program ends
}

// pthread_t need not be a number: the address of something of the thread's own is one.
static uintptr_t task(mote_port_t *port) {
    static _Thread_local const char mark;
    (void)port;
    return (uintptr_t)&mark;
}

static void lock(mote_port_t *port) {
    pthread_mutex_lock(&posix_of(port)->mutex);
}

static void unlock(mote_port_t *port) {
    pthread_mutex_unlock(&posix_of(port)->mutex);
}

#ifdef MOTE_POSIX_MBEDTLS
#define SLOT_FUNCTIONS                                                                                                  \
    .ota_begin = mote_posix_ota_begin, .ota_write = mote_posix_ota_write, .ota_verify = mote_posix_ota_verify,         \
    .ota_commit = mote_posix_ota_commit, .ota_abort = mote_posix_ota_abort, .ota_boot_state = mote_posix_ota_boot_state, \
    .ota_confirm = mote_posix_ota_confirm,
#else
#define SLOT_FUNCTIONS
#endif

#define FUNCTIONS(bits)                                                                                     \
    .capabilities = (bits), .step = step, .wait = wait, .wake = wake, .net_open = mote_posix_net_open,      \
    .net_state = mote_posix_net_state, .net_send = mote_posix_net_send, .net_recv = mote_posix_net_recv,    \
    .net_close = mote_posix_net_close, .now_ms = mote_posix_now_ms, .unix_ms = mote_posix_unix_ms,          \
    .random_u32 = random_u32, .log = write_log, .lock = lock, .unlock = unlock, .task = task,               \
    .store_info = mote_posix_store_info,                                                                    \
    .store_read = mote_posix_store_read, .store_program = mote_posix_store_program,                         \
    .store_erase = mote_posix_store_erase, .store_sync = mote_posix_store_sync, SLOT_FUNCTIONS

static const mote_port_functions_t functions = {FUNCTIONS(0)};

#ifdef MOTE_POSIX_MBEDTLS
static const mote_port_functions_t functions_with_tls = {FUNCTIONS(MOTE_PORT_TLS)};

void mote_posix_use_tls(mote_posix_t *posix) {
    posix->port.functions = &functions_with_tls;
}
#endif

int32_t mote_posix_init(mote_posix_t *posix) {
    memset(posix, 0, sizeof *posix);
    posix->port.functions = &functions;
    posix->connections[0].socket = posix->connections[1].socket = -1;
    posix->store_directory = -1;
    pthread_mutex_init(&posix->mutex, NULL);
    posix->random_state = seed(posix);
    posix->resolver = mote_posix_resolver_new();
    return posix->resolver != NULL ? MOTE_STATUS_OK : MOTE_STATUS_NETWORK_FAILED;
}

void mote_posix_free(mote_posix_t *posix) {
    if (posix->resolver == NULL) return;
    while (step(&posix->port), mote_posix_lingers(posix)) wait(&posix->port, MOTE_POSIX_LINGER_MS, 0);
    for (int i = 0; i < 2; i++) {
        if (posix->connections[i].socket >= 0) close(posix->connections[i].socket);
    }
#ifdef MOTE_POSIX_MBEDTLS
    mote_posix_tls_free(posix->tls);
    mote_posix_slot_close(posix->slot);
#endif
    mote_posix_store_close(posix->store);
    if (posix->store_directory >= 0) close(posix->store_directory);
    mote_posix_resolver_t *resolver = posix->resolver;
    posix->resolver = NULL;
    mote_posix_resolver_free(resolver);
    pthread_mutex_destroy(&posix->mutex);
}
