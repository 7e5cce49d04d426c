// TLS of the POSIX port, by mbedTLS: the chain and the name are verified unless the configuration says otherwise.
#ifndef MOTE_POSIX_TLS_H
#define MOTE_POSIX_TLS_H

#include "mote_posix.h"

// What a call answers that could not go on.
enum { MOTE_TLS_WANT_READ = 0, MOTE_TLS_WANT_WRITE = -1, MOTE_TLS_CLOSED = -2, MOTE_TLS_FAILED = -3 };

// Reads the object `tls` and the files that it names, relative ones from `base_directory` on. NULL on failure; out_status and
// out_fault say what is wrong.
struct mote_posix_tls *mote_posix_tls_new(const char *json, uint32_t length, const char *base_directory, int32_t *out_status,
                                          const char **out_fault);
void mote_posix_tls_free(struct mote_posix_tls *tls);

// True unless the configuration accepts any certificate. Verifying takes the time of day.
bool mote_posix_tls_is_verified(const struct mote_posix_tls *tls);

// Begins a handshake over a connected socket; `slot` is 0 or 1, one session each. Ok, or TlsHandshakeFailed.
int32_t mote_posix_tls_begin(struct mote_posix_tls *tls, int slot, int socket, const char *host);

// Goes on with it: 1 = open, WANT_READ, WANT_WRITE, or FAILED with its status.
int mote_posix_tls_handshake(struct mote_posix_tls *tls, int slot, int32_t *out_status);

// Bytes, or one of the above. After WANT_WRITE the next write begins with the same bytes and is not shorter.
int mote_posix_tls_read(struct mote_posix_tls *tls, int slot, void *to, uint32_t capacity);
int mote_posix_tls_write(struct mote_posix_tls *tls, int slot, const void *from, uint32_t length);

// Tells the peer, as far as that goes at once.
void mote_posix_tls_end(struct mote_posix_tls *tls, int slot);

#endif
