// The imports: every address, length and handle from the module is checked here, once for all engines and ports.
#include "imports.h"

#include "client.h"

static const mote_port_functions_t *functions_of(const mote_t *mote) {
    return mote->options.port->functions;
}

static bool is_open(const mote_t *mote, uint32_t handle) {
    return handle != 0 && handle == (uint32_t)mote->handle;
}

int32_t mote_import_net_open(mote_t *mote, uint32_t host, uint32_t host_length, uint32_t port_number, uint32_t flags) {
    if (!mote_memory_holds(mote, host, host_length)) return MOTE_STATUS_INVALID_VALUE;
    if (host_length == 0 || port_number == 0 || port_number > 65535) return MOTE_STATUS_INVALID_VALUE;
    if (mote->handle != 0) return MOTE_STATUS_BAD_STATE;
    int32_t handle = functions_of(mote)->net_open(mote->options.port, (const char *)mote->memory + host, host_length,
                                                  port_number, flags);
    mote->touched = true;
    if (handle > 0) {
        mote->handle = handle;
        mote->state = MOTE_STATE_OPENING;
    }
    return handle;
}

int32_t mote_import_net_state(mote_t *mote, uint32_t handle) {
    if (!is_open(mote, handle)) return MOTE_STATUS_INVALID_VALUE;
    int32_t state = functions_of(mote)->net_state(mote->options.port, mote->handle);
    if (state >= MOTE_NET_STATE_OPEN && mote->state == MOTE_STATE_OPENING) mote->state = MOTE_STATE_CONNECTING;
    return state;
}

int32_t mote_import_net_send(mote_t *mote, uint32_t handle, uint32_t from, uint32_t length) {
    if (!is_open(mote, handle) || !mote_memory_holds(mote, from, length)) return MOTE_STATUS_INVALID_VALUE;
    mote->touched = true;
    return functions_of(mote)->net_send(mote->options.port, mote->handle, mote->memory + from, length);
}

int32_t mote_import_net_recv(mote_t *mote, uint32_t handle, uint32_t to, uint32_t capacity) {
    if (!is_open(mote, handle) || !mote_memory_holds(mote, to, capacity)) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->net_recv(mote->options.port, mote->handle, mote->memory + to, capacity);
}

void mote_import_net_close(mote_t *mote, uint32_t handle) {
    if (is_open(mote, handle)) mote_connection_close(mote);
}

int64_t mote_import_now_ms(mote_t *mote) {
    return functions_of(mote)->now_ms(mote->options.port);
}

int64_t mote_import_unix_ms(mote_t *mote) {
    return functions_of(mote)->unix_ms(mote->options.port);
}

int32_t mote_import_random_u32(mote_t *mote) {
    return (int32_t)functions_of(mote)->random_u32(mote->options.port);
}

// ---------------------------------------------------------------------- store

static uint32_t store_info(mote_t *mote, uint32_t area, uint32_t what) {
    if (functions_of(mote)->store_info == NULL) return 0;
    int32_t value = functions_of(mote)->store_info(mote->options.port, area, what);
    return value < 0 ? 0 : (uint32_t)value;
}

// True when `length` bytes from `offset` on lie in an area that exists.
static bool store_holds(mote_t *mote, uint32_t area, uint32_t offset, uint32_t length) {
    if (area > MOTE_STORE_AREA_DATABASE) return false;
    uint32_t size = store_info(mote, area, MOTE_STORE_INFO_SIZE);
    return size != 0 && offset <= size && length <= size - offset;
}

int32_t mote_import_store_info(mote_t *mote, uint32_t area, uint32_t what) {
    if (area > MOTE_STORE_AREA_DATABASE || what > MOTE_STORE_INFO_PROGRAM_SIZE) return MOTE_STATUS_INVALID_VALUE;
    return (int32_t)store_info(mote, area, what);
}

int32_t mote_import_store_read(mote_t *mote, uint32_t area, uint32_t offset, uint32_t to, uint32_t length) {
    if (!store_holds(mote, area, offset, length) || !mote_memory_holds(mote, to, length)) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->store_read(mote->options.port, area, offset, mote->memory + to, length);
}

int32_t mote_import_store_program(mote_t *mote, uint32_t area, uint32_t offset, uint32_t from, uint32_t length) {
    if (!store_holds(mote, area, offset, length) || !mote_memory_holds(mote, from, length)) return MOTE_STATUS_INVALID_VALUE;
    uint32_t unit = store_info(mote, area, MOTE_STORE_INFO_PROGRAM_SIZE);
    if (unit == 0 || offset % unit != 0 || length % unit != 0) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->store_program(mote->options.port, area, offset, mote->memory + from, length);
}

int32_t mote_import_store_erase(mote_t *mote, uint32_t area, uint32_t offset) {
    uint32_t unit = area <= MOTE_STORE_AREA_DATABASE ? store_info(mote, area, MOTE_STORE_INFO_ERASE_SIZE) : 0;
    if (unit == 0 || offset % unit != 0 || !store_holds(mote, area, offset, unit)) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->store_erase(mote->options.port, area, offset);
}

int32_t mote_import_store_sync(mote_t *mote, uint32_t area) {
    if (!store_holds(mote, area, 0, 0)) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->store_sync(mote->options.port, area);
}

// ------------------------------------------------------------------------ ota

// A port has all functions of the group or none.
static bool has_slot(const mote_t *mote) {
    return functions_of(mote)->ota_begin != NULL;
}

int32_t mote_import_ota_begin(mote_t *mote, uint32_t kind, uint32_t size, uint32_t id, uint32_t id_length) {
    if (!has_slot(mote)) return MOTE_STATUS_STORE_FAILED;
    if (kind > MOTE_OTA_KIND_SOFTWARE || size == 0 || size > INT32_MAX) return MOTE_STATUS_INVALID_VALUE;
    if (!mote_memory_holds(mote, id, id_length)) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->ota_begin(mote->options.port, kind, size, mote->memory + id, id_length);
}

int32_t mote_import_ota_write(mote_t *mote, uint32_t from, uint32_t length) {
    if (!has_slot(mote)) return MOTE_STATUS_BAD_STATE;
    if (!mote_memory_holds(mote, from, length)) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->ota_write(mote->options.port, mote->memory + from, length);
}

int32_t mote_import_ota_verify(mote_t *mote, uint32_t algorithm, uint32_t hex, uint32_t length) {
    if (!has_slot(mote)) return MOTE_STATUS_BAD_STATE;
    if (algorithm > MOTE_OTA_ALGORITHM_MURMUR3_128 || !mote_memory_holds(mote, hex, length)) return MOTE_STATUS_INVALID_VALUE;
    return functions_of(mote)->ota_verify(mote->options.port, algorithm, (const char *)mote->memory + hex, length);
}

int32_t mote_import_ota_commit(mote_t *mote) {
    return has_slot(mote) ? functions_of(mote)->ota_commit(mote->options.port) : MOTE_STATUS_BAD_STATE;
}

int32_t mote_import_ota_abort(mote_t *mote) {
    return has_slot(mote) ? functions_of(mote)->ota_abort(mote->options.port) : MOTE_STATUS_BAD_STATE;
}

int32_t mote_import_ota_boot_state(mote_t *mote) {
    return has_slot(mote) ? functions_of(mote)->ota_boot_state(mote->options.port) : MOTE_OTA_BOOT_STATE_NORMAL;
}

int32_t mote_import_ota_confirm(mote_t *mote) {
    return has_slot(mote) ? functions_of(mote)->ota_confirm(mote->options.port) : MOTE_STATUS_BAD_STATE;
}

// ------------------------------------------------------------------------ log

void mote_import_log(mote_t *mote, uint32_t level, uint32_t text, uint32_t length) {
    if (mote_memory_holds(mote, text, length)) mote_log_span(mote, level, (mote_span_t){(const char *)mote->memory + text, length});
}
