// The port of a life: the memory port, with a network that fails, a store and a slot that are busy or break, and another task that posts.
#include "fuzz_life.h"

static life_t *life_of(mote_port_t *port) {
    return ((memory_port_t *)(void *)port)->user;
}

static const mote_port_functions_t *well(void) {
    static memory_port_t port;
    if (port.port.functions == NULL) memory_port_init(&port, 0);
    return port.port.functions;
}

// ----------------------------------------------------------------------- network

static const int32_t failures[] = {
    MOTE_STATUS_DNS_FAILED, MOTE_STATUS_CONNECTION_REFUSED, MOTE_STATUS_UNREACHABLE, MOTE_STATUS_CONNECTION_RESET, MOTE_STATUS_CONNECTION_CLOSED,
    MOTE_STATUS_NETWORK_FAILED, MOTE_STATUS_TLS_HANDSHAKE_FAILED, MOTE_STATUS_TLS_UNTRUSTED, MOTE_STATUS_TIME_UNKNOWN,
};

static int32_t net_open(mote_port_t *port, const char *host, uint32_t host_length, uint32_t port_number, uint32_t flags) {
    life_t *life = life_of(port);
    life->actions++;
    if (life->port.handle != 0) life_blame(life, "a second connection is opened");
    if (goes_wrong(life, 10)) return PICK(failures);
    life->port.open_at_once = life->is_reliable || chance(85);
    fuzz_server_accept(life);
    life_note(life, "opens %.*s %u", (int)host_length, host, (unsigned)port_number);
    return well()->net_open(port, host, host_length, port_number, flags);
}

static int32_t net_state(mote_port_t *port, int32_t handle) {
    life_t *life = life_of(port);
    if (goes_wrong(life, 1)) life->port.link = PICK(failures);
    int32_t state = well()->net_state(port, handle);
    return state == MOTE_NET_STATE_OPEN && goes_wrong(life, 5) ? MOTE_NET_STATE_FLUSHING : state;
}

static int32_t net_send(mote_port_t *port, int32_t handle, const uint8_t *from, uint32_t length) {
    life_t *life = life_of(port);
    if (goes_wrong(life, 2)) life->port.link = PICK(failures);
    if (goes_wrong(life, 5)) return life->port.link < 0 ? life->port.link : 0;
    if (goes_wrong(life, 15) && length > 1) length = 1 + random_below(length);
    return well()->net_send(port, handle, from, length);
}

static int32_t net_recv(mote_port_t *port, int32_t handle, uint8_t *to, uint32_t capacity) {
    life_t *life = life_of(port);
    if (goes_wrong(life, 10) && capacity > 1) capacity = 1 + random_below(capacity);
    int32_t received = well()->net_recv(port, handle, to, capacity);
    if (received != 0) life->actions++;
    return received;
}

static void net_close(mote_port_t *port, int32_t handle) {
    life_t *life = life_of(port);
    life->actions++;
    life_note(life, "closes");
    well()->net_close(port, handle);
}

static void on_action(void *user, memory_action_t action, const uint8_t *bytes, uint32_t length, uint32_t number, uint32_t flags) {
    life_t *life = user;
    (void)number;
    (void)flags;
    life->actions++;
    if (action == ACTION_SEND) fuzz_server_hear(life, bytes, length);
}

// ------------------------------------------------------------------ other tasks

// What runs beside the client does so while it steps and sleeps. Time passes then, so that nothing that is asked for at once lasts for ever.
static void pass(life_t *life) {
    life->port.now_ms += random_below(2);
    if (life->is_alone || life->is_reliable || life->is_locked || !chance(2)) return;
    if (chance(50)) mote_wake(&life->mote);
    else fuzz_post(life);
}

static void step(mote_port_t *port) {
    pass(life_of(port));
}

static void wait(mote_port_t *port, uint32_t timeout_ms, uint32_t wants) {
    pass(life_of(port));
    well()->wait(port, timeout_ms, wants);
}

static void lock(mote_port_t *port) {
    life_t *life = life_of(port);
    if (life->is_locked) life_blame(life, "the queue of posts is locked twice");
    life->is_locked = true;
}

static void unlock(mote_port_t *port) {
    life_t *life = life_of(port);
    if (!life->is_locked) life_blame(life, "the queue of posts is unlocked twice");
    life->is_locked = false;
}

static void log_line(mote_port_t *port, uint32_t level, const char *text, uint32_t length) {
    (void)text; // an engine's own words
    (void)length;
    life_note(life_of(port), "log %u", (unsigned)level);
}

// ----------------------------------------------------------------- store and slot

static int32_t store_info(mote_port_t *port, uint32_t area, uint32_t what) {
    const life_t *life = life_of(port);
    if (area != MOTE_STORE_AREA_JOURNAL) return 0;
    if (what == MOTE_STORE_INFO_SIZE) return FUZZ_JOURNAL_SIZE;
    return (int32_t)(what == MOTE_STORE_INFO_ERASE_SIZE ? life->erase_size : life->program_size);
}

// What a step of the store answers in place of doing it; Ok when it is done.
static int32_t hindrance(const life_t *life) {
    if (goes_wrong(life, 3)) return MOTE_STATUS_STORE_FAILED;
    return goes_wrong(life, 15) ? 0 : 1;
}

static int32_t store_read(mote_port_t *port, uint32_t area, uint32_t offset, uint8_t *to, uint32_t length) {
    life_t *life = life_of(port);
    (void)area;
    int32_t done = hindrance(life);
    if (done <= 0) return done;
    memcpy(to, life->journal + offset, length);
    if (length > 0 && goes_wrong(life, 2)) to[random_below(length)] ^= 4;
    return (int32_t)length;
}

static int32_t store_program(mote_port_t *port, uint32_t area, uint32_t offset, const uint8_t *from, uint32_t length) {
    life_t *life = life_of(port);
    (void)area;
    int32_t done = hindrance(life);
    if (done <= 0) return done;
    uint32_t unit = life->erase_size - offset % life->erase_size;
    if (length > unit) length = unit;
    for (uint32_t i = 0; i < length; i++) life->journal[offset + i] &= from[i];
    return (int32_t)length;
}

static int32_t store_erase(mote_port_t *port, uint32_t area, uint32_t offset) {
    life_t *life = life_of(port);
    (void)area;
    int32_t done = hindrance(life);
    if (done > 0) memset(life->journal + offset, 0xff, life->erase_size);
    return done > 0 ? (int32_t)life->erase_size : done;
}

static int32_t store_sync(mote_port_t *port, uint32_t area) {
    (void)area;
    return hindrance(life_of(port));
}

static int32_t ota_begin(mote_port_t *port, uint32_t kind, uint32_t size, const uint8_t *id, uint32_t id_length) {
    life_t *life = life_of(port);
    life_note_bytes(life, kind == MOTE_OTA_KIND_FIRMWARE ? "firmware" : "software", id, id_length);
    if (goes_wrong(life, 10)) return chance(50) ? MOTE_STATUS_TOO_LARGE : MOTE_STATUS_STORE_FAILED;
    life->image_size = size;
    life->image_length = chance(70) ? 0 : random_below(size + 1);
    return (int32_t)life->image_length;
}

static int32_t ota_write(mote_port_t *port, const uint8_t *from, uint32_t length) {
    life_t *life = life_of(port);
    if (life->image_size == 0) return MOTE_STATUS_BAD_STATE;
    if (goes_wrong(life, 5)) return chance(50) ? MOTE_STATUS_STORE_FAILED : 0;
    if (length > life->image_size - life->image_length) return MOTE_STATUS_TOO_LARGE;
    if (goes_wrong(life, 10) && length > 1) length = 1 + random_below(length);
    life->image_length += length;
    life_note_bytes(life, "image", from, length);
    return (int32_t)length;
}

static int32_t ota_verify(mote_port_t *port, uint32_t algorithm, const char *hex, uint32_t length) {
    life_t *life = life_of(port);
    life_note_bytes(life, "verifies", hex, length);
    (void)algorithm;
    if (life->image_size == 0 || life->image_length != life->image_size) return MOTE_STATUS_BAD_STATE;
    if (goes_wrong(life, 20)) return chance(50) ? 0 : MOTE_STATUS_INVALID_VALUE;
    return 1;
}

static int32_t ota_commit(mote_port_t *port) {
    return hindrance(life_of(port));
}

static int32_t ota_abort(mote_port_t *port) {
    life_of(port)->image_size = 0;
    return MOTE_STATUS_OK;
}

static int32_t ota_boot_state(mote_port_t *port) {
    return goes_wrong(life_of(port), 30) ? (int32_t)random_below(3) : MOTE_OTA_BOOT_STATE_NORMAL;
}

// --------------------------------------------------------------------------- life

void fuzz_port_init(life_t *life) {
    static const int64_t starts[] = {0, 1000, 0x7fffffff - 5000, 0xffffffff - 5000, 1ll << 53};
    static const uint32_t units[] = {256, 512, 1024};
    memory_port_init(&life->port, PICK(starts));
    life->port.random = random_below(UINT32_MAX);
    life->port.random_step = 0x9e3779b9u;
    life->port.observer = on_action;
    life->port.user = life;
    life->functions = *life->port.port.functions;
    life->functions.capabilities = chance(50) ? MOTE_PORT_TLS : 0;
    life->functions.step = step;
    life->functions.wait = wait;
    life->functions.net_open = net_open;
    life->functions.net_state = net_state;
    life->functions.net_send = net_send;
    life->functions.net_recv = net_recv;
    life->functions.net_close = net_close;
    if (chance(50)) life->functions.log = log_line;
    if (chance(50)) {
        life->functions.lock = lock;
        life->functions.unlock = unlock;
    }
    memset(life->journal, chance(80) ? 0xff : 0, sizeof life->journal);
    life->erase_size = PICK(units);
    life->program_size = chance(50) ? 4 : 16;
    if (chance(60)) {
        life->functions.store_info = store_info;
        life->functions.store_read = store_read;
        life->functions.store_program = store_program;
        life->functions.store_erase = store_erase;
        life->functions.store_sync = store_sync;
    }
    if (chance(70)) {
        life->functions.ota_begin = ota_begin;
        life->functions.ota_write = ota_write;
        life->functions.ota_verify = ota_verify;
        life->functions.ota_commit = ota_commit;
        life->functions.ota_abort = ota_abort;
        life->functions.ota_boot_state = ota_boot_state;
        life->functions.ota_confirm = ota_commit;
    }
    life->port.port.functions = &life->functions;
}

void fuzz_port_become_reliable(life_t *life) {
    life->is_reliable = true;
    life->port.room = UINT32_MAX;
}
