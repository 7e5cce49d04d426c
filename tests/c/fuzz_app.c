// An app beside the client that is told what to call: every import of apps, with spans that fit, that nearly fit, or that are just numbers.
#include <stdlib.h>

#include "app_verbs.h"
#include "fuzz_life.h"

#define ARENA_SIZE (64 * 1024)
// What fuzz_app.wat has in its memory.
#define MEMORY_SIZE 2048
#define CALL_AT 64
#define TEXT_AT (CALL_AT + 28)
#define EVENT_AT 1088
#define EVENT_CAPACITY 512

static uint8_t module[4096];
static size_t module_length;
static _Alignas(8) uint8_t arena[ARENA_SIZE];
static uint32_t calls_left; // in this event
static int32_t called = -1; // of the table

// The imports, but `io`, in the order of the app's table, which is theirs.
#define TABLE(name, form, run) {#name, form, MOTE_APP_VERB_##name},
static const struct {
    const char *name, *form;
    mote_app_verb_t verb;
} imports[] = {MOTE_APP_VERBS(TABLE)};

static uint32_t table_index(uint32_t import) {
    return import > MOTE_APP_VERB_io ? import - 1 : import;
}

// The case of `$do` in the app that has this form.
static uint32_t form_case(const char *form) {
    if (form[0] == 'v') return 8;
    uint32_t arguments = (uint32_t)strlen(form) - 3;
    return form[0] == 'I' ? 6 + arguments : arguments;
}

static uint32_t write_record(uint8_t *to) {
    static const char *const texts[] = {"x", "A", "a,b", ",", "{\"a\":1}", "[{\"ts\":1,\"values\":{\"x\":1}}]", "\xff", ""};
    static const char *const keys[] = {"", "device", "a", "method", "keys", "clientKeys", "id", "ts", "values"};
    uint32_t length = 0;
    for (uint32_t members = 1 + random_below(6); members > 0; members--) {
        const char *key = PICK(keys), *text = PICK(texts);
        uint32_t type = random_below(11);
        uint32_t text_length = type == MOTE_MEMBER_TEXT || type == MOTE_MEMBER_JSON ? (uint32_t)strlen(text) : 0;
        uint32_t key_length = (uint32_t)strlen(key);
        uint8_t *member = to + length;
        memset(member, 0, MOTE_MEMBER_FIELD_KEY);
        member[0] = (uint8_t)type;
        member[MOTE_MEMBER_FIELD_KEY_LENGTH] = (uint8_t)key_length;
        member[MOTE_MEMBER_FIELD_NUMBER] = (uint8_t)text_length;
        memcpy(member + MOTE_MEMBER_FIELD_KEY, key, key_length);
        memcpy(member + MOTE_MEMBER_FIELD_KEY + ((key_length + 3) & ~3u), text, text_length);
        length += (uint32_t)MOTE_MEMBER_FIELD_KEY + ((key_length + 3) & ~3u) + ((text_length + 3) & ~3u);
    }
    if (chance(30)) spoil_byte(to, length);
    return length;
}

static uint32_t write_text(uint8_t *to) {
    static const char *const texts[] = {"own/+", "both/+", "a/b", "#", "{\"a\":{\"b\":[1,\"\\u00e9\"]}}", "a.b", "a", "", "\"text\"", "an \\u00e9 \\ud83d"};
    const char *text = PICK(texts);
    memcpy(to, text, strlen(text));
    return (uint32_t)strlen(text);
}

static uint32_t any_number(void) {
    static const uint32_t numbers[] = {0, 1, 2, 3, 4, 7, 64, 512, MEMORY_SIZE - 1, MEMORY_SIZE, MEMORY_SIZE + 1, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
    return PICK(numbers);
}

// The next call, at the start of what the app lends; 0 = there is none.
static int32_t tell(life_t *life, uint8_t *bytes) {
    if (calls_left == 0) return 0;
    calls_left--;
    uint32_t import;
    do import = random_below((uint32_t)(sizeof imports / sizeof imports[0]));
    while (import == MOTE_APP_VERB_io);
    called = (int32_t)import;
    uint32_t words[7] = {form_case(imports[import].form), table_index(import)};
    uint32_t length = chance(60) ? write_record(bytes + TEXT_AT - CALL_AT) : write_text(bytes + TEXT_AT - CALL_AT);
    for (int i = 2; i < 7; i++) {
        uint32_t what = random_below(10);
        words[i] = what < 4 ? TEXT_AT : what < 7 ? length : what < 8 ? EVENT_AT + 60 : what < 9 ? any_number() : random_below(MEMORY_SIZE);
        if (i == 2 && chance(70)) words[i] = TEXT_AT;
        if (i == 3 && chance(70)) words[i] = length;
        if (i == 4 && chance(70)) words[i] = random_below(4);
    }
    if (import == MOTE_APP_VERB_publish && words[2] != TEXT_AT) life->publishes_anywhere = true;
    if (chance(1)) words[0] = 9; // a loop without end
    if (chance(1)) words[1] = 1000; // a trap
    for (int i = 0; i < 7; i++) mote_store_u32(bytes + 4 * i, words[i]);
    life_note(life, "the app: %s(%u %u %u %u %u)", imports[import].name, (unsigned)words[2], (unsigned)words[3], (unsigned)words[4], (unsigned)words[5], (unsigned)words[6]);
    return 1;
}

static bool has_status(mote_app_verb_t verb) {
    switch (verb) {
    case MOTE_APP_VERB_now_ms:
    case MOTE_APP_VERB_unix_ms:
    case MOTE_APP_VERB_random_u32:
    case MOTE_APP_VERB_error_value:
    case MOTE_APP_VERB_stat: return false;
    default: return true;
    }
}

static int32_t io(void *user, int32_t op, uint8_t *bytes, uint32_t length) {
    life_t *life = user;
    if (op == 0) return tell(life, bytes);
    if (op == 2) {
        if (length > EVENT_CAPACITY) life_blame(life, "an event of %u bytes is handed to an app", (unsigned)length);
        life_note_bytes(life, "the app's event", bytes, length);
        calls_left = random_below(4);
        return 0;
    }
    int32_t result = (int32_t)mote_load_u32(bytes);
    life_note(life, "the app's result: %d", (int)result);
    if (has_status((mote_app_verb_t)called)) life_check_result(life, imports[called].name, result);
    return 0;
}

static void load_module(void) {
    if (module_length > 0) return;
    FILE *file = fopen(FUZZ_APP_MODULE, "rb");
    if (file == NULL) abort();
    module_length = fread(module, 1, sizeof module, file);
    fclose(file);
}

void fuzz_app_begin(life_t *life) {
    load_module();
    memset(arena, (int)random_below(256), sizeof arena);
    const mote_app_options_t options = {
        .mote = &life->mote, .module = module, .module_length = module_length, .arena = arena, .arena_size = sizeof arena, .io = io, .user = life,
        .memory_size = MEMORY_SIZE, .fuel = chance(50) ? 0 : 1000,
    };
    int32_t status = mote_app_init(&life->app, &options);
    life->has_app = status == MOTE_STATUS_OK;
    if (!life->has_app) life_blame(life, "mote_app_init() answered %s for %s", mote_status_name(status), mote_app_fault(&life->app));
}

void fuzz_app_poll(life_t *life) {
    if (!life->has_app) return;
    calls_left = random_below(4);
    uint32_t before_ms = mote_app_deadline_ms(&life->app);
    int32_t kind = mote_app_poll(&life->app);
    life_note(life, "the app is polled after %u ms: %d", (unsigned)before_ms, (int)kind);
    if (kind != MOTE_EVENT_NONE && kind != MOTE_EVENT_APP_FAILED) life_blame(life, "mote_app_poll() answered %d", (int)kind);
}

void fuzz_app_end(life_t *life) {
    if (life->has_app) mote_app_free(&life->app);
    life->has_app = false;
    if (mote_app_deadline_ms(&life->app) != MOTE_NO_DEADLINE_MS) life_blame(life, "an app that is freed has a deadline");
}
