// Packed members of a message record, ABI.md section 7, in any buffer.
#ifndef MOTE_RECORD_H
#define MOTE_RECORD_H

#include <stddef.h>
#include <string.h>

#include "client.h"

static inline uint32_t mote_padded(uint32_t length) {
    return (length + 3u) & ~3u;
}

// Bytes of a member; UINT32_MAX for one that no message can hold.
static inline uint32_t mote_member_size(size_t key_length, size_t text_length) {
    if (key_length > UINT16_MAX || text_length > INT32_MAX) return UINT32_MAX;
    return MOTE_MEMBER_FIELD_KEY + mote_padded((uint32_t)key_length) + mote_padded((uint32_t)text_length);
}

// Lays a member out; `to` has room for mote_member_size(). `text` may be NULL: then the caller fills the place in that is returned.
static inline uint8_t *mote_member_write(uint8_t *to, mote_member_t type, uint8_t digits, const char *key, size_t key_length,
                                         int64_t number, const char *text, size_t text_length) {
    mote_store_u32(to, (uint32_t)type | (uint32_t)digits << 8 | (uint32_t)key_length << 16);
    mote_store_u32(to + MOTE_MEMBER_FIELD_NUMBER, (uint32_t)number);
    mote_store_u32(to + MOTE_MEMBER_FIELD_NUMBER + 4, (uint32_t)((uint64_t)number >> 32));
    to += MOTE_MEMBER_FIELD_KEY;
    if (key_length != 0) memcpy(to, key, key_length);
    to += mote_padded((uint32_t)key_length);
    if (text != NULL && text_length != 0) memcpy(to, text, text_length);
    return to;
}

#endif
