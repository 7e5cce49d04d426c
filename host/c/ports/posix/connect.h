// What a connection of the POSIX port goes through until bytes flow.
#ifndef MOTE_POSIX_CONNECT_H
#define MOTE_POSIX_CONNECT_H

#include "mote_posix.h"

// Phases of a connection, in the order of its life.
enum { FREE, ASKED, RESOLVING, CONNECTING, HANDSHAKING, OPEN, BROKEN, LINGERING };

// Goes on with a connection that is not open yet, as far as that goes without waiting.
void mote_posix_connect_step(mote_posix_t *posix, mote_posix_connection_t *connection);

void mote_posix_close_socket(mote_posix_connection_t *connection);

// The status for an errno of the network.
int32_t mote_posix_status_of(int error);

// Its slot of TLS, 0 or 1.
static inline int mote_posix_connection_index(const mote_posix_t *posix, const mote_posix_connection_t *connection) {
    return (int)(connection - posix->connections);
}

#endif
