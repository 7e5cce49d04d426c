// Sockets that do not block. Calls of the module only touch rings and flags; mote_posix_step() does what they ask for.
#include "net.h"

#include <errno.h>

#include "connect.h"
#include "mote_abi.h"
#include "tls.h"

#define CLOCK_CHECK_MS 100

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

static mote_posix_t *posix_of(mote_port_t *port) {
    return (mote_posix_t *)(void *)port;
}

static mote_posix_connection_t *find(mote_posix_t *posix, int32_t handle) {
    for (int i = 0; i < 2; i++) {
        if (handle > 0 && posix->connections[i].handle == handle) return &posix->connections[i];
    }
    return NULL;
}

// ------------------------------------------------------------ read and write

#ifdef MOTE_POSIX_MBEDTLS
// As sendmsg() and readv() of one piece: bytes, 0 = the peer closed, or -1 and errno.
static ssize_t tls_transfer(mote_posix_t *posix, mote_posix_connection_t *connection, const struct iovec *piece, bool writing) {
    int index = mote_posix_connection_index(posix, connection);
    uint32_t length = (uint32_t)piece->iov_len;
    int result = writing ? mote_posix_tls_write(posix->tls, index, piece->iov_base, length)
                         : mote_posix_tls_read(posix->tls, index, piece->iov_base, length);
    connection->tls_writes = result == MOTE_TLS_WANT_WRITE;
    if (result > 0) return result;
    errno = result == MOTE_TLS_WANT_READ || result == MOTE_TLS_WANT_WRITE ? EAGAIN : ECONNRESET;
    return result == MOTE_TLS_CLOSED && !writing ? 0 : -1;
}

static void tell_end(mote_posix_t *posix, mote_posix_connection_t *connection) {
    if (connection->secured) mote_posix_tls_end(posix->tls, mote_posix_connection_index(posix, connection));
}
#else // no connection is ever secured
#define tls_transfer(posix, connection, piece, writing) ((void)(posix), (ssize_t)-1)
#define tell_end(posix, connection) ((void)0)
#endif

static void write_ring(mote_posix_t *posix, mote_posix_connection_t *connection) {
    while (connection->sending.count > 0) {
        struct iovec pieces[2];
        struct msghdr message = {.msg_iov = pieces};
        message.msg_iovlen = (size_t)mote_ring_pieces(&connection->sending, 0, connection->sending.count, pieces);
        ssize_t written = connection->secured ? tls_transfer(posix, connection, pieces, true)
                                              : sendmsg(connection->socket, &message, MSG_NOSIGNAL);
        if (written > 0) {
            mote_ring_drop(&connection->sending, (uint32_t)written);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            connection->failure = mote_posix_status_of(errno);
            connection->sending.count = 0;
            connection->progress = true;
        }
    }
}

// A piece for each read: the bytes that were read before a failure still belong to the module.
static void read_ring(mote_posix_t *posix, mote_posix_connection_t *connection) {
    while (!connection->peer_closed && mote_ring_room(&connection->received) > 0) {
        struct iovec pieces[2];
        uint32_t room = mote_ring_room(&connection->received);
        int count = mote_ring_pieces(&connection->received, connection->received.count, room, pieces);
        ssize_t length = connection->secured ? tls_transfer(posix, connection, pieces, false)
                                             : readv(connection->socket, pieces, count);
        if (length > 0) {
            connection->received.count += (uint32_t)length;
            if ((uint32_t)length < room && !connection->secured) return; // TLS may hold more than the socket
        } else if (length == 0) {
            connection->peer_closed = true;
            connection->progress = true;
            if (connection->failure == 0) connection->failure = MOTE_STATUS_CONNECTION_CLOSED;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            connection->peer_closed = true;
            connection->progress = true;
            connection->failure = mote_posix_status_of(errno);
        }
    }
}

// Writes what was accepted, says so to the peer, and hears it out: closing with unread bytes would reset the connection
// and could take a DISCONNECT with it.
static void linger(mote_posix_t *posix, mote_posix_connection_t *connection) {
    write_ring(posix, connection);
    if (connection->sending.count == 0 && !connection->shut) {
        connection->shut = true;
        tell_end(posix, connection);
        shutdown(connection->socket, SHUT_WR);
    }
    connection->received.count = 0;
    read_ring(posix, connection);
    if (connection->peer_closed || mote_posix_now_ms(&posix->port) >= connection->deadline_ms) {
        mote_posix_close_socket(connection);
        connection->phase = FREE;
    }
}

void mote_posix_net_step(mote_posix_t *posix) {
    for (int i = 0; i < 2; i++) {
        mote_posix_connection_t *connection = &posix->connections[i];
        mote_posix_connect_step(posix, connection);
        if (connection->phase == OPEN) {
            write_ring(posix, connection);
            read_ring(posix, connection);
        }
        if (connection->phase == LINGERING) linger(posix, connection);
    }
}

// --------------------------------------------------- what the module may call

int32_t mote_posix_net_open(mote_port_t *port, const char *host, uint32_t host_length, uint32_t port_number, uint32_t flags) {
    mote_posix_t *posix = posix_of(port);
    bool secured = (flags & MOTE_NET_FLAG_TLS) != 0;
    if (secured && posix->tls == NULL) return MOTE_STATUS_TLS_UNSUPPORTED;
    if (host_length == 0 || host_length >= sizeof posix->host) return MOTE_STATUS_INVALID_VALUE;
    mote_posix_connection_t *connection = NULL;
    for (int i = 0; i < 2; i++) {
        mote_posix_connection_t *each = &posix->connections[i];
        if (each->phase == FREE) connection = each;
    }
    if (connection == NULL) {
        // One is in use by nobody but its peer: it has to make room.
        for (int i = 0; i < 2; i++) {
            if (posix->connections[i].phase == LINGERING) connection = &posix->connections[i];
        }
    }
    if (connection == NULL) return MOTE_STATUS_FULL;
    mote_posix_close_socket(connection);
    memcpy(posix->host, host, host_length);
    posix->host[host_length] = 0;
    posix->handle_last = posix->handle_last == INT32_MAX ? 1 : posix->handle_last + 1;
    connection->handle = posix->handle_last;
    connection->phase = ASKED;
    connection->deadline_ms = mote_posix_now_ms(port) + posix->time_wait_ms;
    connection->peer_closed = connection->shut = connection->progress = connection->blocked = connection->tls_writes = false;
    connection->secured = secured;
    connection->failure = 0;
    connection->port_number = (uint16_t)port_number;
    connection->address_count = connection->address_next = 0;
    connection->sending.begin = connection->sending.count = 0;
    connection->received.begin = connection->received.count = 0;
    return connection->handle;
}

int32_t mote_posix_net_state(mote_port_t *port, int32_t handle) {
    mote_posix_connection_t *connection = find(posix_of(port), handle);
    if (connection == NULL) return MOTE_STATUS_INVALID_VALUE;
    connection->progress = false;
    if (connection->failure != 0 && connection->received.count == 0) return connection->failure;
    if (connection->phase < OPEN) return MOTE_NET_STATE_CONNECTING;
    return connection->sending.count > 0 ? MOTE_NET_STATE_FLUSHING : MOTE_NET_STATE_OPEN;
}

int32_t mote_posix_net_send(mote_port_t *port, int32_t handle, const uint8_t *from, uint32_t length) {
    mote_posix_connection_t *connection = find(posix_of(port), handle);
    if (connection == NULL) return MOTE_STATUS_INVALID_VALUE;
    if (connection->failure != 0 && connection->failure != MOTE_STATUS_CONNECTION_CLOSED) return connection->failure;
    if (connection->phase < OPEN) return 0;
    uint32_t taken = mote_ring_put(&connection->sending, from, length);
    connection->blocked = taken < length;
    return (int32_t)taken;
}

int32_t mote_posix_net_recv(mote_port_t *port, int32_t handle, uint8_t *to, uint32_t capacity) {
    mote_posix_connection_t *connection = find(posix_of(port), handle);
    if (connection == NULL) return MOTE_STATUS_INVALID_VALUE;
    if (connection->received.count > 0) return (int32_t)mote_ring_take(&connection->received, to, capacity);
    connection->progress = false;
    return connection->failure;
}

void mote_posix_net_close(mote_port_t *port, int32_t handle) {
    mote_posix_connection_t *connection = find(posix_of(port), handle);
    if (connection == NULL) return;
    connection->handle = 0;
    connection->progress = connection->blocked = false;
    if (connection->phase == OPEN && !connection->peer_closed) {
        connection->deadline_ms = mote_posix_now_ms(port) + MOTE_POSIX_LINGER_MS;
        connection->phase = LINGERING;
    } else {
        mote_posix_close_socket(connection);
        connection->phase = FREE;
    }
}

// ----------------------------------------------------------------- for wait

bool mote_posix_is_ready(const mote_posix_t *posix, uint32_t wants) {
    for (int i = 0; i < 2; i++) {
        const mote_posix_connection_t *connection = &posix->connections[i];
        if (connection->handle == 0) continue;
        bool readable = connection->received.count > 0 || connection->progress;
        if ((wants & MOTE_WANT_READABLE) != 0 && readable) return true;
        if ((wants & MOTE_WANT_WORK) != 0 && connection->progress) return true;
        bool writable = connection->blocked && mote_ring_room(&connection->sending) > 0;
        if ((wants & MOTE_WANT_WRITABLE) != 0 && writable) return true;
    }
    return false;
}

nfds_t mote_posix_watch(mote_posix_t *posix, struct pollfd *out_descriptors, int64_t *ref_timeout_ms) {
    nfds_t count = 0;
    for (int i = 0; i < 2; i++) {
        mote_posix_connection_t *connection = &posix->connections[i];
        bool timed = connection->phase == LINGERING ||
                     (connection->phase == CONNECTING && connection->address_next < connection->address_count);
        if (timed) {
            int64_t left_ms = connection->deadline_ms - mote_posix_now_ms(&posix->port);
            if (left_ms < *ref_timeout_ms) *ref_timeout_ms = left_ms < 0 ? 0 : left_ms;
        }
        // Nothing tells that the clock was set.
        if (connection->phase == ASKED && *ref_timeout_ms > CLOCK_CHECK_MS) *ref_timeout_ms = CLOCK_CHECK_MS;
        if (connection->socket < 0) continue;
        short events = 0;
        if (connection->phase == CONNECTING || connection->tls_writes) events |= POLLOUT;
        if (connection->phase >= OPEN && connection->sending.count > 0) events |= POLLOUT;
        if (connection->phase == HANDSHAKING && !connection->tls_writes) events |= POLLIN;
        if (connection->phase >= OPEN && !connection->peer_closed && mote_ring_room(&connection->received) > 0) events |= POLLIN;
        if (events != 0) out_descriptors[count++] = (struct pollfd){.fd = connection->socket, .events = events};
    }
    return count;
}

bool mote_posix_lingers(const mote_posix_t *posix) {
    return posix->connections[0].phase == LINGERING || posix->connections[1].phase == LINGERING;
}
