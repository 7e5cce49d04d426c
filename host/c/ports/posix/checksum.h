// Checksums of an image as ThingsBoard writes them (Device API, firmware API: fw_checksum), worked out a piece at a time.
#ifndef MOTE_POSIX_CHECKSUM_H
#define MOTE_POSIX_CHECKSUM_H

#include <mbedtls/md.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MOTE_CHECKSUM_HEX_MAX 128

typedef struct mote_checksum {
    uint32_t algorithm; // mote_ota_algorithm
    int file;
    off_t offset, size;
    uint32_t crc;
    mbedtls_md_context_t digest;
} mote_checksum_t;

// Begins at the start of the file, which stays open until the end.
bool mote_checksum_begin(mote_checksum_t *checksum, uint32_t algorithm, int file, off_t size);

// Reads on. 1 = done, 0 = more to do, below zero = the file cannot be read.
int mote_checksum_step(mote_checksum_t *checksum);

// Writes lower-case hex digits, at most MOTE_CHECKSUM_HEX_MAX, without a zero behind them. Their count, or 0.
uint32_t mote_checksum_end(mote_checksum_t *checksum, char *out_hex);

// Gives up, or forgets what was done. Always works.
void mote_checksum_free(mote_checksum_t *checksum);

#endif
