// Connections of the POSIX port.
#ifndef MOTE_POSIX_NET_H
#define MOTE_POSIX_NET_H

#include <poll.h>

#include "mote_posix.h"

int64_t mote_posix_now_ms(mote_port_t *port);
int64_t mote_posix_unix_ms(mote_port_t *port);

void mote_posix_net_step(mote_posix_t *posix);
int32_t mote_posix_net_open(mote_port_t *port, const char *host, uint32_t host_length, uint32_t port_number, uint32_t flags);
int32_t mote_posix_net_state(mote_port_t *port, int32_t handle);
int32_t mote_posix_net_send(mote_port_t *port, int32_t handle, const uint8_t *from, uint32_t length);
int32_t mote_posix_net_recv(mote_port_t *port, int32_t handle, uint8_t *to, uint32_t capacity);
void mote_posix_net_close(mote_port_t *port, int32_t handle);

// True when the module has something to do that it may not know of yet.
bool mote_posix_is_ready(const mote_posix_t *posix, uint32_t wants);

// Fills in what to poll(2) for and shortens the timeout to the next deadline of a connection. Returns the count.
nfds_t mote_posix_watch(mote_posix_t *posix, struct pollfd *out_descriptors, int64_t *ref_timeout_ms);

// From now on the port says that it can do TLS.
void mote_posix_use_tls(mote_posix_t *posix);

// True while a closed connection still writes.
bool mote_posix_lingers(const mote_posix_t *posix);

#endif
