// Loading: again and again in one arena, too little of it, and modules that are not what they should be.
#include "harness.h"

static client_t client, other;

static void loads_again_in_one_arena(void) {
    size_t used = 0;
    for (int i = 0; i < 100; i++) {
        if (client_init(&client, TEST_CONFIG) < 0) {
            check(false, "the client loads again", __FILE__, __LINE__);
            return;
        }
        if (i > 0 && mote_arena_used(&client.mote) != used) check(false, "it takes the same memory", __FILE__, __LINE__);
        used = mote_arena_used(&client.mote);
        mote_free(&client.mote);
    }
    CHECK(used > 0);
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_start(&client.mote), MOTE_STATUS_BAD_STATE);
}

static void refuses_an_arena_that_is_too_small(void) {
    client_prepare(&client, TEST_CONFIG);
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    size_t used = mote_arena_used(&client.mote);
    mote_free(&client.mote);
    // Every size below what is needed must be refused by name, and must leave nothing behind.
    uint32_t wrong = 0;
    for (size_t size = 0; size < used; size += size < 4096 ? 64 : 512) {
        client.options.arena_size = size;
        int32_t status = mote_init(&client.mote, &client.options);
        if (status != MOTE_STATUS_TOO_LARGE) {
            printf("an arena of %zu of %zu bytes answers %s\n", size, used, mote_status_name(status));
            wrong++;
        }
    }
    CHECK_EQUAL(wrong, 0);
    client.options.arena_size = used;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    mote_free(&client.mote);
}

static void refuses_a_memory_that_is_too_small(void) {
    for (uint32_t size = 512; size <= 2560; size += 512) {
        client_prepare(&client, TEST_CONFIG);
        client.options.memory_size = size;
        int32_t status = mote_init(&client.mote, &client.options);
        if (status != MOTE_STATUS_TOO_LARGE) printf("a memory of %u bytes answers %s %s\n", size, mote_status_name(status), mote_error_text(&client.mote).data);
        CHECK_EQUAL(status, MOTE_STATUS_TOO_LARGE);
    }
}

static void check_refused_option(const char *name) {
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_INVALID_VALUE);
    CHECK(mote_span_equals(mote_error_text(&client.mote), name));
    CHECK_EQUAL(mote_stop(&client.mote), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_poll(&client.mote), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(mote_deadline_ms(&client.mote), MOTE_NO_DEADLINE_MS);
    mote_free(&client.mote);
}

static void refuses_an_option_by_its_name(void) {
    client_prepare(&client, TEST_CONFIG);
    client.options.config = NULL;
    check_refused_option("config");
    client_prepare(&client, TEST_CONFIG);
    client.options.port = NULL;
    check_refused_option("port");
    client_prepare(&client, TEST_CONFIG);
    client.options.arena = NULL;
    check_refused_option("arena");
    client.options.arena = client.arena + 4;
    check_refused_option("arena");
    client_prepare(&client, TEST_CONFIG);
    client.options.memory_size = 65537;
    check_refused_option("memory_size");
    // Keys that could not be asked for, or not be found.
    static const char *const keys[] = {"", "a,b", "a.b", ","};
    for (int i = 0; i < 4; i++) {
        const mote_shared_attribute_t attributes[] = {{"good", NULL}, {keys[i], NULL}};
        client_prepare(&client, TEST_CONFIG);
        client.options.shared_attributes = attributes;
        client.options.shared_attribute_count = 2;
        check_refused_option("shared_attributes");
    }
}

static void refuses_a_bad_configuration(void) {
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"h\",\"mqtt_hots\":1}"), MOTE_STATUS_UNKNOWN_KEY);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "mqtt_hots"));
    CHECK_EQUAL(client_init(&client, "{\"mqtt_port\":1883}"), MOTE_STATUS_MISSING_KEY);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "mqtt_host"));
    CHECK_EQUAL(client_init(&client, "{\"mqtt_host\":\"h\",\"tls\":{\"ca\":\"x\"}}"), MOTE_STATUS_TLS_UNSUPPORTED);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "tls"));
}

static void two_clients_do_not_meet(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    CHECK_EQUAL(client_init(&other, "{\"mqtt_host\":\"second\",\"client_id\":\"other\"}"), MOTE_STATUS_OK);
    client_connect(&client);
    client_connect(&other);
    CHECK(client_sent(&other, "other") && !client_sent(&client, "other"));
    mote_begin(&client.mote);
    mote_begin(&other.mote);
    mote_add_integer(&client.mote, "first", 1);
    mote_add_integer(&other.mote, "second", 2);
    CHECK(mote_send_telemetry(&client.mote, NULL) > 0);
    CHECK(mote_send_telemetry(&other.mote, NULL) > 0);
    client_serve(&client);
    client_serve(&other);
    CHECK(client_sent(&client, "{\"first\":1}") && !client_sent(&client, "second"));
    CHECK(client_sent(&other, "{\"second\":2}") && !client_sent(&other, "first"));
    mote_free(&client.mote);
    CHECK_EQUAL(mote_poll(&other.mote), MOTE_EVENT_NONE);
    mote_free(&other.mote);
}

#ifdef TEST_WASM3
static uint8_t module[65536];

static size_t copy_module(void) {
    memcpy(module, client.options.module, client.options.module_length);
    return client.options.module_length;
}

static int32_t init_with(size_t length) {
    client.options.module = module;
    client.options.module_length = length;
    return mote_init(&client.mote, &client.options);
}

// Replaces the only place where these bytes stand.
static bool patch(size_t length, const char *from, const char *to, size_t size) {
    for (size_t at = 0; at + size <= length; at++) {
        if (memcmp(module + at, from, size) != 0) continue;
        memcpy(module + at, to, size);
        return true;
    }
    return false;
}

static void refuses_a_module_that_is_cut_off(void) {
    uint32_t wrong = 0;
    client_prepare(&client, TEST_CONFIG);
    mote_options_t whole = client.options;
    for (size_t length = 0; length < whole.module_length; length += 97) {
        client.options = whole;
        copy_module();
        int32_t status = init_with(length);
        if (status >= 0 || client.mote.engine != NULL) wrong++;
    }
    CHECK_EQUAL(wrong, 0);
    client.options = whole;
    module[0] = 'x';
    CHECK_EQUAL(init_with(whole.module_length), MOTE_STATUS_MALFORMED);
}

static void refuses_a_foreign_module(void) {
    client_prepare(&client, TEST_CONFIG);
    size_t length = copy_module();
    CHECK(patch(length, "\x00\x41\x80\x02\x0b", "\x00\x41\x80\x04\x0b", 5)); // the body of abi_version: 256 becomes 512
    CHECK_EQUAL(init_with(length), MOTE_STATUS_INVALID_VALUE);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "abi_version"));
    CHECK_EQUAL(mote_error_value(&client.mote), 512);

    client_prepare(&client, TEST_CONFIG);
    length = copy_module();
    CHECK(patch(length, "\x05wants", "\x05wonts", 6));
    CHECK_EQUAL(init_with(length), MOTE_STATUS_NOT_FOUND);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "wants"));

    client_prepare(&client, TEST_CONFIG);
    length = copy_module();
    CHECK(patch(length, "\x08net_open", "\x08net_opem", 9));
    CHECK_EQUAL(init_with(length), MOTE_STATUS_NOT_FOUND);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "net_opem"));
}

// Loses the connection, comes back and sends a message.
static void lose_and_send(void) {
    client.port.link = MOTE_STATUS_CONNECTION_RESET;
    client_serve(&client);
    client.port.now_ms += 200000;
    client_serve(&client);
    mote_begin(&client.mote);
    mote_add_integer(&client.mote, "a", 1);
    if (mote_send_telemetry(&client.mote, NULL) <= 0) check(false, "a message is taken", __FILE__, __LINE__);
    client_serve(&client);
}

static void compiles_on_first_call(void) {
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    size_t whole = mote_arena_used(&client.mote);
    mote_free(&client.mote);
    client_prepare(&client, TEST_CONFIG);
    client.options.compile_on_first_call = true;
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    CHECK(mote_arena_used(&client.mote) < whole);
    client_connect(&client);
    mote_begin(&client.mote);
    mote_add_integer(&client.mote, "a", 1);
    CHECK(mote_send_telemetry(&client.mote, NULL) > 0);
    client_serve(&client);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_DELIVERED], 1);
    // What only reads the configuration was given back; what runs again is compiled again.
    size_t lazy = mote_arena_used(&client.mote);
    printf("arena: %zu bytes compiled at load, %zu on first call\n", whole, lazy);
    CHECK(lazy < whole - whole / 8);
    // So was what only begins a session: each new one compiles it again, in the room of the last.
    for (int i = 0; i < 3; i++) lose_and_send();
    size_t again = mote_arena_used(&client.mote);
    uint32_t allocations = mote_arena_allocations(&client.mote);
    for (int i = 0; i < 50; i++) lose_and_send();
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_DELIVERED], 54);
    CHECK_EQUAL(mote_arena_used(&client.mote), again);
    CHECK(mote_arena_allocations(&client.mote) >= allocations + 50);
    CHECK(again < whole - whole / 8);
    mote_free(&client.mote);
    // Too little of it is refused, or ends the instance when the code no longer fits.
    uint32_t wrong = 0;
    for (size_t size = 1024; size < lazy; size += 512) {
        client_prepare(&client, TEST_CONFIG);
        client.options.compile_on_first_call = true;
        client.options.arena_size = size;
        int32_t status = mote_init(&client.mote, &client.options);
        if (status != MOTE_STATUS_OK && status != MOTE_STATUS_TOO_LARGE && status != MOTE_STATUS_TRAPPED) wrong++;
        if (status == MOTE_STATUS_OK) {
            mote_start(&client.mote);
            for (int i = 0; i < 8; i++) mote_poll(&client.mote);
        }
        mote_free(&client.mote);
    }
    CHECK_EQUAL(wrong, 0);
}
#endif

void test_engine(void) {
    loads_again_in_one_arena();
    refuses_an_arena_that_is_too_small();
    refuses_a_memory_that_is_too_small();
    refuses_an_option_by_its_name();
    refuses_a_bad_configuration();
    two_clients_do_not_meet();
#ifdef TEST_WASM3
    refuses_a_module_that_is_cut_off();
    refuses_a_foreign_module();
    compiles_on_first_call();
#endif
}
