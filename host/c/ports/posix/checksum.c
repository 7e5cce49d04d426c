// See checksum.h. Digests by mbedTLS, CRC-32 by zlib, MurmurHash3 by libmurmurhash, which takes the image in one piece.
#include "checksum.h"

#include <errno.h>
#include <murmurhash.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "mote_abi.h"

#define STEP_SIZE 262144
#define PIECE_SIZE 4096

static mbedtls_md_type_t digest_of(uint32_t algorithm) {
    switch (algorithm) {
    case MOTE_OTA_ALGORITHM_MD5: return MBEDTLS_MD_MD5;
    case MOTE_OTA_ALGORITHM_SHA256: return MBEDTLS_MD_SHA256;
    case MOTE_OTA_ALGORITHM_SHA384: return MBEDTLS_MD_SHA384;
    case MOTE_OTA_ALGORITHM_SHA512: return MBEDTLS_MD_SHA512;
    default: return MBEDTLS_MD_NONE;
    }
}

bool mote_checksum_begin(mote_checksum_t *checksum, uint32_t algorithm, int file, off_t size) {
    memset(checksum, 0, sizeof *checksum);
    checksum->algorithm = algorithm;
    checksum->file = file;
    checksum->size = size;
    mbedtls_md_init(&checksum->digest);
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(digest_of(algorithm));
    if (info == NULL) return algorithm <= MOTE_OTA_ALGORITHM_MURMUR3_128;
    return mbedtls_md_setup(&checksum->digest, info, 0) == 0 && mbedtls_md_starts(&checksum->digest) == 0;
}

int mote_checksum_step(mote_checksum_t *checksum) {
    if (checksum->algorithm > MOTE_OTA_ALGORITHM_CRC32) return 1; // in one piece, at the end
    uint8_t piece[PIECE_SIZE];
    off_t end = checksum->size - checksum->offset < STEP_SIZE ? checksum->size : checksum->offset + STEP_SIZE;
    while (checksum->offset < end) {
        ssize_t length = pread(checksum->file, piece, sizeof piece, checksum->offset);
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) return -1;
        if (checksum->algorithm == MOTE_OTA_ALGORITHM_CRC32) {
            checksum->crc = (uint32_t)crc32(checksum->crc, piece, (uInt)length);
        } else {
            mbedtls_md_update(&checksum->digest, piece, (size_t)length);
        }
        checksum->offset += length;
    }
    return checksum->offset == checksum->size ? 1 : 0;
}

// Numbers stand with their lowest byte first.
static uint32_t put_number(uint8_t *out, uint64_t number, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++) out[i] = (uint8_t)(number >> (8 * i));
    return bytes;
}

static uint32_t murmur(const mote_checksum_t *checksum, uint8_t *out) {
    void *image = mmap(NULL, (size_t)checksum->size, PROT_READ, MAP_SHARED, checksum->file, 0);
    if (image == MAP_FAILED) return 0;
    uint32_t count;
    if (checksum->algorithm == MOTE_OTA_ALGORITHM_MURMUR3_32) {
        uint32_t hash;
        lmmh_x86_32(image, (unsigned)checksum->size, 0, &hash);
        count = put_number(out, hash, 4);
    } else {
        uint64_t halves[2];
        lmmh_x64_128(image, (unsigned)checksum->size, 0, halves);
        count = put_number(out, halves[0], 8);
        count += put_number(out + count, halves[1], 8);
    }
    munmap(image, (size_t)checksum->size);
    return count;
}

uint32_t mote_checksum_end(mote_checksum_t *checksum, char *out_hex) {
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[MBEDTLS_MD_MAX_SIZE];
    uint32_t count = 0;
    if (checksum->algorithm > MOTE_OTA_ALGORITHM_CRC32) {
        count = murmur(checksum, bytes);
    } else if (checksum->algorithm == MOTE_OTA_ALGORITHM_CRC32) {
        count = put_number(bytes, checksum->crc, 4);
    } else if (mbedtls_md_finish(&checksum->digest, bytes) == 0) {
        count = mbedtls_md_get_size(checksum->digest.md_info);
    }
    for (uint32_t i = 0; i < count; i++) {
        out_hex[2 * i] = digits[bytes[i] >> 4];
        out_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    return 2 * count;
}

void mote_checksum_free(mote_checksum_t *checksum) {
    mbedtls_md_free(&checksum->digest);
    memset(checksum, 0, sizeof *checksum);
}
