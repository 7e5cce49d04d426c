// An application that calls every function of the face at any time, with arguments that fit, that nearly fit, or that the header just allows.
#include <math.h>
#include <stdlib.h>

#include "fuzz_life.h"

#define HUGE_LENGTH 70000

static char huge[HUGE_LENGTH + 1];
static const char *const keys[] = {NULL, "", "a", "b", "temperature", "device", "ts", "values", "\xc3\xa9", "k\"\n", "\xff\xfe", "seventeen letters"};
static const char *const texts[] = {"", "x", "m", "setLed", "\"quoted\"\\", "\x01", "\xc3", "\xf0\x9f\x98\x80", "sixteen letters!", "{\"a\":1}", "[1,2", "nul", "1e400", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
static const char *const documents[] = {
    "{\"a\":1,\"b\":\"x\"}", "{\"ts\":1,\"values\":{\"a\":1.5}}", "[{\"a\":1},{\"b\":2}]", " [ {\"ts\":1,\"values\":{}} ]", "5", "[]", "{}", "{\"A\":[{\"x\":1}]}", "{\"a\":1", "\"x\"", "",
};
static const char *const names[] = {"A", "B", "C", "", "\xc3\xa9", "child with a longer name \"7\"", "k,l", "D"};
static const char *const key_lists[] = {NULL, "", ",", ",,a", "a,b", "a", "mode,\xff"};
static const char *const filters[] = {"a/b", "a/+", "#", "a#", "", "v1/devices/me/rpc/request/+", "x/y/z", "own/+", "a/filter/that/is/longer/than/most/of/those/that/are/declared/#"};
static const char *const topics[] = {"a/b", "\xc3\xa9", "", "#", "a/b/c/d/e/f", "a/\xff"};
static const char *const paths[] = {"", "a", "mode", "method", "shared.mode", "c.1", "params.on", ".", "0.a", "99999999999", "shared.a", "rateLimits.messages", "a.path.of.more.than.sixty.four.bytes.in.which.nothing.can.be.found.at.all.x"};
static const int64_t numbers[] = {0, 1, -1, 215, INT64_MAX, INT64_MIN, 1760000000000, 1ll << 53, 4294967296};
static const double doubles[] = {0, -0.0, 21.5, -1e-300, 1e300, 9.3e18, -9.3e18, 0.1, 123456789.987654321, 5e-324, 1.7976931348623157e308};
static const uint32_t times[] = {0, 1, 5000, 20000, 0x7fffffff, 0x80000000, 0xffffffff};
static const int32_t ids[] = {0, 1, 7, 2147483647, -1};
static const mote_publish_options_t options[] = {{0, false}, {1, false}, {1, true}, {MOTE_QOS_CONFIGURED, true}, {2, false}, {200, true}};
// They stay where they are, as messages in pieces want it.
static const mote_connector_t connectors[] = {{"modbus", 1, 2}, {"", INT64_MIN, INT64_MAX}, {huge, 0, 0}, {"\"\x01\xff", -1, 5}, {huge + HUGE_LENGTH - 150, 1, 1}};

// What a call takes; drawn in one order, as compilers do not evaluate arguments in one.
typedef struct arguments {
    const char *key, *name, *key_list, *other_key_list, *filter, *topic, *path, *text;
    mote_span_t span, document; // of blocks of their very length
    int64_t number, other_number;
    double real;
    uint32_t small, room, time;
    int32_t id;
    uint8_t decimals;
    bool flag;
    const mote_publish_options_t *options;
    const mote_connector_t *connector;
    char *text_block, *span_block;
} arguments_t;

static uint32_t draw_length(void) {
    uint32_t what = random_below(100);
    return what < 70 ? random_below(40) : what < 90 ? random_below(600) : what < 98 ? random_below(5000) : random_below(HUGE_LENGTH);
}

static char *copy_of(const char *bytes, size_t length) {
    char *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL) abort();
    memcpy(copy, bytes, length);
    return copy;
}

static mote_span_t draw_document(const life_t *life) {
    const mote_event_t *event = mote_event(&life->mote);
    const mote_span_t spans[] = {event->payload, event->payload, event->value, event->topic, event->name, {NULL, 0}, {huge, 5},
                                 {(const char *)life->mote.memory, life->mote.memory_length}, {event->payload.data, UINT32_MAX}};
    mote_span_t document = event->payload.length > 0 && chance(70) ? spans[random_below(3)] : PICK(spans);
    // Part of an event, too: what lies behind its end is still the module's memory.
    if (chance(20) && document.length > 1 && document.length < 65536) document.length = random_below(document.length);
    return document;
}

static arguments_t draw(const life_t *life) {
    arguments_t it = {.key = PICK(keys)};
    if (chance(3)) it.key = huge + HUGE_LENGTH - draw_length();
    it.name = chance(97) ? PICK(names) : huge + HUGE_LENGTH - draw_length();
    it.key_list = PICK(key_lists);
    it.other_key_list = PICK(key_lists);
    it.filter = chance(97) ? PICK(filters) : huge + HUGE_LENGTH - draw_length();
    it.topic = chance(97) ? PICK(topics) : huge + HUGE_LENGTH - draw_length();
    it.path = chance(50) ? paths[random_below(5)] : chance(94) ? PICK(paths) : huge + HUGE_LENGTH - draw_length();
    uint32_t length = draw_length();
    const char *text = chance(60) ? PICK(texts) : huge + HUGE_LENGTH - length;
    it.text = it.text_block = copy_of(text, strlen(text) + 1);
    const char *json = PICK(documents);
    length = chance(60) ? (uint32_t)strlen(json) : draw_length();
    it.span_block = copy_of(length == strlen(json) ? json : huge, length);
    it.span = (mote_span_t){length > 0 ? it.span_block : NULL, length};
    it.document = draw_document(life);
    it.number = PICK(numbers);
    it.other_number = PICK(numbers);
    it.real = PICK(doubles);
    if (chance(5)) it.real = chance(50) ? NAN : -INFINITY;
    it.small = random_below(4);
    it.room = random_below(8);
    it.time = PICK(times);
    it.id = PICK(ids);
    it.decimals = (uint8_t)(chance(80) ? random_below(4) : random_below(256));
    it.flag = chance(50);
    const mote_publish_options_t *how = &PICK(options);
    it.options = chance(60) ? NULL : how;
    it.connector = &PICK(connectors);
    return it;
}

// Where results are written; the place of a text is just as long as is said.
static mote_json_t found;
static bool boolean;
static int64_t integer;
static double real;

static int32_t json_text(mote_t *mote, const arguments_t *a) {
    size_t capacity = a->room;
    char *out = malloc(capacity > 0 ? capacity : 1);
    if (out == NULL) abort();
    int32_t length = mote_json_text(mote, a->document, a->path, out, capacity);
    free(out);
    return length;
}

static int32_t trap(mote_t *mote) {
    mote->trap_next = true;
    return MOTE_STATUS_OK;
}

static int32_t done(void) {
    return MOTE_STATUS_OK;
}

// What another task than the one that polls calls is refused, and changes nothing.
static int32_t is_refused_elsewhere(mote_t *mote, const arguments_t *a) {
    life_t *life = (life_t *)(void *)mote;
    mote_state_t before = mote_state(mote);
    if (mote->task == 0) return MOTE_STATUS_OK;
    life->port.task++;
    int32_t result = a->small == 0 ? mote_begin(mote) : a->small == 1 ? mote_start(mote) : a->small == 2 ? mote_stop(mote) : mote_disconnect(mote);
    if (result != MOTE_STATUS_BAD_STATE || mote_state(mote) != before) life_blame(life, "another task can call %u: %d", (unsigned)a->small, (int)result);
    life->port.task--;
    return MOTE_STATUS_OK;
}

// What a call may do, besides its result.
enum {
    BEGINS = 1,  // a message
    ADDS = 2,    // to one
    SENDS = 4,   // one
    QUEUES = 8,  // one message whenever it does not answer a status, and none when it does
    ALONE = 16,  // not inside a handler
    ASKS = 32,   // looks something up
    RARE = 64,   // so that something comes of the rest
    KEEPS = 128,  // a child: its document is counted as a message also where the table is full
};

#define CALLS(X)                                                                                                    \
    X(start, 0, mote_start(mote))                                                                                   \
    X(stop, RARE, mote_stop(mote))                                                                                     \
    X(disconnect, RARE, mote_disconnect(mote))                                                                         \
    X(trap, RARE, trap(mote))                                                                                          \
    X(elsewhere, RARE, is_refused_elsewhere(mote, a))                                                                  \
    X(run, ALONE | RARE, mote_run(mote, a->time % 1000))                                                                   \
    X(wait, ALONE | RARE, (mote_wait(mote, a->time % 60000), done()))                                                      \
    X(wake, 0, (mote_wake(mote), done()))                                                                           \
    X(release, 0, mote_release(mote, a->flag))                                                                      \
    X(cancel, RARE, (mote_cancel(mote), done()))                                                                       \
    X(begin, BEGINS, mote_begin(mote))                                                                              \
    X(begin_telemetry, BEGINS, mote_begin_telemetry(mote, a->options))                                              \
    X(begin_attributes, BEGINS, mote_begin_attributes(mote, a->options))                                            \
    X(gateway_begin_telemetry, BEGINS, mote_gateway_begin_telemetry(mote, a->name, a->options))                \
    X(gateway_begin_attributes, BEGINS, mote_gateway_begin_attributes(mote, a->name, a->options))              \
    X(add_null, ADDS, mote_add_null(mote, a->key))                                                                  \
    X(add_boolean, ADDS, mote_add_boolean(mote, a->key, a->flag))                                                   \
    X(add_integer, ADDS, mote_add_integer(mote, a->key, a->number))                                                 \
    X(add_decimal, ADDS, mote_add_decimal(mote, a->key, a->number, a->decimals))                                    \
    X(add_double, ADDS, mote_add_double(mote, a->key, a->real, a->decimals))                                        \
    X(add_text, ADDS, mote_add_text(mote, a->key, a->text))                                                         \
    X(add_text_span, ADDS, mote_add_text_span(mote, a->key, a->span))                                               \
    X(add_json, ADDS, mote_add_json(mote, a->key, a->text))                                                         \
    X(add_json_span, ADDS, mote_add_json_span(mote, a->key, a->span))                                               \
    X(object_begin, ADDS, mote_object_begin(mote, a->key))                                                          \
    X(object_end, ADDS, mote_object_end(mote))                                                                      \
    X(array_begin, ADDS, mote_array_begin(mote, a->key))                                                            \
    X(array_end, ADDS, mote_array_end(mote))                                                                        \
    X(timestamp, ADDS, mote_timestamp(mote, a->number))                                                             \
    X(entry, ADDS, mote_entry(mote))                                                                                \
    X(connector_timestamp, ADDS, mote_connector_timestamp(mote, a->number, a->flag ? a->connector : NULL))          \
    X(gateway_child, ADDS, mote_gateway_child(mote, a->name))                                                  \
    X(document, ADDS, mote_document(mote, a->span.data, a->span.length))                                            \
    X(send_telemetry, SENDS | QUEUES, mote_send_telemetry(mote, a->options))                                        \
    X(send_attributes, SENDS | QUEUES, mote_send_attributes(mote, a->options))                                      \
    X(send_rpc_reply, SENDS | QUEUES, mote_send_rpc_reply(mote, a->id, a->options))                                 \
    X(end, SENDS, mote_end(mote))                                                                                   \
    X(gateway_telemetry, SENDS | QUEUES, mote_gateway_telemetry(mote, a->name, a->options))                         \
    X(gateway_attributes, SENDS | QUEUES, mote_gateway_attributes(mote, a->name, a->options))                       \
    X(gateway_rpc_reply, SENDS | QUEUES, mote_gateway_rpc_reply(mote, a->name, a->id, a->options))                  \
    X(publish, QUEUES, mote_publish(mote, a->topic, a->span.data, a->span.length, a->options))                      \
    X(subscribe, 0, mote_subscribe(mote, a->filter, (uint8_t)a->small))                                             \
    X(unsubscribe, 0, mote_unsubscribe(mote, a->filter))                                                            \
    X(request_attributes, 0, mote_request_attributes(mote, a->key_list, a->other_key_list, a->time))                \
    X(request_rpc, 0, mote_request_rpc(mote, a->text, a->flag ? NULL : "{\"x\":[1]}", a->time))                     \
    X(claim, QUEUES, mote_claim(mote, a->flag ? NULL : a->text, a->number, a->options))                             \
    X(forget_credentials, 0, mote_forget_credentials(mote))                                                         \
    X(ota_start, 0, mote_ota_start(mote, (mote_ota_kind_t)a->small))                                                \
    X(ota_apply, 0, mote_ota_apply(mote, (mote_ota_kind_t)a->small, a->flag))                                       \
    X(ota_stop, 0, mote_ota_stop(mote, (mote_ota_kind_t)a->small))                                                  \
    X(gateway_connect, KEEPS, mote_gateway_connect(mote, a->name, a->flag ? NULL : a->text, a->options))                \
    X(gateway_disconnect, 0, mote_gateway_disconnect(mote, a->name, a->options))                                    \
    X(gateway_claim, QUEUES, mote_gateway_claim(mote, a->name, a->flag ? NULL : a->text, a->number, a->options))    \
    X(gateway_request_attributes, 0, mote_gateway_request_attributes(mote, a->name, (mote_scope_t)(a->small & 1), a->key_list, a->time)) \
    X(json_find, ASKS, mote_json_find(mote, a->document, a->path, &found))                                          \
    X(json_boolean, ASKS, mote_json_boolean(mote, a->document, a->path, &boolean))                                  \
    X(json_integer, ASKS, mote_json_integer(mote, a->document, a->path, &integer))                                  \
    X(json_double, ASKS, mote_json_double(mote, a->document, a->path, &real))                                       \
    X(json_text, ASKS, json_text(mote, a))                                                                          \
    X(deadline_ms, ASKS, mote_deadline_ms(mote))                                                                    \
    X(wants, ASKS, mote_wants(mote))                                                                                \
    X(stat, ASKS, (mote_stat(mote, (mote_stat_t)a->time), mote_stat(mote, (mote_stat_t)(a->small * 2)), done()))    \
    X(features, ASKS, (int32_t)mote_features(mote))                                                                 \
    X(arena, ASKS, (mote_arena_used(mote), mote_arena_allocations(mote), mote_posts_refused(mote), done()))

#define FUNCTION(name, does, expression)                                  \
    static int32_t call_##name(mote_t *mote, const arguments_t *a) {      \
        (void)mote;                                                       \
        (void)a;                                                          \
        return expression;                                                \
    }
CALLS(FUNCTION)

typedef struct call {
    const char *name;
    uint32_t does;
    int32_t (*function)(mote_t *mote, const arguments_t *a);
} call_t;
#define ENTRY(name, does, expression) {#name, does, call_##name},
static const call_t calls[] = {CALLS(ENTRY)};

static void use(life_t *life, const call_t *call) {
    mote_t *mote = &life->mote;
    arguments_t a = draw(life);
    uint32_t traps = mote->traps;
    bool in_pieces = mote->message_open && mote->split.verb != 0;
    uint32_t before = mote_stat(mote, MOTE_STAT_MESSAGES_QUEUED);
    int32_t failure = mote->message_open && !in_pieces ? mote->message_status : 0;
    uint32_t allocations = mote_arena_allocations(mote);
    int32_t result = call->function(mote, &a);
    free(a.text_block);
    free(a.span_block);
    life_note(life, "%s: %d", call->name, (int)result);
    life_check_result(life, call->name, result);
    mote_span_t text = mote_error_text(mote);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < text.length; i++) sum += (uint8_t)text.data[i];
    life_note(life, "%s %d", sum == 0 && text.length != 0 ? "zeros" : "", (int)(result < 0 && result != MOTE_STATUS_TRAPPED ? mote_error_value(mote) : 0));
    if (failure < 0 && (call->does & ADDS) != 0 && result >= 0) life_blame(life, "%s does not stick to %s", call->name, mote_status_name(failure));
    if (mote->traps != traps || mote->life != MOTE_LIFE_ALIVE || (call->does & ALONE) != 0) return;
    uint32_t queued = mote_stat(mote, MOTE_STAT_MESSAGES_QUEUED) - before;
    bool right = result >= 0 ? (call->does & QUEUES) == 0 || queued == 1 : queued == 0 || in_pieces || (call->does & KEEPS) != 0;
    if (!right) life_blame(life, "%s answered %d and queued %u messages", call->name, (int)result, (unsigned)queued);
    if (!life->options.compile_on_first_call && mote_arena_allocations(mote) != allocations) life_blame(life, "%s allocates", call->name);
}

// Any call that does what is asked for.
static void use_one(life_t *life, uint32_t does) {
    const call_t *call;
    do call = &PICK(calls);
    while ((does != 0 && (call->does & does) == 0) || (life->handling > 0 && (call->does & ALONE) != 0) || ((call->does & RARE) != 0 && chance(90)));
    use(life, call);
}

void fuzz_use(life_t *life) {
    if (huge[0] == 0) memset(huge, 'x', HUGE_LENGTH);
    bool is_told = mote_event(&life->mote)->payload.length > 0;
    for (int asks = is_told ? 3 : 0; asks > 0; asks--) use_one(life, ASKS);
    if (chance(50)) {
        use_one(life, 0);
        return;
    }
    use_one(life, BEGINS);
    for (uint32_t members = random_below(chance(80) ? 5 : 60); members > 0 && life->fault[0] == 0; members--) use_one(life, ADDS);
    use_one(life, SENDS);
    if (chance(80)) mote_cancel(&life->mote);
}

void fuzz_post(life_t *life) {
    mote_post_t post;
    size_t capacity = random_below(200);
    void *buffer = capacity > 0 ? malloc(capacity) : NULL;
    mote_post_begin(&post, buffer, capacity);
    for (uint32_t members = random_below(5); members > 0; members--) {
        const char *key = PICK(keys), *text = PICK(texts);
        int64_t number = PICK(numbers);
        switch (random_below(5)) {
        case 0: mote_post_boolean(&post, key, true); break;
        case 1: mote_post_integer(&post, key, number); break;
        case 2: mote_post_decimal(&post, key, number, (uint8_t)random_below(25)); break;
        case 3: mote_post_text(&post, key, text); break;
        default: mote_post_json(&post, key, text); break;
        }
    }
    for (uint32_t tries = 1 + random_below(2); tries > 0; tries--) {
        int32_t result = chance(50) ? mote_post_telemetry(&life->mote, &post) : mote_post_attributes(&life->mote, &post);
        life_note(life, "posted: %d", (int)result);
        life_check_result(life, "mote_post", result);
    }
    free(buffer);
}
