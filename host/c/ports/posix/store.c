// The areas of the store as files that behave as NOR flash does, mapped into memory: programming clears bits, erasing sets those
// of a unit. The page cache takes each change at once; store_sync() waits for the disk.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mote_abi.h"
#include "storage.h"

#define ERASE_SIZE 4096
#define PROGRAM_SIZE 4
#define ERASED 0xff

static const char *const names[MOTE_POSIX_AREAS] = {"journal.flash", "queue.flash", "database.flash"};

typedef struct area {
    uint8_t *bytes; // NULL = absent
    uint32_t size;
    bool changed, asked, failed;
} area_t;

struct mote_posix_store {
    area_t areas[MOTE_POSIX_AREAS];
};

// A hole in a file would read as programmed, and a full disk would show only later: so every byte is written once.
static bool fill(int file, off_t from, off_t to) {
    uint8_t erased[ERASE_SIZE];
    memset(erased, ERASED, sizeof erased);
    while (from < to) {
        size_t length = to - from < ERASE_SIZE ? (size_t)(to - from) : ERASE_SIZE;
        ssize_t written = pwrite(file, erased, length, from);
        if (written <= 0 && errno != EINTR) return false;
        if (written > 0) from += written;
    }
    return true;
}

static bool open_area(area_t *area, int directory, const char *name, uint32_t size) {
    int file = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return false;
    struct stat status;
    bool usable = fchmod(file, 0600) == 0 && fstat(file, &status) == 0 && status.st_size <= (off_t)size &&
                  fill(file, status.st_size, (off_t)size) && fsync(file) == 0;
    void *bytes = usable ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    close(file);
    if (bytes == MAP_FAILED) return false;
    area->bytes = bytes;
    area->size = size;
    return true;
}

struct mote_posix_store *mote_posix_store_open(int directory, const uint32_t sizes[MOTE_POSIX_AREAS]) {
    struct mote_posix_store *store = calloc(1, sizeof *store);
    if (store == NULL) return NULL;
    for (int i = 0; i < MOTE_POSIX_AREAS; i++) {
        if (sizes[i] == 0) continue;
        if (sizes[i] % ERASE_SIZE != 0 || !open_area(&store->areas[i], directory, names[i], sizes[i])) {
            mote_posix_store_close(store);
            return NULL;
        }
    }
    if (fsync(directory) != 0) { // a file that was made is there after a power cut once its folder is
        mote_posix_store_close(store);
        return NULL;
    }
    return store;
}

void mote_posix_store_close(struct mote_posix_store *store) {
    if (store == NULL) return;
    for (int i = 0; i < MOTE_POSIX_AREAS; i++) {
        if (store->areas[i].bytes != NULL) munmap(store->areas[i].bytes, store->areas[i].size);
    }
    free(store);
}

// Mote asks only for areas that exist, and for bytes inside them.
static area_t *area_of(mote_port_t *port, uint32_t area) {
    struct mote_posix_store *store = ((mote_posix_t *)(void *)port)->store;
    return store != NULL ? &store->areas[area] : NULL;
}

int32_t mote_posix_store_info(mote_port_t *port, uint32_t area, uint32_t what) {
    if (what == MOTE_STORE_INFO_ERASE_SIZE) return ERASE_SIZE;
    if (what == MOTE_STORE_INFO_PROGRAM_SIZE) return PROGRAM_SIZE;
    const area_t *each = area_of(port, area);
    return each != NULL ? (int32_t)each->size : 0;
}

int32_t mote_posix_store_read(mote_port_t *port, uint32_t area, uint32_t offset, uint8_t *to, uint32_t length) {
    memcpy(to, area_of(port, area)->bytes + offset, length);
    return (int32_t)length;
}

int32_t mote_posix_store_program(mote_port_t *port, uint32_t area, uint32_t offset, const uint8_t *from, uint32_t length) {
    area_t *each = area_of(port, area);
    each->changed = true;
    for (uint32_t i = 0; i < length; i++) each->bytes[offset + i] &= from[i];
    return (int32_t)length;
}

int32_t mote_posix_store_erase(mote_port_t *port, uint32_t area, uint32_t offset) {
    area_t *each = area_of(port, area);
    each->changed = true;
    memset(each->bytes + offset, ERASED, ERASE_SIZE);
    return ERASE_SIZE;
}

int32_t mote_posix_store_sync(mote_port_t *port, uint32_t area) {
    area_t *each = area_of(port, area);
    if (each->failed) {
        each->failed = false;
        return MOTE_STATUS_STORE_FAILED;
    }
    each->asked = each->changed;
    return each->changed ? 0 : 1;
}

bool mote_posix_store_step(struct mote_posix_store *store) {
    bool worked = false;
    for (int i = 0; store != NULL && i < MOTE_POSIX_AREAS; i++) {
        area_t *area = &store->areas[i];
        if (!area->asked) continue;
        area->asked = false;
        area->failed = msync(area->bytes, area->size, MS_SYNC) != 0;
        area->changed = area->failed;
        worked = true;
    }
    return worked;
}
