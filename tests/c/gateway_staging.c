// Builds messages of a gateway of any lengths at random, and looks whether something is written behind the staging area.
#include "harness.h"

static client_t client;

#define CANARY_BYTES 128

// A text of any length, often of one around which something ends. What is lent to an open message stays for a while.
static const char *any_text(uint32_t capacity) {
    static char texts[256][2048];
    static uint32_t next;
    char *to = texts[next++ % 256];
    size_t size = sizeof texts[0];
    size_t length = random_below(3) == 0 ? random_below(20) : random_below(2) == 0 ? random_below(capacity) : capacity / (1 + random_below(4)) - random_below(120) % (capacity / 8);
    if (length >= size) length = size - 1;
    memset(to, random_below(40) == 0 ? '"' : 'x', length);
    to[length] = 0;
    return to;
}

static void any_step(mote_t *mote, uint32_t capacity) {
    static mote_connector_t connectors[64];
    static uint32_t next;
    static const mote_publish_options_t options = {.qos = 0};
    const mote_publish_options_t *chosen = random_below(2) == 0 ? &options : NULL;
    switch (random_below(20)) {
    case 0: mote_gateway_begin_telemetry(mote, any_text(capacity), chosen); break;
    case 1: mote_gateway_begin_attributes(mote, any_text(capacity), chosen); break;
    case 2: mote_begin_telemetry(mote, chosen); break;
    case 3: mote_begin(mote); break;
    case 4: mote_cancel(mote); break;
    case 5: mote_end(mote); break;
    case 6: mote_entry(mote); break;
    case 7: mote_timestamp(mote, random_below(1000)); break;
    case 8:
        connectors[next % 64].name = any_text(capacity);
        mote_connector_timestamp(mote, 1, &connectors[next++ % 64]);
        break;
    case 9: mote_object_begin(mote, any_text(capacity)); break;
    case 10: mote_object_end(mote); break;
    case 11: mote_gateway_telemetry(mote, any_text(capacity), chosen); break;
    case 12: mote_gateway_attributes(mote, any_text(capacity), chosen); break;
    case 13: mote_gateway_rpc_reply(mote, any_text(capacity), 1, chosen); break;
    case 14: mote_document(mote, "[]", 2); break;
    case 15:
    case 16: mote_gateway_child(mote, any_text(capacity)); break;
    default: mote_add_text(mote, any_text(capacity), any_text(capacity)); break;
    }
}

static uint32_t changed(const uint8_t *canary) {
    uint32_t count = 0;
    for (int at = 0; at < CANARY_BYTES; at++) count += canary[at] != 0xa5;
    return count;
}

// A child and a connector whose names together are the longest that fit, and a little more.
static uint32_t long_names(mote_t *mote, const uint8_t *canary) {
    static char device[2048], name[2048];
    uint32_t outside = 0;
    for (uint32_t length = 0; length < mote->staging_capacity; length += 7) {
        memset(device, 'd', length);
        for (uint32_t each = 0; each < mote->staging_capacity; each += 11) {
            memset(name, 'n', each);
            device[length] = name[each] = 0;
            const mote_connector_t connector = {.name = name};
            if ((each & 1) == 0) mote_gateway_begin_telemetry(mote, device, NULL);
            else mote_gateway_begin_attributes(mote, device, NULL);
            mote_connector_timestamp(mote, 1, &connector);
            mote_cancel(mote);
            outside += changed(canary);
        }
    }
    return outside;
}

// Whatever the lengths, nothing is written behind the staging area: here the host is told that it is shorter than it is.
void test_gateway_staging(void) {
    mote_t *mote = &client.mote;
    static const uint32_t capacities[] = {64, 100, 256, 600, 1000, 1800};
    uint32_t outside = 0;
    client_prepare(&client, "{\"mqtt_host\":\"b\",\"access_token\":\"T\",\"staging_buffer\":2048,\"send_buffer\":4096}");
    CHECK_EQUAL(mote_init(mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    for (size_t each = 0; each < sizeof capacities / sizeof capacities[0] && outside == 0; each++) {
        mote->staging_capacity = capacities[each];
        uint8_t *canary = mote->memory + mote->staging_address + mote->staging_capacity;
        memset(canary, 0xa5, CANARY_BYTES);
        outside = long_names(mote, canary);
        for (int i = 0; i < 20000 && outside == 0; i++) {
            any_step(mote, mote->staging_capacity);
            outside = changed(canary);
            if (i % 16 == 0) {
                client.sent_length = 0;
                client_serve(&client);
            }
        }
        mote_cancel(mote);
    }
    CHECK_EQUAL(outside, 0);
    CHECK_EQUAL(mote_traps(mote), 0);
    mote_free(mote);
}
