// Where a life begins: its memory, whose ends are watched, and its configuration.
#include <stdarg.h>
#include <stdlib.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "fuzz_life.h"

#define GUARD_SIZE 64
#define GUARD 0xa5

// Code that the sanitizer for addresses knows may not even read what is around a block; of what it does not know, the interpreter, the bytes tell.
static void close_guards(const uint8_t *block, size_t size) {
    (void)block;
    (void)size;
#ifdef __SANITIZE_ADDRESS__
    __asan_poison_memory_region(block - GUARD_SIZE, GUARD_SIZE);
    __asan_poison_memory_region(block + size, GUARD_SIZE);
#endif
}

static void open_guards(const uint8_t *block, size_t size) {
    (void)block;
    (void)size;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(block - GUARD_SIZE, size + 2 * GUARD_SIZE);
#endif
}

// A block of its very length, with other bytes around it that nobody may touch; what was in it before must not matter.
uint8_t *fuzz_guarded(size_t size) {
    uint8_t *block = malloc(size + 2 * GUARD_SIZE);
    if (block == NULL) abort();
    memset(block, GUARD, size + 2 * GUARD_SIZE);
    memset(block + GUARD_SIZE, (int)random_below(256), size);
    close_guards(block + GUARD_SIZE, size);
    return block + GUARD_SIZE;
}

void fuzz_give_back(uint8_t *block, size_t size) {
    open_guards(block, size);
    free(block - GUARD_SIZE);
}

void fuzz_check_guards(life_t *life, const char *what, const uint8_t *block, size_t size) {
    uint32_t touched = 0;
    open_guards(block, size);
    for (size_t i = 1; i <= GUARD_SIZE; i++) touched += (*(block - i) != GUARD) + (block[size + i - 1] != GUARD);
    close_guards(block, size);
    if (touched > 0) life_blame(life, "%u bytes around %s were written", (unsigned)touched, what);
}

// ------------------------------------------------------------------ configuration

static void add(life_t *life, const char *format, ...) {
    size_t length = strlen(life->config);
    va_list values;
    va_start(values, format);
    vsnprintf(life->config + length, sizeof life->config - length, format, values);
    va_end(values);
}

void fuzz_configure(life_t *life) {
    static const uint32_t receive[] = {64, 72, 128, 256, 512, 2048}, send[] = {640, 700, 1024, 3000}, staging[] = {64, 100, 256, 512, 1024}, in_flight[] = {1, 2, 16};
    static const uint32_t keep_alive[] = {0, 5, 60}, children[] = {64, 128, 1024};
    uint32_t receive_buffer = PICK(receive), send_buffer = PICK(send), staging_buffer = PICK(staging), most = PICK(in_flight), keep_alive_s = PICK(keep_alive);
    if (life->is_roomy) {
        send_buffer = 20000 + random_below(5000);
        staging_buffer = 20000 + random_below(5000);
    }
    bool provisions = chance(10) && strcmp(life->profile, "minimal") != 0;
    add(life, "{\"mqtt_host\":\"broker\",\"receive_buffer\":%u,\"send_buffer\":%u,\"staging_buffer\":%u,\"max_inflight\":%u,\"keep_alive_s\":%u,\"qos\":%u",
        provisions ? 512 : receive_buffer, send_buffer, staging_buffer, most, keep_alive_s, (unsigned)random_below(2));
    if (provisions) add(life, ",\"provision\":{\"provisionDeviceKey\":\"k\",\"provisionDeviceSecret\":\"s\"}");
    else add(life, ",\"access_token\":\"T\"");
    if (chance(10)) add(life, ",\"rpc\":false");
    if (chance(30)) add(life, ",\"reconnect_min_ms\":%u", (unsigned)(1 + random_below(2000)));
    if (chance(30)) add(life, ",\"reconnect_max_ms\":%u", (unsigned)(2000 + random_below(50000)));
    if (chance(20)) add(life, ",\"host\":{\"a\":[1,\"}\"]},\"link\":{\"password\":\"p\"}");
    if ((life->functions.capabilities & MOTE_PORT_TLS) != 0 && chance(20)) add(life, ",\"tls\":{\"verify\":false}");
    if (strcmp(life->profile, "minimal") != 0) {
        if (chance(40)) add(life, ",\"session_limits\":false");
        if (chance(30)) add(life, ",\"redeliver\":true");
        if (chance(30)) add(life, ",\"outbox_drop_oldest\":true");
        if (chance(30)) add(life, ",\"max_requests\":%u", (unsigned)(1 + random_below(4)));
        if (chance(50)) add(life, ",\"firmware_title\":\"t\",\"firmware_version\":\"1\",\"ota_chunk_size\":%u", (unsigned)(chance(50) ? 0 : 64 + random_below(100)));
        if (chance(20)) add(life, ",\"messages_rate_limit\":\"3:10;20:100\"");
        if (chance(20)) add(life, ",\"telemetry_points_rate_limit\":\"5:1,50:60\"");
        if (chance(10)) add(life, ",\"will_topic\":\"w\",\"will_payload\":\"p\",\"will_qos\":1");
    }
    if (strcmp(life->profile, "gateway") == 0) {
        uint32_t buffer = PICK(children);
        add(life, ",\"children_buffer\":%u", buffer);
    }
    add(life, "}");
}
