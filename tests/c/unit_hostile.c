// Text and records that are no JSON and no record: what the C host reads before the module has seen it is never read past its end. The sanitizers watch.
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "harness.h"

#define ROUNDS 20000

static const char *const texts[] = {
    "{\"ts\":1,\"values\":{\"a\":1,\"b\":[1,2]}}", "[{\"a\":1},{\"ts\":2,\"values\":{\"x\":\"\\u00e9\"}}]", "{\"A\":[{\"ts\":1,\"values\":{}}],\"B\":{}}",
    "{\"tls\":{\"ca\":\"a\\\\b\",\"key\":\"\\ud83d\\ude00\"},\"link\":{},\"host\":[1],\"mqtt_host\":\"h\"}", "  { \"x\" : \"\\\"\" , }",
};

// One of the texts with some bytes changed, often without its end, in a block of its very length.
static char *broken_text(size_t *out_length) {
    static const char bytes[] = "\0\"\\{}[],:u\n a1";
    const char *text = texts[random_below(sizeof texts / sizeof texts[0])];
    size_t length = strlen(text);
    if (random_below(3) == 0) length = random_below((uint32_t)length + 1);
    char *broken = malloc(length > 0 ? length : 1);
    if (broken == NULL) abort();
    memcpy(broken, text, length);
    for (uint32_t changes = length > 0 ? random_below(4) : 0; changes > 0; changes--) broken[random_below((uint32_t)length)] = bytes[random_below(sizeof bytes)];
    *out_length = length;
    return broken;
}

static void text_is_read_to_its_end(void) {
    uint32_t endless = 0, longer = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t length;
        char *text = broken_text(&length);
        size_t at = 0;
        mote_span_t key, value;
        uint32_t members = 0;
        while (members <= length && mote_config_next(text, length, &at, &key, &value)) {
            char out[16];
            members++;
            mote_config_text(value, out, sizeof out);
            mote_config_is_key(key, "values");
        }
        if (members > length) endless++;
        mote_config_find(text, length, "tls", &value);
        uint32_t needed = mote_config_length(text, length);
        if (needed > length) longer++;
        char *copy = malloc(needed > 0 ? needed : 1);
        if (copy == NULL) abort();
        mote_config_copy(text, length, copy);
        free(copy);
        free(text);
    }
    CHECK_EQUAL(endless, 0);
    CHECK_EQUAL(longer, 0);
}

// Members that were thrown together, with lengths that fit now and then.
static void records_are_read_to_their_end(void) {
    static mote_t mote;
    mote.points_told = MOTE_TOLD_OWN | MOTE_TOLD_CHILDREN;
    mote.points_own = mote.points_children = 1;
    uint32_t refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t length;
        char *text = broken_text(&length);
        uint32_t size = 1 + random_below(160);
        uint8_t *record = malloc(size);
        if (record == NULL) abort();
        for (uint32_t i = 0; i < size; i++) record[i] = random_below(3) > 0 ? 0 : (uint8_t)random_below(256);
        for (uint32_t at = 0; at + MOTE_MEMBER_FIELD_KEY < size; at += MOTE_MEMBER_FIELD_KEY + 4 * random_below(8)) {
            uint32_t left = size - at - (uint32_t)MOTE_MEMBER_FIELD_KEY;
            record[at] = (uint8_t)random_below(11);
            if (random_below(4) > 0) memset(record + at + 1, 0, MOTE_MEMBER_FIELD_KEY - 1);
            record[at + MOTE_MEMBER_FIELD_NUMBER] = (uint8_t)random_below(32);
            memcpy(record + at + MOTE_MEMBER_FIELD_KEY, text, left < length ? left : length);
        }
        mote.memory = record;
        if (mote_points_check(&mote, size, random_below(2) == 0) == MOTE_STATUS_TOO_LARGE) refused++;
        free(record);
        free(text);
    }
    CHECK(refused > 0 && refused < ROUNDS);
}

void test_hostile(void) {
    text_is_read_to_its_end();
    records_are_read_to_their_end();
}
