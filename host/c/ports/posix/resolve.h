// Resolves one name at a time in a thread, because getaddrinfo() blocks.
#ifndef MOTE_POSIX_RESOLVE_H
#define MOTE_POSIX_RESOLVE_H

#include "mote_posix.h"

typedef struct mote_posix_resolver mote_posix_resolver_t;

enum { MOTE_RESOLVE_BUSY = 0, MOTE_RESOLVE_DONE = 1 };

// NULL when the system has no memory or descriptors.
mote_posix_resolver_t *mote_posix_resolver_new(void);

// A thread that still runs keeps the resolver and frees it later.
void mote_posix_resolver_free(mote_posix_resolver_t *resolver);

// Begins a look-up; false while an earlier one is still running.
bool mote_posix_resolve(mote_posix_resolver_t *resolver, const char *host, uint16_t port_number);

// Done when the look-up ended; the addresses are copied, none when it failed.
int mote_posix_resolved(mote_posix_resolver_t *resolver, mote_posix_address_t *out_addresses, uint32_t *out_count);

// Numbers need no thread. Returns how many addresses were written, 0 for a name.
uint32_t mote_posix_resolve_number(const char *host, uint16_t port_number, mote_posix_address_t *out_addresses);

// The pipe that ends a poll(2): from the resolver's thread, other tasks and signals.
int mote_posix_wake_descriptor(const mote_posix_resolver_t *resolver);
void mote_posix_wake(mote_posix_resolver_t *resolver);
void mote_posix_wake_clear(mote_posix_resolver_t *resolver);

#endif
