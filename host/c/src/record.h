// Packed members of a message record, ABI.md section 7, in any buffer.
#ifndef MOTE_RECORD_H
#define MOTE_RECORD_H

#include <stddef.h>
#include <string.h>

#include "client.h"

static inline uint32_t mote_padded(uint32_t length) {
    return (length + 3u) & ~3u;
}

// Bytes of the staging area that so much takes with the options record behind it.
static inline uint32_t mote_staged_size(uint32_t length, bool has_options) {
    return has_options ? mote_padded(length) + MOTE_OPTION_FIELD_END : length;
}

// Bytes of a member; UINT32_MAX for one that no message can hold.
static inline uint32_t mote_member_size(size_t key_length, size_t text_length) {
    if (key_length > UINT16_MAX || text_length > INT32_MAX) return UINT32_MAX;
    return MOTE_MEMBER_FIELD_KEY + mote_padded((uint32_t)key_length) + mote_padded((uint32_t)text_length);
}

// Most keys are this short, and many texts. Their length is known only when the program runs, and a call of the C library
// costs more than the copy.
#define MOTE_SHORT_MAX 16

// Copies as many bytes as a word has, up to twice its size, as two words that may overlap.
static inline void mote_copy_words(uint8_t *to, const char *from, size_t length, size_t size) {
    uint64_t first, last;
    memcpy(&first, from, size);
    memcpy(&last, from + length - size, size);
    memcpy(to, &first, size);
    memcpy(to + length - size, &last, size);
}

static inline void mote_copy_short(uint8_t *to, const char *from, size_t length) {
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__ARM_FEATURE_UNALIGNED)
    if (length >= 8) {
        mote_copy_words(to, from, length, 8);
        return;
    }
    if (length >= 4) {
        mote_copy_words(to, from, length, 4);
        return;
    }
    if (length >= 2) {
        mote_copy_words(to, from, length, 2);
        return;
    }
#endif
    for (size_t i = 0; i < length; i++) to[i] = (uint8_t)from[i];
}

// Lays the fixed part of a member out: `form` is its type, with the digits in the second byte. Its key begins where it ends.
static inline uint8_t *mote_member_begin(uint8_t *to, uint32_t form, size_t key_length, int64_t number) {
    mote_store_u32(to, form | (uint32_t)key_length << 16);
    mote_store_u32(to + MOTE_MEMBER_FIELD_NUMBER, (uint32_t)number);
    mote_store_u32(to + MOTE_MEMBER_FIELD_NUMBER + 4, (uint32_t)((uint64_t)number >> 32));
    return to + MOTE_MEMBER_FIELD_KEY;
}

// Lays a member out; `to` has room for mote_member_size(). `text` may be NULL: then the caller fills the place in that is returned.
static inline uint8_t *mote_member_write(uint8_t *to, mote_member_t type, uint8_t digits, const char *key, size_t key_length,
                                         int64_t number, const char *text, size_t text_length) {
    to = mote_member_begin(to, (uint32_t)type | (uint32_t)digits << 8, key_length, number);
    if (key_length != 0) memcpy(to, key, key_length);
    to += mote_padded((uint32_t)key_length);
    if (text != NULL && text_length != 0) memcpy(to, text, text_length);
    return to;
}

#endif
