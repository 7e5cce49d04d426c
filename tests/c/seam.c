// The imports of the groups store and ota, called by a module (seam.wat): what arrives at the port, and what does not. And where memory ends.
#include "client.h"
#include "harness.h"

#define MEMORY_SIZE 4096
#define AREA_SIZE 8192
#define UNIT 4096

enum { INFO, READ, PROGRAM, ERASE, SYNC, BEGIN, WRITE, VERIFY, COMMIT, ABORT, BOOT_STATE, CONFIRM, UNIX_MS };

// What the port was asked last, and what it answers.
static struct {
    uint32_t calls, a, b, length;
    int32_t answer;
    char text[64];
} port_log;

static memory_port_t port;
static mote_t mote;
static uint64_t arena[64 * 1024 / 8];

static int32_t note(uint32_t a, uint32_t b, const void *bytes, uint32_t length) {
    port_log.calls++;
    port_log.a = a;
    port_log.b = b;
    port_log.length = length;
    memset(port_log.text, 0, sizeof port_log.text);
    if (bytes != NULL && length < sizeof port_log.text) memcpy(port_log.text, bytes, length);
    return port_log.answer;
}

static int32_t store_info(mote_port_t *base, uint32_t area, uint32_t what) {
    (void)base;
    static const int32_t units[] = {AREA_SIZE, UNIT, 4};
    return area == MOTE_STORE_AREA_JOURNAL || what != MOTE_STORE_INFO_SIZE ? units[what] : 0;
}
static int32_t store_read(mote_port_t *base, uint32_t area, uint32_t offset, uint8_t *to, uint32_t length) {
    (void)base;
    memset(to, 0x77, length);
    return note(area, offset, NULL, length);
}
static int32_t store_program(mote_port_t *base, uint32_t area, uint32_t offset, const uint8_t *from, uint32_t length) {
    (void)base;
    return note(area, offset, from, length);
}
static int32_t store_erase(mote_port_t *base, uint32_t area, uint32_t offset) {
    (void)base;
    return note(area, offset, NULL, 0);
}
static int32_t store_sync(mote_port_t *base, uint32_t area) {
    (void)base;
    return note(area, 0, NULL, 0);
}
static int32_t ota_begin(mote_port_t *base, uint32_t kind, uint32_t size, const uint8_t *id, uint32_t id_length) {
    (void)base;
    return note(kind, size, id, id_length);
}
static int32_t ota_write(mote_port_t *base, const uint8_t *from, uint32_t length) {
    (void)base;
    return note(0, 0, from, length);
}
static int32_t ota_verify(mote_port_t *base, uint32_t algorithm, const char *hex, uint32_t length) {
    (void)base;
    return note(algorithm, 0, hex, length);
}
static int32_t ota_call(mote_port_t *base) {
    (void)base;
    return note(0, 0, NULL, 0);
}

static void init(bool with_storage) {
    static mote_port_functions_t functions;
    memory_port_init(&port, 1000);
    functions = *port.port.functions;
    if (with_storage) {
        functions.store_info = store_info;
        functions.store_read = store_read;
        functions.store_program = store_program;
        functions.store_erase = store_erase;
        functions.store_sync = store_sync;
        functions.ota_begin = ota_begin;
        functions.ota_write = ota_write;
        functions.ota_verify = ota_verify;
        functions.ota_commit = functions.ota_abort = functions.ota_boot_state = functions.ota_confirm = ota_call;
    }
    port.port.functions = &functions;
    mote_options_t options = {
        .config = "{}", .config_length = 2, .port = &port.port, .arena = arena, .arena_size = sizeof arena, .memory_size = MEMORY_SIZE,
    };
#ifdef TEST_WASM3
    static uint8_t module[4096];
    FILE *file = fopen(SEAM_MODULE, "rb");
    CHECK(file != NULL);
    options.module = module;
    options.module_length = file != NULL ? fread(module, 1, sizeof module, file) : 0;
    if (file != NULL) fclose(file);
#endif
    CHECK_EQUAL(mote_init(&mote, &options), MOTE_STATUS_OK);
    memset(&port_log, 0, sizeof port_log);
}

static int32_t call(uint32_t which, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return mote_call(&mote, MOTE_EXPORT_PUBLISH, 5, (const uint32_t[]){which, a, b, c, d});
}

static bool arrived(uint32_t a, uint32_t b, uint32_t length, const char *text) {
    bool same = port_log.calls == 1 && port_log.a == a && port_log.b == b && port_log.length == length && strcmp(port_log.text, text) == 0;
    port_log.calls = 0;
    return same;
}

static void everything_arrives(void) {
    init(true);
    memcpy(mote.memory + 2000, "abcdefgh", 8);
    CHECK_EQUAL(call(INFO, MOTE_STORE_AREA_JOURNAL, MOTE_STORE_INFO_SIZE, 0, 0), AREA_SIZE);
    CHECK_EQUAL(call(INFO, MOTE_STORE_AREA_JOURNAL, MOTE_STORE_INFO_PROGRAM_SIZE, 0, 0), 4);
    CHECK_EQUAL(call(INFO, MOTE_STORE_AREA_QUEUE, MOTE_STORE_INFO_SIZE, 0, 0), 0);
    port_log.answer = 3;
    CHECK_EQUAL(call(READ, MOTE_STORE_AREA_JOURNAL, 8189, 3000, 3), 3);
    CHECK(arrived(0, 8189, 3, "") && mote.memory[3000] == 0x77 && mote.memory[3002] == 0x77 && mote.memory[3003] == 0);
    CHECK_EQUAL(call(PROGRAM, MOTE_STORE_AREA_JOURNAL, 4, 2000, 8), 3);
    CHECK(arrived(0, 4, 8, "abcdefgh"));
    CHECK_EQUAL(call(ERASE, MOTE_STORE_AREA_JOURNAL, UNIT, 0, 0), 3);
    CHECK(arrived(0, UNIT, 0, ""));
    CHECK_EQUAL(call(SYNC, MOTE_STORE_AREA_JOURNAL, 0, 0, 0), 3);
    CHECK(arrived(0, 0, 0, ""));
    CHECK_EQUAL(call(BEGIN, MOTE_OTA_KIND_SOFTWARE, 77, 2000, 2), 3);
    CHECK(arrived(MOTE_OTA_KIND_SOFTWARE, 77, 2, "ab"));
    CHECK_EQUAL(call(WRITE, 2001, 3, 0, 0), 3);
    CHECK(arrived(0, 0, 3, "bcd"));
    CHECK_EQUAL(call(VERIFY, MOTE_OTA_ALGORITHM_CRC32, 2004, 4, 0), 3);
    CHECK(arrived(MOTE_OTA_ALGORITHM_CRC32, 0, 4, "efgh"));
    for (uint32_t which = COMMIT; which <= CONFIRM; which++) {
        CHECK_EQUAL(call(which, 0, 0, 0, 0), 3);
        CHECK(arrived(0, 0, 0, ""));
    }
    port_log.answer = MOTE_STATUS_STORE_FAILED;
    CHECK_EQUAL(call(ERASE, MOTE_STORE_AREA_JOURNAL, 0, 0, 0), MOTE_STATUS_STORE_FAILED);
    port.unix_ms = 1234;
    CHECK_EQUAL(call(UNIX_MS, 0, 0, 0, 0), 1234);
    mote_free(&mote);
}

static void nothing_outside_arrives(void) {
    init(true);
    static const uint32_t refused[][5] = {
        {INFO, 3, MOTE_STORE_INFO_SIZE}, {INFO, UINT32_MAX, 0}, {INFO, 0, 3},
        {READ, 0, AREA_SIZE - 3, 0, 4}, {READ, 0, AREA_SIZE + 1, 0, 0}, {READ, 0, 8, 0, UINT32_MAX}, {READ, 0, 0, MEMORY_SIZE - 3, 4},
        {READ, 0, 0, UINT32_MAX, 1}, {READ, 0, 0, 100, UINT32_MAX}, {READ, MOTE_STORE_AREA_QUEUE, 0, 0, 1}, {READ, 3, 0, 0, 1},
        {PROGRAM, 0, 2, 0, 4}, {PROGRAM, 0, 0, 0, 6}, {PROGRAM, 0, AREA_SIZE, 0, 4}, {PROGRAM, 0, 0, MEMORY_SIZE, 4},
        {PROGRAM, 0, 0, UINT32_MAX - 3, 8}, {PROGRAM, MOTE_STORE_AREA_DATABASE, 0, 0, 4},
        {ERASE, 0, 4}, {ERASE, 0, AREA_SIZE}, {ERASE, MOTE_STORE_AREA_QUEUE, 0}, {ERASE, 9, 0}, {SYNC, MOTE_STORE_AREA_QUEUE}, {SYNC, 4},
        {BEGIN, 2, 77, 0, 2}, {BEGIN, 0, 0, 0, 2}, {BEGIN, 0, UINT32_MAX, 0, 2}, {BEGIN, 0, 77, MEMORY_SIZE, 1},
        {WRITE, MEMORY_SIZE - 1, 2}, {WRITE, UINT32_MAX, 2}, {VERIFY, 7, 0, 4}, {VERIFY, 0, MEMORY_SIZE, 4}, {VERIFY, 0, 4, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const uint32_t *v = refused[i];
        int32_t result = call(v[0], v[1], v[2], v[3], v[4]);
        if (result != MOTE_STATUS_INVALID_VALUE) printf("case %zu answers %d\n", i, result);
        CHECK_EQUAL(result, MOTE_STATUS_INVALID_VALUE);
    }
    CHECK_EQUAL(port_log.calls, 0);
    mote_free(&mote);
}

static void a_port_may_lack_both(void) {
    init(false);
    CHECK_EQUAL(call(INFO, MOTE_STORE_AREA_JOURNAL, MOTE_STORE_INFO_SIZE, 0, 0), 0);
    CHECK_EQUAL(call(READ, 0, 0, 0, 1), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(call(PROGRAM, 0, 0, 0, 4), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(call(ERASE, 0, 0, 0, 0), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(call(SYNC, 0, 0, 0, 0), MOTE_STATUS_INVALID_VALUE);
    CHECK_EQUAL(call(BEGIN, 0, 77, 0, 1), MOTE_STATUS_STORE_FAILED);
    CHECK_EQUAL(call(WRITE, 0, 4, 0, 0), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(call(VERIFY, 0, 0, 4, 0), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(call(COMMIT, 0, 0, 0, 0), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(call(ABORT, 0, 0, 0, 0), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(call(BOOT_STATE, 0, 0, 0, 0), MOTE_OTA_BOOT_STATE_NORMAL);
    CHECK_EQUAL(call(CONFIRM, 0, 0, 0, 0), MOTE_STATUS_BAD_STATE);
    mote_free(&mote);
}

static int32_t reach(uint32_t how, uint32_t address) {
    init(false);
    memset(mote.memory + MEMORY_SIZE - 8, 0, 8); // where the configuration was
    int32_t result = mote_call(&mote, MOTE_EXPORT_JSON_FIND, 4, (const uint32_t[]){how, address, 0, 0});
    mote_free(&mote);
    return result;
}

// Each kind of access reaches the last byte of the memory, and no further.
static void memory_ends_where_it_was_told_to(void) {
    static const struct {
        uint32_t bytes, offset;
    } kinds[] = {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {1, 0}, {2, 0}, {4, 0}, {8, 0}, {4, 100}};
    for (uint32_t how = 0; how < sizeof kinds / sizeof kinds[0]; how++) {
        uint32_t last = MEMORY_SIZE - kinds[how].bytes - kinds[how].offset;
        CHECK_EQUAL(reach(how, last), 0);
        CHECK_EQUAL(reach(how, last + 1), MOTE_STATUS_TRAPPED);
        CHECK_EQUAL(reach(how, UINT32_MAX), MOTE_STATUS_TRAPPED);
        CHECK_EQUAL(reach(how, 0u - kinds[how].offset - kinds[how].bytes), MOTE_STATUS_TRAPPED);
    }
    CHECK_EQUAL(reach(9, 0), 1024); // the last of the data: bytes for staging
    CHECK_EQUAL(reach(10, 0), 0);
    CHECK_EQUAL(reach(11, 0), MOTE_STATUS_TRAPPED);
}

int main(void) {
    everything_arrives();
    nothing_outside_arrives();
    a_port_may_lack_both();
    memory_ends_where_it_was_told_to();
    printf("%u passed, %u failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
