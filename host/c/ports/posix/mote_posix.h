/*
 * mote_posix.h - a port for Linux and other POSIX systems: sockets that do not block, names resolved in a thread.
 *
 *   static mote_posix_t port;
 *   mote_posix_init(&port);
 *   options.port = &port.port;
 *
 * The record belongs to the caller and stays where it is until mote_posix_free(). mote_posix_init() allocates a resolver
 * and a pipe; nothing is allocated later, except by the system's own getaddrinfo() and thread.
 */
#ifndef MOTE_POSIX_H
#define MOTE_POSIX_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "mote_port.h"
#include "ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Addresses of one name that are tried, in the order of the resolver. */
#define MOTE_POSIX_ADDRESSES_MAX 8

/* How long one address may take while others are left. */
#define MOTE_POSIX_ADDRESS_MS 3000

/* How long a closed connection may still write and hear the peer out. */
#define MOTE_POSIX_LINGER_MS 1000

typedef struct mote_posix_address {
    socklen_t length;
    struct sockaddr_storage address;
} mote_posix_address_t;

typedef struct mote_posix_connection {
    int32_t handle; /* 0 = not the module's */
    int socket;     /* -1 = none */
    uint8_t phase;
    bool peer_closed, shut, progress, blocked;
    int32_t failure; /* status once it has failed */
    uint16_t port_number;
    uint32_t address_count, address_next;
    int64_t deadline_ms; /* of this address, or of lingering */
    mote_posix_address_t addresses[MOTE_POSIX_ADDRESSES_MAX];
    mote_ring_t sending, received;
} mote_posix_connection_t;

typedef struct mote_posix {
    mote_port_t port;
    struct mote_posix_resolver *resolver;
    char host[256];
    int32_t handle_last;
    uint64_t random_state;
    mote_posix_connection_t connections[2]; /* one in use while another lingers */
} mote_posix_t;

/* Ok, or NetworkFailed when the system has no memory or descriptors. */
int32_t mote_posix_init(mote_posix_t *posix);

/* Lets closed connections finish, for at most a second, and gives everything back. */
void mote_posix_free(mote_posix_t *posix);

#ifdef __cplusplus
}
#endif
#endif
