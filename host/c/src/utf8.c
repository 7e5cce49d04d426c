// Checks that bytes are UTF-8 where the module does not see them: what is the host's in the configuration, and what other tasks post.
#include "client.h"

// Bytes of the character that begins with this byte, by RFC 3629; 0 for a byte that begins none.
static size_t size_of(uint8_t lead) {
    return lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

// The second byte is what overlong forms, surrogates and what is beyond U+10FFFF are told by.
static bool may_follow(uint8_t lead, uint8_t second) {
    uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return second >= least && second <= most;
}

bool mote_is_utf8(const char *text, size_t length) {
    const uint8_t *bytes = (const uint8_t *)text;
    for (size_t at = 0; at < length;) {
        size_t size = size_of(bytes[at]);
        if (size == 0 || size > length - at) return false;
        if (size > 1 && !may_follow(bytes[at], bytes[at + 1])) return false;
        for (size_t i = 2; i < size; i++) {
            if (bytes[at + i] >> 6 != 2) return false;
        }
        at += size;
    }
    return true;
}
