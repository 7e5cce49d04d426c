// The imports: every address, length and handle from the module is checked here, once for all engines and ports.
#include "imports.h"

#include "client.h"

static const mote_port_functions_t *functions_of(const mote_t *mote) {
    return mote->options.port->functions;
}

static bool is_open(const mote_t *mote, uint32_t handle) {
    return mote->handle != 0 && (uint32_t)mote->handle == handle;
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

void mote_import_log(mote_t *mote, uint32_t level, uint32_t text, uint32_t length) {
    if (functions_of(mote)->log == NULL || !mote_memory_holds(mote, text, length)) return;
    functions_of(mote)->log(mote->options.port, level, (const char *)mote->memory + text, length);
}
