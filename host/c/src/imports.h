// What the module may ask of the host, checked. Engines bind these under the names of ABI.md section 2.
#ifndef MOTE_IMPORTS_H
#define MOTE_IMPORTS_H

#include "mote.h"

// Imports that take i32 and return one: X(name, parameters). A module may have any of them or none.
#define MOTE_IMPORTS(X)  \
    X(net_open, 4)       \
    X(net_state, 1)      \
    X(net_send, 3)       \
    X(net_recv, 3)       \
    X(random_u32, 0)     \
    X(store_info, 2)     \
    X(store_read, 4)     \
    X(store_program, 4)  \
    X(store_erase, 2)    \
    X(store_sync, 1)     \
    X(ota_begin, 4)      \
    X(ota_write, 2)      \
    X(ota_verify, 3)     \
    X(ota_commit, 0)     \
    X(ota_abort, 0)      \
    X(ota_boot_state, 0) \
    X(ota_confirm, 0)

int32_t mote_import_net_open(mote_t *mote, uint32_t host, uint32_t host_length, uint32_t port_number, uint32_t flags);
int32_t mote_import_net_state(mote_t *mote, uint32_t handle);
int32_t mote_import_net_send(mote_t *mote, uint32_t handle, uint32_t from, uint32_t length);
int32_t mote_import_net_recv(mote_t *mote, uint32_t handle, uint32_t to, uint32_t capacity);
int32_t mote_import_random_u32(mote_t *mote);

int32_t mote_import_store_info(mote_t *mote, uint32_t area, uint32_t what);
int32_t mote_import_store_read(mote_t *mote, uint32_t area, uint32_t offset, uint32_t to, uint32_t length);
int32_t mote_import_store_program(mote_t *mote, uint32_t area, uint32_t offset, uint32_t from, uint32_t length);
int32_t mote_import_store_erase(mote_t *mote, uint32_t area, uint32_t offset);
int32_t mote_import_store_sync(mote_t *mote, uint32_t area);

int32_t mote_import_ota_begin(mote_t *mote, uint32_t kind, uint32_t size, uint32_t id, uint32_t id_length);
int32_t mote_import_ota_write(mote_t *mote, uint32_t from, uint32_t length);
int32_t mote_import_ota_verify(mote_t *mote, uint32_t algorithm, uint32_t hex, uint32_t length);
int32_t mote_import_ota_commit(mote_t *mote);
int32_t mote_import_ota_abort(mote_t *mote);
int32_t mote_import_ota_boot_state(mote_t *mote);
int32_t mote_import_ota_confirm(mote_t *mote);

// The others.
void mote_import_net_close(mote_t *mote, uint32_t handle);
int64_t mote_import_now_ms(mote_t *mote);
int64_t mote_import_unix_ms(mote_t *mote);
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
