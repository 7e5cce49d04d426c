/*
 * mote_port.h - what Mote needs from a platform. host/c/README.md is the guide; ports/posix is the example.
 *
 * A port is a record that begins with `mote_port_t`; its functions get that record back. One port serves one client.
 *
 * The functions below `step` are called while the module runs: they return at once, use at most 256 bytes of stack, never
 * call Mote, and only copy between the module's memory and rings of bounded size. Real work, from resolving a name to
 * writing to a socket, happens in step(), which Mote calls while the module is not on the stack: before each poll,
 * after each poll that sent, opened or closed something, and before it waits.
 */
#ifndef MOTE_PORT_H
#define MOTE_PORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mote_port mote_port_t;

/* Bits of `capabilities`. */
#define MOTE_PORT_TLS 1u /* net_open understands MOTE_NET_FLAG_TLS */

typedef struct mote_port_functions {
    uint32_t capabilities;

    /* Does network work that does not block: resolve, connect, write what net_send accepted, in one piece where it
     * fits, and read what there is room for. */
    void (*step)(mote_port_t *port);

    /* Sleeps until the network has something for a bit of `wants` (mote_want), until wake(), or for `timeout_ms`,
     * whichever is first. MOTE_NO_DEADLINE_MS = no limit. Sleeping less is always right. */
    void (*wait)(mote_port_t *port, uint32_t timeout_ms, uint32_t wants);

    /* Ends wait() early. Called from other tasks, signals and interrupts. */
    void (*wake)(mote_port_t *port);

    /* Begins to connect, all addresses of the name in turn, with TCP_NODELAY. The name is not terminated and must be
     * copied. Returns a handle from 1 up, or a status: TlsUnsupported for the flag where there is no TLS. */
    int32_t (*net_open)(mote_port_t *port, const char *host, uint32_t host_length, uint32_t port_number, uint32_t flags);

    /* A mote_net_state, or the failure by status. */
    int32_t (*net_state)(mote_port_t *port, int32_t handle);

    /* Bytes accepted, 0 = try later, or a status. */
    int32_t (*net_send)(mote_port_t *port, int32_t handle, const uint8_t *from, uint32_t length);

    /* Bytes read, 0 = nothing now, or a status: ConnectionClosed only after all bytes were read. */
    int32_t (*net_recv)(mote_port_t *port, int32_t handle, uint8_t *to, uint32_t capacity);

    /* Ends the connection; accepted bytes are still written for at most one second. The handle is invalid at once. */
    void (*net_close)(mote_port_t *port, int32_t handle);

    /* Milliseconds that never step back; any start value. */
    int64_t (*now_ms)(mote_port_t *port);

    /* Unix time in milliseconds, 0 = not known yet. */
    int64_t (*unix_ms)(mote_port_t *port);

    /* 32 random bits for jitter and ids; need not be fit for cryptography. */
    uint32_t (*random_u32)(mote_port_t *port);

    /* One line of text by mote_log_level. May be NULL; release modules do not call it. */
    void (*log)(mote_port_t *port, uint32_t level, const char *text, uint32_t length);

    /* Guard the queue of mote_post_*() between tasks, for a few microseconds at a time. Both may be NULL where there is one task. */
    void (*lock)(mote_port_t *port);
    void (*unlock)(mote_port_t *port);

    /* The store: areas of flash memory (mote_store_area), or what behaves like it. All five may be NULL: then no area exists.
     * Mote has checked that offset and length lie in the area and on its units. Each returns the bytes done, 0 = busy, or
     * StoreFailed; what is busy goes on in step(). */

    /* A mote_store_info; the size of an area that does not exist is 0. */
    int32_t (*store_info)(mote_port_t *port, uint32_t area, uint32_t what);
    int32_t (*store_read)(mote_port_t *port, uint32_t area, uint32_t offset, uint8_t *to, uint32_t length);

    /* Clears bits, never sets one; may stop at the end of an erase unit. */
    int32_t (*store_program)(mote_port_t *port, uint32_t area, uint32_t offset, const uint8_t *from, uint32_t length);

    /* Sets the unit at `offset` to 0xFF. */
    int32_t (*store_erase)(mote_port_t *port, uint32_t area, uint32_t offset);

    /* 1 = everything that was programmed and erased before survives a power cut, 0 = busy. */
    int32_t (*store_sync)(mote_port_t *port, uint32_t area);

    /* The slot for a new image. All seven may be NULL: then nothing can be updated. */

    /* Opens the slot for an image of `size` bytes; `id` names it. Returns how much of it the slot has already, TooLarge, or
     * StoreFailed. Whatever was begun under another id is dropped. */
    int32_t (*ota_begin)(mote_port_t *port, uint32_t kind, uint32_t size, const uint8_t *id, uint32_t id_length);

    /* Appends. Bytes taken, 0 = busy, TooLarge beyond the size, BadState without a slot, or StoreFailed. */
    int32_t (*ota_write)(mote_port_t *port, const uint8_t *from, uint32_t length);

    /* 1 = the whole image has this checksum (mote_ota_algorithm), 0 = busy, InvalidValue = it has another. */
    int32_t (*ota_verify)(mote_port_t *port, uint32_t algorithm, const char *hex, uint32_t length);

    /* 1 = the image boots next, 0 = busy. */
    int32_t (*ota_commit)(mote_port_t *port);
    int32_t (*ota_abort)(mote_port_t *port);

    /* A mote_ota_boot_state. */
    int32_t (*ota_boot_state)(mote_port_t *port);
    int32_t (*ota_confirm)(mote_port_t *port);

    /* Which task calls, as any number but 0; asked only where Mote is built with MOTE_CHECK_TASK. May be NULL: nothing is checked. */
    uintptr_t (*task)(mote_port_t *port);
} mote_port_functions_t;

struct mote_port {
    const mote_port_functions_t *functions; /* constant, may lie in flash */
};

#ifdef __cplusplus
}
#endif
#endif
