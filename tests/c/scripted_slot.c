// See scripted_slot.h.
#include "scripted_slot.h"

#include <stdio.h>
#include <string.h>

static struct {
    int64_t offset, room, busy, verdict, failure, boot;
} slot;

void scripted_slot_init(void) {
    memset(&slot, 0, sizeof slot);
    slot.room = INT64_MAX;
    slot.verdict = 1;
    slot.boot = MOTE_OTA_BOOT_STATE_NORMAL;
}

bool scripted_slot_set(const char *what, int64_t value) {
    if (strcmp(what, "resumes") == 0) slot.offset = value;
    else if (strcmp(what, "takes") == 0) slot.room = value;
    else if (strcmp(what, "busy") == 0) slot.busy = value;
    else if (strcmp(what, "verdict") == 0) slot.verdict = value;
    else if (strcmp(what, "fails") == 0) slot.failure = value;
    else if (strcmp(what, "boots") == 0) slot.boot = value;
    else return false;
    return true;
}

static void print_hex(const void *bytes, uint32_t length) {
    putchar('\t');
    for (uint32_t i = 0; i < length; i++) printf("%02x", ((const uint8_t *)bytes)[i]);
    putchar('\n');
}

// Work that goes on beside the client: 0 while the slot is busy.
static int32_t end(const char *text, int64_t result) {
    if (slot.busy != 0) return 0;
    printf("image\t%s\n", text);
    return (int32_t)(slot.failure != 0 ? slot.failure : result);
}

static int32_t begin(mote_port_t *port, uint32_t kind, uint32_t size, const uint8_t *id, uint32_t id_length) {
    (void)port;
    printf("image\tbegins\t%u\t%u", kind, size);
    print_hex(id, id_length);
    return (int32_t)(slot.failure != 0 ? slot.failure : slot.offset);
}

static int32_t take(mote_port_t *port, const uint8_t *from, uint32_t length) {
    (void)port;
    if (length == 0) printf("? ota_write of nothing\n");
    if (slot.failure != 0) return (int32_t)slot.failure;
    uint32_t taken = length < slot.room ? length : (uint32_t)slot.room;
    slot.room -= taken;
    if (taken == 0) return 0;
    printf("image\ttakes");
    print_hex(from, taken);
    return (int32_t)taken;
}

static int32_t verify(mote_port_t *port, uint32_t algorithm, const char *hex, uint32_t length) {
    (void)port;
    if (slot.busy != 0) return 0;
    printf("image\tverifies\t%u", algorithm);
    print_hex(hex, length);
    return (int32_t)(slot.failure != 0 ? slot.failure : slot.verdict);
}

static int32_t commit(mote_port_t *port) {
    (void)port;
    return end("is committed", 1);
}

static int32_t drop(mote_port_t *port) {
    (void)port;
    printf("image\tis dropped\n");
    return MOTE_STATUS_OK;
}

static int32_t boot_state(mote_port_t *port) {
    (void)port;
    return (int32_t)slot.boot;
}

static int32_t confirm(mote_port_t *port) {
    (void)port;
    return end("is confirmed", 1);
}

void scripted_slot_add(mote_port_functions_t *ref_functions) {
    ref_functions->ota_begin = begin;
    ref_functions->ota_write = take;
    ref_functions->ota_verify = verify;
    ref_functions->ota_commit = commit;
    ref_functions->ota_abort = drop;
    ref_functions->ota_boot_state = boot_state;
    ref_functions->ota_confirm = confirm;
}
