// How many data points and children one message may have: what the application says, else what the server told, before that what is configured.
#include "client.h"

// The smallest count of a rate such as "10:1,300:60": one message with more data points can never pass.
static uint32_t smallest_count(mote_span_t rate) {
    uint32_t smallest = 0;
    uint32_t count = 0;
    bool counting = true;
    for (uint32_t i = 0; i < rate.length; i++) {
        char c = rate.data[i];
        if (c >= '0' && c <= '9') {
            if (counting && count < UINT32_MAX / 16) count = count * 10 + (uint32_t)(c - '0');
        } else if (c == ':') {
            if (count > 0 && (smallest == 0 || count < smallest)) smallest = count;
            counting = false;
        } else {
            count = 0;
            counting = true;
        }
    }
    return smallest;
}

static uint32_t told_count(mote_t *mote, mote_span_t answer, const char *path) {
    mote_json_t rate;
    return mote_json_find(mote, answer, path, &rate) == MOTE_JSON_TYPE_TEXT ? smallest_count(rate.text) : 0;
}

static uint32_t configured_count(const mote_t *mote, const char *key) {
    mote_span_t rate;
    bool found = mote_config_find(mote->options.config, mote->options.config_length, key, &rate);
    return found ? smallest_count(rate) : 0;
}

// Children that one message may be about, 0 = any: each spends a message of telemetry, and one that the server does not know yet two
// messages more. One child is never too many.
static uint8_t most_children(uint32_t telemetry, uint32_t messages) {
    uint32_t unknown = messages > 1 ? messages / 2 : messages;
    uint32_t most = telemetry == 0 || (unknown != 0 && unknown < telemetry) ? unknown : telemetry;
    return most < UINT8_MAX ? (uint8_t)most : UINT8_MAX;
}

// Configured rates hold until the server has told its own.
void mote_split_configure(mote_t *mote) {
    mote->points_own = mote->points_children = configured_count(mote, "telemetry_points_rate_limit");
    mote->children_max = most_children(configured_count(mote, "telemetry_rate_limit"), configured_count(mote, "messages_rate_limit"));
}

// What the server tells of its limits holds where the application set none. The server of ThingsBoard 3 says rateLimit.
void mote_split_learn(mote_t *mote, const mote_event_t *event) {
    if (event->reason < 0) return;
    mote->points_own = told_count(mote, event->payload, "rateLimits.telemetryDataPoints");
    if (mote->points_own == 0) mote->points_own = told_count(mote, event->payload, "rateLimit.telemetryDataPoints");
    mote->points_children = told_count(mote, event->payload, "gatewayRateLimits.telemetryDataPoints");
    mote->children_max = most_children(told_count(mote, event->payload, "gatewayRateLimits.telemetryMessages"),
                                       told_count(mote, event->payload, "gatewayRateLimits.messages"));
}

uint32_t mote_split_points_max(const mote_t *mote, bool of_child) {
    if (mote->options.split_points != 0) return mote->options.split_points;
    return of_child ? mote->points_children : mote->points_own;
}
