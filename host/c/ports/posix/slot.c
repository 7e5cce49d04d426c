// The slot for an image, in files, with the boot of a device in miniature.
//
//   firmware.image, software.image   what was committed
//   firmware-<digest>.part           an image while it is written: the digest is of its size and id, and the length of the file
//                                    is how far it has come, so the file is its own journal
//   firmware.previous                what boots again when new firmware is not confirmed
//   boot                             confirmed, committed, on trial, rolled back
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checksum.h"
#include "mote_abi.h"
#include "storage.h"

#define NAME_MAX_BYTES 64
#define DIGEST_BYTES 16

static const char *const kinds[] = {"firmware", "software"};

enum { JOB_NONE, JOB_VERIFY, JOB_COMMIT };

struct mote_posix_slot {
    int directory;
    uint32_t image_size_max;
    uint32_t kind, size, offset; // size 0 = no image is open
    int part;
    char part_name[NAME_MAX_BYTES];
    int job;
    int32_t result; // of the job, 0 = not done
    char expected[MOTE_CHECKSUM_HEX_MAX];
    uint32_t expected_length;
    mote_checksum_t checksum;
    int32_t boot_state;
};

static struct mote_posix_slot *slot_of(mote_port_t *port) {
    return ((mote_posix_t *)(void *)port)->slot;
}

static bool write_whole(int file, const void *bytes, size_t length) {
    for (const char *from = bytes; length > 0;) {
        ssize_t written = write(file, from, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        from += written;
        length -= (size_t)written;
    }
    return true;
}

// ----------------------------------------------------------------------- boot

static bool set_boot(struct mote_posix_slot *slot, const char *boot) {
    int file = openat(slot->directory, "boot.next", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return false;
    bool written = write_whole(file, boot, strlen(boot)) && write_whole(file, "\n", 1) && fsync(file) == 0;
    close(file);
    return written && renameat(slot->directory, "boot.next", slot->directory, "boot") == 0 && fsync(slot->directory) == 0;
}

static bool boot_is(const char *text, const char *boot) {
    return strncmp(text, boot, strlen(boot)) == 0;
}

// Firmware runs on trial once; without confirmation the next boot takes the one before it. StoreFailed when that cannot be noted, or each boot would be
// a first trial.
static int32_t boot(struct mote_posix_slot *slot) {
    char text[32] = "confirmed";
    int file = openat(slot->directory, "boot", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file >= 0) {
        ssize_t length = read(file, text, sizeof text - 1);
        text[length > 0 ? length : 0] = 0;
        close(file);
    }
    if (boot_is(text, "committed")) return set_boot(slot, "on trial") ? MOTE_OTA_BOOT_STATE_UNCONFIRMED : MOTE_STATUS_STORE_FAILED;
    if (boot_is(text, "on trial")) {
        // The first firmware ever has none before it, nor has one that was taken back already.
        bool done = renameat(slot->directory, "firmware.previous", slot->directory, "firmware.image") == 0 || errno == ENOENT;
        return done && set_boot(slot, "rolled back") ? MOTE_OTA_BOOT_STATE_ROLLED_BACK : MOTE_STATUS_STORE_FAILED;
    }
    return boot_is(text, "rolled back") ? MOTE_OTA_BOOT_STATE_ROLLED_BACK : MOTE_OTA_BOOT_STATE_NORMAL;
}

struct mote_posix_slot *mote_posix_slot_open(int directory, uint32_t image_size_max) {
    struct mote_posix_slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL) return NULL;
    mkdirat(directory, "images", 0700);
    slot->directory = openat(directory, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    slot->image_size_max = image_size_max;
    slot->part = -1;
    slot->boot_state = slot->directory < 0 ? MOTE_STATUS_STORE_FAILED : boot(slot);
    if (slot->boot_state >= 0) return slot;
    if (slot->directory >= 0) close(slot->directory);
    free(slot);
    return NULL;
}

// ---------------------------------------------------------------------- image

static void end_job(struct mote_posix_slot *slot) {
    if (slot->job == JOB_VERIFY) mote_checksum_free(&slot->checksum);
    slot->job = JOB_NONE;
    slot->result = 0;
}

static void close_part(struct mote_posix_slot *slot) {
    end_job(slot);
    if (slot->part >= 0) close(slot->part);
    slot->part = -1;
    slot->size = 0;
}

void mote_posix_slot_close(struct mote_posix_slot *slot) {
    if (slot == NULL) return;
    close_part(slot);
    close(slot->directory);
    free(slot);
}

static void name_part(struct mote_posix_slot *slot, const uint8_t *id, uint32_t id_length) {
    char head[16];
    uint8_t digest[32];
    int head_length = snprintf(head, sizeof head, "%u\n", slot->size);
    mbedtls_sha256_context hash;
    mbedtls_sha256_init(&hash);
    mbedtls_sha256_starts_ret(&hash, 0);
    mbedtls_sha256_update_ret(&hash, (const uint8_t *)head, (size_t)head_length);
    mbedtls_sha256_update_ret(&hash, id, id_length);
    mbedtls_sha256_finish_ret(&hash, digest);
    mbedtls_sha256_free(&hash);
    int at = snprintf(slot->part_name, sizeof slot->part_name, "%s-", kinds[slot->kind]);
    for (int i = 0; i < DIGEST_BYTES; i++, at += 2) {
        snprintf(slot->part_name + at, sizeof slot->part_name - (size_t)at, "%02x", digest[i]);
    }
    snprintf(slot->part_name + at, sizeof slot->part_name - (size_t)at, ".part");
}

// Only one image of a kind is begun at a time: what is left of others goes.
static void remove_others(const struct mote_posix_slot *slot) {
    int copy = dup(slot->directory);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    if (entries == NULL) {
        if (copy >= 0) close(copy);
        return;
    }
    rewinddir(entries);
    size_t prefix = strlen(kinds[slot->kind]) + 1;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        size_t length = strlen(entry->d_name);
        bool is_part = length > prefix + 5 && strcmp(entry->d_name + length - 5, ".part") == 0 &&
                       strncmp(entry->d_name, slot->part_name, prefix) == 0;
        if (is_part && strcmp(entry->d_name, slot->part_name) != 0) unlinkat(slot->directory, entry->d_name, 0);
    }
    closedir(entries);
}

int32_t mote_posix_ota_begin(mote_port_t *port, uint32_t kind, uint32_t size, const uint8_t *id, uint32_t id_length) {
    struct mote_posix_slot *slot = slot_of(port);
    if (slot == NULL) return MOTE_STATUS_STORE_FAILED;
    close_part(slot);
    if (size > slot->image_size_max) return MOTE_STATUS_TOO_LARGE;
    slot->kind = kind;
    slot->size = size;
    name_part(slot, id, id_length);
    remove_others(slot);
    slot->part = openat(slot->directory, slot->part_name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat status;
    bool usable = slot->part >= 0 && fstat(slot->part, &status) == 0;
    if (usable && status.st_size > (off_t)size) { // not what this program wrote
        usable = ftruncate(slot->part, 0) == 0;
        status.st_size = 0;
    }
    if (!usable) {
        close_part(slot);
        return MOTE_STATUS_STORE_FAILED;
    }
    slot->offset = (uint32_t)status.st_size;
    return (int32_t)slot->offset;
}

int32_t mote_posix_ota_write(mote_port_t *port, const uint8_t *from, uint32_t length) {
    struct mote_posix_slot *slot = slot_of(port);
    if (slot == NULL || slot->size == 0 || slot->job != JOB_NONE) return MOTE_STATUS_BAD_STATE;
    if (length > slot->size - slot->offset) return MOTE_STATUS_TOO_LARGE;
    ssize_t written = write(slot->part, from, length);
    if (written < 0) return errno == EINTR ? 0 : MOTE_STATUS_STORE_FAILED;
    slot->offset += (uint32_t)written;
    return (int32_t)written;
}

static bool is_whole(const struct mote_posix_slot *slot) {
    return slot != NULL && slot->size != 0 && slot->offset == slot->size;
}

// The result of a job is given once.
static int32_t collect(struct mote_posix_slot *slot) {
    int32_t result = slot->result;
    if (result != 0) end_job(slot);
    return result;
}

int32_t mote_posix_ota_verify(mote_port_t *port, uint32_t algorithm, const char *hex, uint32_t length) {
    struct mote_posix_slot *slot = slot_of(port);
    if (!is_whole(slot)) return MOTE_STATUS_BAD_STATE;
    if (length > MOTE_CHECKSUM_HEX_MAX) return MOTE_STATUS_INVALID_VALUE;
    bool same = slot->job == JOB_VERIFY && slot->checksum.algorithm == algorithm && slot->expected_length == length &&
                memcmp(slot->expected, hex, length) == 0;
    if (same) return collect(slot);
    end_job(slot);
    memcpy(slot->expected, hex, length);
    slot->expected_length = length;
    slot->job = JOB_VERIFY;
    if (!mote_checksum_begin(&slot->checksum, algorithm, slot->part, (off_t)slot->size)) slot->result = MOTE_STATUS_STORE_FAILED;
    return 0;
}

int32_t mote_posix_ota_commit(mote_port_t *port) {
    struct mote_posix_slot *slot = slot_of(port);
    if (!is_whole(slot)) return MOTE_STATUS_BAD_STATE;
    if (slot->job == JOB_COMMIT) {
        int32_t result = collect(slot);
        if (result == 1) close_part(slot);
        return result;
    }
    end_job(slot);
    slot->job = JOB_COMMIT;
    return 0;
}

int32_t mote_posix_ota_abort(mote_port_t *port) {
    struct mote_posix_slot *slot = slot_of(port);
    if (slot == NULL || slot->size == 0) return MOTE_STATUS_BAD_STATE;
    close_part(slot);
    return unlinkat(slot->directory, slot->part_name, 0) == 0 ? MOTE_STATUS_OK : MOTE_STATUS_STORE_FAILED;
}

int32_t mote_posix_ota_boot_state(mote_port_t *port) {
    struct mote_posix_slot *slot = slot_of(port);
    return slot != NULL ? slot->boot_state : MOTE_OTA_BOOT_STATE_NORMAL;
}

int32_t mote_posix_ota_confirm(mote_port_t *port) {
    struct mote_posix_slot *slot = slot_of(port);
    if (slot == NULL) return MOTE_STATUS_BAD_STATE;
    if (slot->boot_state != MOTE_OTA_BOOT_STATE_NORMAL && !set_boot(slot, "confirmed")) return MOTE_STATUS_STORE_FAILED;
    slot->boot_state = MOTE_OTA_BOOT_STATE_NORMAL;
    return 1;
}

// ----------------------------------------------------------------------- jobs

static bool matches(const struct mote_posix_slot *slot, const char *hex, uint32_t length) {
    if (length == 0 || length != slot->expected_length) return false;
    for (uint32_t i = 0; i < length; i++) {
        char digit = slot->expected[i];
        if (digit >= 'A' && digit <= 'F') digit = (char)(digit + ('a' - 'A'));
        if (digit != hex[i]) return false;
    }
    return true;
}

static int32_t verify(struct mote_posix_slot *slot) {
    int done = mote_checksum_step(&slot->checksum);
    if (done <= 0) return done == 0 ? 0 : MOTE_STATUS_STORE_FAILED;
    char hex[MOTE_CHECKSUM_HEX_MAX];
    uint32_t length = mote_checksum_end(&slot->checksum, hex);
    return matches(slot, hex, length) ? 1 : MOTE_STATUS_INVALID_VALUE;
}

// At no moment is there nothing to boot: the old image keeps a second name before the new one takes its place.
static int32_t commit(struct mote_posix_slot *slot) {
    int directory = slot->directory;
    char image[NAME_MAX_BYTES];
    snprintf(image, sizeof image, "%s.image", kinds[slot->kind]);
    bool done = fsync(slot->part) == 0;
    if (slot->kind == MOTE_OTA_KIND_FIRMWARE) {
        unlinkat(directory, "firmware.next", 0);
        if (linkat(directory, image, directory, "firmware.next", 0) == 0) {
            done = done && renameat(directory, "firmware.next", directory, "firmware.previous") == 0;
        } else {
            done = done && errno == ENOENT;
        }
        done = done && set_boot(slot, "committed");
    }
    done = done && renameat(directory, slot->part_name, directory, image) == 0 && fsync(directory) == 0;
    return done ? 1 : MOTE_STATUS_STORE_FAILED;
}

bool mote_posix_slot_step(struct mote_posix_slot *slot) {
    if (slot == NULL || slot->job == JOB_NONE || slot->result != 0) return false;
    slot->result = slot->job == JOB_VERIFY ? verify(slot) : commit(slot);
    return true;
}
