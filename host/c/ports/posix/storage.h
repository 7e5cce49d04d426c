// Files of the POSIX port: the areas of the store, and the slot for an image.
#ifndef MOTE_POSIX_STORAGE_H
#define MOTE_POSIX_STORAGE_H

#include "mote_posix.h"

#define MOTE_POSIX_AREAS 3

// Opens, and makes where it is missing, a file for each area; a size of 0 means that there is none. `directory` is open, and
// locked so that two clients cannot share it. NULL when the files cannot be made or have another size.
struct mote_posix_store *mote_posix_store_open(int directory, const uint32_t sizes[MOTE_POSIX_AREAS]);
void mote_posix_store_close(struct mote_posix_store *store);

int32_t mote_posix_store_info(mote_port_t *port, uint32_t area, uint32_t what);
int32_t mote_posix_store_read(mote_port_t *port, uint32_t area, uint32_t offset, uint8_t *to, uint32_t length);
int32_t mote_posix_store_program(mote_port_t *port, uint32_t area, uint32_t offset, const uint8_t *from, uint32_t length);
int32_t mote_posix_store_erase(mote_port_t *port, uint32_t area, uint32_t offset);
int32_t mote_posix_store_sync(mote_port_t *port, uint32_t area);

// Does what was answered by 0. True when something may be asked again.
bool mote_posix_store_step(struct mote_posix_store *store);

// The slot lives in the folder `images` of the directory. Opening it stands for a boot of the device. NULL when the folder cannot
// be used.
struct mote_posix_slot *mote_posix_slot_open(int directory, uint32_t image_size_max);
void mote_posix_slot_close(struct mote_posix_slot *slot);

int32_t mote_posix_ota_begin(mote_port_t *port, uint32_t kind, uint32_t size, const uint8_t *id, uint32_t id_length);
int32_t mote_posix_ota_write(mote_port_t *port, const uint8_t *from, uint32_t length);
int32_t mote_posix_ota_verify(mote_port_t *port, uint32_t algorithm, const char *hex, uint32_t length);
int32_t mote_posix_ota_commit(mote_port_t *port);
int32_t mote_posix_ota_abort(mote_port_t *port);
int32_t mote_posix_ota_boot_state(mote_port_t *port);
int32_t mote_posix_ota_confirm(mote_port_t *port);
bool mote_posix_slot_step(struct mote_posix_slot *slot);

#endif
