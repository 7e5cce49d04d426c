// What the module may ask of the host, checked. Engines bind these under the names of ABI.md section 2.
#ifndef MOTE_IMPORTS_H
#define MOTE_IMPORTS_H

#include "mote.h"

int32_t mote_import_net_open(mote_t *mote, uint32_t host, uint32_t host_length, uint32_t port_number, uint32_t flags);
int32_t mote_import_net_state(mote_t *mote, uint32_t handle);
int32_t mote_import_net_send(mote_t *mote, uint32_t handle, uint32_t from, uint32_t length);
int32_t mote_import_net_recv(mote_t *mote, uint32_t handle, uint32_t to, uint32_t capacity);
void mote_import_net_close(mote_t *mote, uint32_t handle);
int64_t mote_import_now_ms(mote_t *mote);
int64_t mote_import_unix_ms(mote_t *mote);
int32_t mote_import_random_u32(mote_t *mote);
void mote_import_log(mote_t *mote, uint32_t level, uint32_t text, uint32_t length);

// Tests let the next import trap, as no shipped module can be made to.
#ifdef MOTE_TEST_HOOKS
static inline bool mote_import_traps(mote_t *mote) {
    bool traps = mote->trap_next;
    mote->trap_next = false;
    return traps;
}
#else
static inline bool mote_import_traps(mote_t *mote) {
    (void)mote;
    return false;
}
#endif

#endif
