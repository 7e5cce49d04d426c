/*
 * mote_posix.h - a port for Linux and other POSIX systems: sockets that do not block, names resolved in a thread, TLS, and
 * files for what must outlive the process.
 *
 *   static mote_posix_t port;
 *   mote_posix_init(&port);
 *   mote_posix_configure(&port, config, strlen(config), ".");
 *   options.port = &port.port;
 *
 * The record belongs to the caller and stays where it is until mote_posix_free(). mote_posix_init() and mote_posix_configure()
 * allocate; nothing is allocated later, except by the system's own getaddrinfo() and thread, and by mbedTLS for the length of a
 * handshake.
 */
#ifndef MOTE_POSIX_H
#define MOTE_POSIX_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
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
    bool secured;       /* bytes go through TLS */
    bool tls_writes;    /* TLS waits until the socket takes bytes */
    int32_t failure; /* status once it has failed */
    uint16_t port_number;
    uint32_t address_count, address_next;
    int64_t deadline_ms; /* of waiting for the time, of this address, or of lingering */
    mote_posix_address_t addresses[MOTE_POSIX_ADDRESSES_MAX];
    mote_ring_t sending, received;
} mote_posix_connection_t;

typedef struct mote_posix {
    mote_port_t port;
    struct mote_posix_resolver *resolver;
    struct mote_posix_tls *tls;     /* NULL = `tls` is not configured */
    struct mote_posix_store *store; /* NULL = no store directory */
    struct mote_posix_slot *slot;
    int store_directory;            /* -1 = none */
    const char *fault;
    char unknown_key[64];           /* what `fault` points to where the configuration has such a key */
    uint32_t time_wait_ms;          /* how long a connection waits for the time of day */
    bool worked;                    /* the store or the slot has something to tell */
    pthread_mutex_t mutex;          /* of the posts */
    char host[256];
    int32_t handle_last;
    uint64_t random_state;
    mote_posix_connection_t connections[2]; /* one in use while another lingers */
} mote_posix_t;

/* Ok, or NetworkFailed when the system has no memory or descriptors. */
int32_t mote_posix_init(mote_posix_t *posix);

/* Reads what the configuration says to the port; call it before mote_init() and keep the answer of either. Relative names of files
 * begin at `base_directory`.
 *
 *   tls   ca, certificate, key: PEM, or the name of a PEM file; server_name: the name to check instead of mqtt_host; verify: false
 *         accepts any certificate. Without `ca` the system's authorities are trusted. Without mbedTLS: TlsUnsupported.
 *         time_wait_s, 0 to 4095 (60): how long a connection waits for the time of day, before which no certificate can be verified,
 *         but less than connect_timeout_s; then it fails as TimeUnknown.
 *   host  store_directory: a folder for the store and images, for this client alone, made if it is missing, as are those above it;
 *         without it there is no store and no updates. journal_size (16384), queue_size (65536), database_size (0): bytes of each
 *         area, multiples of 4096. image_size (2147483647): the largest image. Without mbedTLS there is no slot for images.
 *
 * On failure mote_posix_fault() names the key, and StoreFailed says that the folder is in use or cannot be written. */
int32_t mote_posix_configure(mote_posix_t *posix, const char *config, size_t config_length, const char *base_directory);

/* The key that mote_posix_configure() refused; "" when it did not. */
const char *mote_posix_fault(const mote_posix_t *posix);

/* Lets closed connections finish, for at most a second, and gives everything back. */
void mote_posix_free(mote_posix_t *posix);

#ifdef __cplusplus
}
#endif
#endif
