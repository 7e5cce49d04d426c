// Brings a connection to its peer: the name is looked up, its addresses are tried, TLS shakes hands.
#include "connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "mote_abi.h"
#include "net.h"
#include "resolve.h"
#include "tls.h"

int32_t mote_posix_status_of(int error) {
    switch (error) {
    case ECONNREFUSED: return MOTE_STATUS_CONNECTION_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ETIMEDOUT: return MOTE_STATUS_UNREACHABLE;
    case ECONNRESET:
    case EPIPE: return MOTE_STATUS_CONNECTION_RESET;
    default: return MOTE_STATUS_NETWORK_FAILED;
    }
}

void mote_posix_close_socket(mote_posix_connection_t *connection) {
    if (connection->socket >= 0) close(connection->socket);
    connection->socket = -1;
}

static void enter(mote_posix_connection_t *connection, uint8_t phase) {
    connection->phase = phase;
    connection->progress = true;
}

static void fail(mote_posix_connection_t *connection, int32_t status) {
    mote_posix_close_socket(connection);
    connection->failure = status;
    connection->sending.count = 0;
    enter(connection, connection->handle == 0 ? FREE : BROKEN);
}

// ---------------------------------------------------------------------- TLS

#ifdef MOTE_POSIX_MBEDTLS
static void check_handshake(mote_posix_t *posix, mote_posix_connection_t *connection) {
    int32_t status = MOTE_STATUS_TLS_HANDSHAKE_FAILED;
    int result = mote_posix_tls_handshake(posix->tls, mote_posix_connection_index(posix, connection), &status);
    connection->tls_writes = result == MOTE_TLS_WANT_WRITE;
    if (result == 1) enter(connection, OPEN);
    if (result == MOTE_TLS_FAILED) fail(connection, status);
}

// Nobody is called before the time is known by which certificates are checked.
static bool awaits_time(mote_posix_t *posix, mote_posix_connection_t *connection) {
    if (!connection->secured || !mote_posix_tls_is_verified(posix->tls)) return false;
    if (posix->port.functions->unix_ms(&posix->port) != 0) return false;
    if (mote_posix_now_ms(&posix->port) >= connection->deadline_ms) fail(connection, MOTE_STATUS_TIME_UNKNOWN);
    return true;
}

static void secure(mote_posix_t *posix, mote_posix_connection_t *connection) {
    int32_t status = mote_posix_tls_begin(posix->tls, mote_posix_connection_index(posix, connection), connection->socket, posix->host);
    if (status < 0) {
        fail(connection, status);
    } else {
        connection->phase = HANDSHAKING;
    }
}
#else // no connection is ever secured
#define check_handshake(posix, connection) ((void)0)
#define awaits_time(posix, connection) (false)
#define secure(posix, connection) ((void)0)
#endif

// ---------------------------------------------------------------------- TCP

static void connected(mote_posix_t *posix, mote_posix_connection_t *connection) {
    (void)posix;
    if (connection->secured) {
        secure(posix, connection);
    } else {
        enter(connection, OPEN);
    }
}

static int begin_connect(mote_posix_connection_t *connection, const mote_posix_address_t *address) {
    connection->socket = socket(address->address.ss_family, SOCK_STREAM, 0);
    if (connection->socket < 0) return errno;
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    fcntl(connection->socket, F_SETFD, FD_CLOEXEC);
    const int one = 1;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
#ifdef SO_NOSIGPIPE
    setsockopt(connection->socket, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#endif
    if (connect(connection->socket, (const struct sockaddr *)&address->address, address->length) == 0) return 0;
    return errno;
}

// Tries addresses until one is on its way; the failure of the last one is the connection's.
static void connect_next(mote_posix_t *posix, mote_posix_connection_t *connection, int error) {
    while (connection->address_next < connection->address_count) {
        mote_posix_close_socket(connection);
        error = begin_connect(connection, &connection->addresses[connection->address_next++]);
        if (error == 0) {
            connected(posix, connection);
            return;
        }
        if (error == EINPROGRESS) {
            connection->deadline_ms = mote_posix_now_ms(&posix->port) + MOTE_POSIX_ADDRESS_MS;
            connection->phase = CONNECTING;
            return;
        }
    }
    fail(connection, mote_posix_status_of(error));
}

static void check_connect(mote_posix_t *posix, mote_posix_connection_t *connection) {
    struct pollfd descriptor = {.fd = connection->socket, .events = POLLOUT};
    if (poll(&descriptor, 1, 0) > 0) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error == 0) {
            connected(posix, connection);
        } else {
            connect_next(posix, connection, error);
        }
    } else if (connection->address_next < connection->address_count &&
               mote_posix_now_ms(&posix->port) >= connection->deadline_ms) {
        connect_next(posix, connection, ETIMEDOUT);
    }
}

static void check_resolved(mote_posix_t *posix, mote_posix_connection_t *connection) {
    int result = mote_posix_resolved(posix->resolver, connection->addresses, &connection->address_count);
    if (result == MOTE_RESOLVE_BUSY) return;
    if (connection->address_count == 0) {
        fail(connection, MOTE_STATUS_DNS_FAILED);
    } else {
        connect_next(posix, connection, 0);
    }
}

static void begin_resolve(mote_posix_t *posix, mote_posix_connection_t *connection) {
    connection->address_count = mote_posix_resolve_number(posix->host, connection->port_number, connection->addresses);
    if (connection->address_count > 0) {
        connect_next(posix, connection, 0);
    } else if (mote_posix_resolve(posix->resolver, posix->host, connection->port_number)) {
        connection->phase = RESOLVING; // else the look-up for an earlier connection still runs
    }
}

void mote_posix_connect_step(mote_posix_t *posix, mote_posix_connection_t *connection) {
    if (connection->phase == ASKED && !awaits_time(posix, connection)) begin_resolve(posix, connection);
    if (connection->phase == RESOLVING) check_resolved(posix, connection);
    if (connection->phase == CONNECTING) check_connect(posix, connection);
    if (connection->phase == HANDSHAKING) check_handshake(posix, connection);
}
