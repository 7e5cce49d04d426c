// See harness.h.
#include "harness.h"

#include "module.h"

uint32_t checks_passed, checks_failed;

void check(bool passed, const char *text, const char *file, int line) {
    if (passed) {
        checks_passed++;
        return;
    }
    checks_failed++;
    printf("%s:%d: failed: %s\n", file, line, text);
}

void check_equal(int64_t actual, int64_t expected, const char *text, const char *file, int line) {
    if (actual == expected) {
        checks_passed++;
        return;
    }
    checks_failed++;
    printf("%s:%d: failed: %s is %lld, not %lld\n", file, line, text, (long long)actual, (long long)expected);
}

static void on_action(void *user, memory_action_t action, const uint8_t *bytes, uint32_t length, uint32_t number, uint32_t flags) {
    client_t *client = user;
    (void)number;
    (void)flags;
    if (action != ACTION_SEND || length > sizeof client->sent - client->sent_length) return;
    memcpy(client->sent + client->sent_length, bytes, length);
    client->sent_length += length;
}

static void on_event(mote_t *mote, const mote_event_t *event, void *user) {
    client_t *client = user;
    (void)mote;
    client->event_counts[event->kind]++;
    client->last_event = *event;
}

void client_prepare(client_t *client, const char *config) {
    memset(client, 0, offsetof(client_t, arena));
    memory_port_init(&client->port, 1000);
    client->port.open_at_once = true;
    client->port.random_step = 0x9e3779b9u;
    client->port.observer = on_action;
    client->port.user = client;
    client->options = (mote_options_t){
        .config = config, .config_length = strlen(config), .port = &client->port.port, .arena = client->arena,
        .arena_size = sizeof client->arena, .memory_size = 16384, .on_event = on_event, .user = client,
    };
    mote_module_find(MOTE_MODULE_DEFAULT, &client->options);
}

void client_prepare_posts(client_t *client, client_guard_t *lock, client_guard_t *unlock, void *buffer, uint32_t size) {
    static mote_port_functions_t functions;
    client_prepare(client, TEST_CONFIG);
    functions = *client->port.port.functions;
    functions.lock = lock;
    functions.unlock = unlock;
    client->port.port.functions = &functions;
    client->options.post_buffer = buffer;
    client->options.post_buffer_size = size;
}

int32_t client_init(client_t *client, const char *config) {
    client_prepare(client, config);
    return mote_init(&client->mote, &client->options);
}

// Answers one packet; returns its length, 0 when it is not whole.
static uint32_t answer(client_t *client, const uint8_t *packet, uint32_t left) {
    uint32_t length = 0;
    uint32_t at = 1;
    uint32_t shift = 0;
    do {
        if (at >= left) return 0;
        length |= (uint32_t)(packet[at] & 0x7f) << shift;
        shift += 7;
    } while ((packet[at++] & 0x80) != 0);
    if (at + length > left) return 0;
    const uint8_t *body = packet + at;
    uint8_t type = packet[0] >> 4;
    if (type == 1) memory_port_receive(&client->port, "\x20\x02\x00\x00", 4);
    if (type == 8) memory_port_receive(&client->port, (uint8_t[]){0x90, 3, body[0], body[1], 0}, 5);
    if (type == 10) memory_port_receive(&client->port, (uint8_t[]){0xb0, 2, body[0], body[1]}, 4);
    if (type == 3 && (packet[0] & 6) != 0) {
        const uint8_t *id = body + 2 + (body[0] << 8 | body[1]);
        memory_port_receive(&client->port, (uint8_t[]){0x40, 2, id[0], id[1]}, 4);
    }
    return at + length;
}

void client_serve(client_t *client) {
    uint32_t answered = client->sent_length;
    int steps = 0;
    for (int idle = 0; idle < 4 && steps < 1000; idle++, steps++) {
        uint32_t before = client->sent_length;
        int32_t kind = mote_poll(&client->mote);
        while (answered < client->sent_length) {
            uint32_t length = answer(client, client->sent + answered, client->sent_length - answered);
            if (length == 0) break;
            answered += length;
        }
        if (kind > 0 || client->sent_length != before) idle = -1;
    }
    CHECK(steps < 1000);
}

void client_connect(client_t *client) {
    CHECK_EQUAL(mote_start(&client->mote), MOTE_STATUS_OK);
    client_serve(client);
    CHECK_EQUAL(mote_state(&client->mote), MOTE_STATE_CONNECTED);
}

void client_receive(client_t *client, const char *topic, const char *payload) {
    uint8_t packet[256] = {0x30};
    size_t topic_length = strlen(topic);
    size_t length = 2 + topic_length + strlen(payload);
    packet[1] = (uint8_t)length;
    packet[3] = (uint8_t)topic_length;
    CHECK(length < 128);
    if (length >= 128) return;
    memcpy(packet + 4, topic, topic_length);
    memcpy(packet + 4 + topic_length, payload, strlen(payload));
    CHECK(memory_port_receive(&client->port, packet, (uint32_t)length + 2));
}

uint32_t client_count_sent(const client_t *client, const char *text) {
    uint32_t count = 0;
    size_t length = strlen(text);
    for (uint32_t at = 0; at + length <= client->sent_length; at++) count += memcmp(client->sent + at, text, length) == 0;
    return count;
}

bool client_sent(const client_t *client, const char *text) {
    return client_count_sent(client, text) > 0;
}

void check_leaves(client_t *client, int32_t result, const char *topic, const char *payload) {
    CHECK(result > 0);
    client->sent_length = 0;
    client_serve(client);
    bool sent = client_sent(client, topic) && client_sent(client, payload);
    if (!sent) printf("%s %s did not leave\n", topic, payload);
    CHECK(sent);
}

// Marsaglia's xorshift.
static uint32_t random_state = 1;

void random_seed(uint32_t seed) {
    // Seeds that are neighbours would begin alike.
    random_state = (seed ^ seed >> 16) * 0x9e3779b9u;
    random_state ^= random_state >> 15;
    if (random_state == 0) random_state = 1;
}

uint32_t random_below(uint32_t bound) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % bound;
}
