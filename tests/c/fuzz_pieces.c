// Messages whole and in pieces: what a client has taken of them arrives once, with its value and for its child, however they were cut.
//
// The key of a data point is p and its number, that of a child c and a digit, and the value says both.
#include <stdlib.h>

#include "fuzz_life.h"

#define CHILDREN 4
// Polls for the room that one more data point needs, before the message is given up.
#define POLLS_MAX 60

static const char *const children[CHILDREN] = {"c0", "c1", "c2", "c3"};
static const mote_connector_t connector = {"modbus", 1, 2};

// Does a step again while the outbox is full.
#define WITH_PATIENCE(life, out_status, step)                                                           \
    for (int polls = 0; (out_status = (step)) == MOTE_STATUS_FULL && polls < POLLS_MAX; polls++) {      \
        life_note(life, "full");                                                                        \
        if (mote_poll(&(life)->mote) <= 0 && (life)->port.count == 0) mote_wait(&(life)->mote, 5000);   \
    }

static int32_t begin(life_t *life, bool of_children, bool is_telemetry, const mote_publish_options_t *options) {
    mote_t *mote = &life->mote;
    if (of_children) return is_telemetry ? mote_gateway_begin_telemetry(mote, children[0], options) : mote_gateway_begin_attributes(mote, children[0], options);
    return is_telemetry ? mote_begin_telemetry(mote, options) : mote_begin_attributes(mote, options);
}

// The value as it is, or within an array, which is begun and ended in one message.
static int32_t add(life_t *life, uint32_t number, uint32_t child) {
    mote_t *mote = &life->mote;
    int64_t value = (int64_t)(number * CHILDREN + child);
    char key[16];
    snprintf(key, sizeof key, "p%u", (unsigned)number);
    int32_t status, ended;
    uint32_t limit = mote->split.json_max;
    if (chance(70)) {
        WITH_PATIENCE(life, status, mote_add_integer(mote, key, value));
        return status;
    }
    WITH_PATIENCE(life, status, mote_array_begin(mote, key));
    if (status < 0) return status;
    for (uint32_t times = 1 + random_below(6); times > 0 && status >= 0; times--) WITH_PATIENCE(life, status, mote_add_integer(mote, NULL, value));
    WITH_PATIENCE(life, ended, mote_array_end(mote));
    if (!life->is_building) return ended; // in a whole message the first failure sticks
    // Meanwhile the server, or a subscription of the app, may have left less room than the array takes.
    if (ended == MOTE_STATUS_TOO_LARGE && mote->split.json_max < limit) return MOTE_STATUS_FULL;
    if (ended < 0 && ended != MOTE_STATUS_FULL && ended != MOTE_STATUS_TRAPPED) life_blame(life, "an array that was begun cannot be ended: %s", mote_status_name(ended));
    return ended < 0 ? ended : status;
}

// There is nothing wrong with any of these messages.
static void check_status(life_t *life, const char *what, int32_t status) {
    life_note(life, "%s: %d", what, (int)status);
    if (status < 0 && status != MOTE_STATUS_FULL && status != MOTE_STATUS_TOO_LARGE && status != MOTE_STATUS_TRAPPED) life_blame(life, "%s answers %s", what, mote_status_name(status));
}

void fuzz_pieces(life_t *life) {
    mote_t *mote = &life->mote;
    static const mote_publish_options_t options = {.qos = 1};
    uint32_t first = life->points_begun, child = 0;
    bool of_children = (mote_features(mote) & MOTE_FEATURE_GATEWAY) != 0 && chance(60);
    bool is_telemetry = chance(70);
    uint32_t traps = mote_traps(mote);
    life->is_building = true;
    int32_t status = begin(life, of_children, is_telemetry, &options);
    if (status == MOTE_STATUS_BAD_STATE) status = MOTE_STATUS_TRAPPED; // one is open, or there is no module
    for (uint32_t left = 1 + random_below(60); left > 0 && status >= 0 && life->points_begun < FUZZ_POINTS_MAX; left--) {
        uint32_t what = random_below(100);
        if (what < 15 && of_children) {
            uint32_t next = random_below(CHILDREN);
            WITH_PATIENCE(life, status, mote_gateway_child(mote, children[next]));
            if (status >= 0) child = next;
        } else if (what < 30 && is_telemetry) {
            const mote_connector_t *from = chance(30) ? &connector : NULL;
            WITH_PATIENCE(life, status, mote_connector_timestamp(mote, (int64_t)first, from));
        } else if (what < 35) {
            WITH_PATIENCE(life, status, mote_entry(mote));
        } else if (what < 38) {
            // Its path has to stand somewhere while the message is open.
            mote_json_t found;
            mote_json_find(mote, mote_event(mote)->payload, "a.path.of.not.quite.as.many.as.sixty.four.bytes", &found);
        } else {
            uint32_t number = life->points_begun++;
            status = add(life, number, child);
            life->points[number] = status >= 0 ? POINT_TAKEN : POINT_NONE;
        }
        life_note(life, "piece %u: %d", (unsigned)what, (int)status);
        if (status == MOTE_STATUS_TOO_LARGE) status = MOTE_STATUS_OK; // no message can hold it, and the others stay
    }
    if (status >= 0) WITH_PATIENCE(life, status, mote_end(mote));
    check_status(life, "a message in pieces", mote_traps(mote) != traps ? MOTE_STATUS_TRAPPED : status);
    mote_cancel(mote);
    // Of a message that was given up some may arrive and need not.
    for (uint32_t number = first; number < life->points_begun && status < 0; number++) life->points[number] = POINT_NONE;
    life->is_building = false;
}

// One data point, as a message of its own.
void fuzz_whole(life_t *life) {
    mote_t *mote = &life->mote;
    static const mote_publish_options_t options = {.qos = 1};
    bool of_child = (mote_features(mote) & MOTE_FEATURE_GATEWAY) != 0 && chance(70);
    uint32_t child = of_child ? random_below(CHILDREN) : 0, how = random_below(3);
    if (life->points_begun == FUZZ_POINTS_MAX || mote_begin(mote) < 0) return;
    uint32_t number = life->points_begun++;
    if (how == 2) mote_timestamp(mote, 1);
    int32_t status = add(life, number, child);
    if (of_child) status = how == 0 ? mote_gateway_attributes(mote, children[child], &options) : mote_gateway_telemetry(mote, children[child], &options);
    else status = how == 0 ? mote_send_attributes(mote, &options) : mote_send_telemetry(mote, &options);
    check_status(life, "a whole message", status);
    life->points[number] = status >= 0 ? POINT_TAKEN : POINT_NONE;
}

// The server has heard a message, perhaps once more.
void fuzz_pieces_hear(life_t *life, const char *payload, bool is_repeated) {
    uint32_t child = 0, points = 0, most = life->options.split_points;
    for (const char *at = strchr(payload, '"'); at != NULL; at = strchr(at + 1, '"')) {
        char *end;
        uint32_t number = at[1] == 'p' || at[1] == 'c' ? (uint32_t)strtoul(at + 2, &end, 10) : 0;
        if ((at[1] != 'p' && at[1] != 'c') || end == at + 2 || end[0] != '"' || end[1] != ':') continue;
        if (at[1] == 'c') {
            child = number;
        } else if (number < life->points_begun) {
            const char *text = end[2] == '[' ? end + 3 : end + 2;
            if (*text == ']') continue; // what should stand in it was too large
            uint32_t value = (uint32_t)strtoul(text, NULL, 10);
            if (value != number * CHILDREN + child) life_blame(life, "data point %u of child %u has the value %u", (unsigned)number, (unsigned)child, (unsigned)value);
            if (life->points_heard[number] && !is_repeated) life_blame(life, "data point %u arrives twice", (unsigned)number);
            life->points_heard[number] = true;
            if (++points > most && most != 0) life_blame(life, "%u data points in a message that may have %u", (unsigned)points, (unsigned)most);
        }
    }
}

void fuzz_pieces_check(life_t *life) {
    const mote_t *mote = &life->mote;
    if (mote_traps(mote) > 0 || mote_stat(mote, MOTE_STAT_MESSAGES_DROPPED) > 0 || mote_stat(mote, MOTE_STAT_MESSAGES_REJECTED) > 0) return;
    for (uint32_t number = 0; number < life->points_begun; number++) {
        if (life->points[number] == POINT_TAKEN && !life->points_heard[number]) life_blame(life, "data point %u was taken and does not arrive", (unsigned)number);
    }
}
