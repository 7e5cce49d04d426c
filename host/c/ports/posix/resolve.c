// The resolver outlives its port when a look-up hangs: both hold a reference, and whoever lets go last frees it.
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { IDLE, RUNNING, DONE };

struct mote_posix_resolver {
    atomic_int references;
    atomic_int state;
    int pipe[2];
    char host[256];
    uint16_t port_number;
    uint32_t count;
    mote_posix_address_t addresses[MOTE_POSIX_ADDRESSES_MAX];
};

static uint32_t look_up(const char *host, uint16_t port_number, int flags, mote_posix_address_t *out_addresses) {
    char service[8];
    snprintf(service, sizeof service, "%u", port_number);
    struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, service, &hints, &list) != 0) return 0;
    uint32_t count = 0;
    for (struct addrinfo *each = list; each != NULL && count < MOTE_POSIX_ADDRESSES_MAX; each = each->ai_next) {
        if (each->ai_addrlen > sizeof out_addresses->address) continue;
        out_addresses[count].length = each->ai_addrlen;
        memcpy(&out_addresses[count++].address, each->ai_addr, each->ai_addrlen);
    }
    freeaddrinfo(list);
    return count;
}

uint32_t mote_posix_resolve_number(const char *host, uint16_t port_number, mote_posix_address_t *out_addresses) {
    return look_up(host, port_number, AI_NUMERICHOST, out_addresses);
}

mote_posix_resolver_t *mote_posix_resolver_new(void) {
    mote_posix_resolver_t *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL) return NULL;
    if (pipe(resolver->pipe) != 0) {
        free(resolver);
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(resolver->pipe[i], F_SETFL, O_NONBLOCK);
        fcntl(resolver->pipe[i], F_SETFD, FD_CLOEXEC);
    }
    atomic_init(&resolver->references, 1);
    atomic_init(&resolver->state, IDLE);
    return resolver;
}

static void release(mote_posix_resolver_t *resolver) {
    if (atomic_fetch_sub(&resolver->references, 1) != 1) return;
    close(resolver->pipe[0]);
    close(resolver->pipe[1]);
    free(resolver);
}

void mote_posix_resolver_free(mote_posix_resolver_t *resolver) {
    release(resolver);
}

static void *run(void *argument) {
    mote_posix_resolver_t *resolver = argument;
    resolver->count = look_up(resolver->host, resolver->port_number, AI_ADDRCONFIG, resolver->addresses);
    // A machine whose only network is the loopback has no configured family, and still has a localhost.
    if (resolver->count == 0) resolver->count = look_up(resolver->host, resolver->port_number, 0, resolver->addresses);
    atomic_store(&resolver->state, DONE);
    mote_posix_wake(resolver);
    release(resolver);
    return NULL;
}

bool mote_posix_resolve(mote_posix_resolver_t *resolver, const char *host, uint16_t port_number) {
    if (atomic_load(&resolver->state) == RUNNING) return false;
    snprintf(resolver->host, sizeof resolver->host, "%s", host);
    resolver->port_number = port_number;
    resolver->count = 0;
    atomic_store(&resolver->state, RUNNING);
    atomic_fetch_add(&resolver->references, 1);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, resolver) == 0) {
        pthread_detach(thread);
    } else {
        atomic_fetch_sub(&resolver->references, 1);
        atomic_store(&resolver->state, DONE);
    }
    return true;
}

int mote_posix_resolved(mote_posix_resolver_t *resolver, mote_posix_address_t *out_addresses, uint32_t *out_count) {
    if (atomic_load(&resolver->state) != DONE) return MOTE_RESOLVE_BUSY;
    memcpy(out_addresses, resolver->addresses, sizeof resolver->addresses);
    *out_count = resolver->count;
    atomic_store(&resolver->state, IDLE);
    return MOTE_RESOLVE_DONE;
}

int mote_posix_wake_descriptor(const mote_posix_resolver_t *resolver) {
    return resolver->pipe[0];
}

void mote_posix_wake(mote_posix_resolver_t *resolver) {
    int kept = errno; // a signal handler must not change it
    ssize_t written = write(resolver->pipe[1], "", 1);
    (void)written; // a full pipe wakes as well
    errno = kept;
}

void mote_posix_wake_clear(mote_posix_resolver_t *resolver) {
    char bytes[16];
    while (read(resolver->pipe[0], bytes, sizeof bytes) > 0) continue;
}
